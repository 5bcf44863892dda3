"""What a report says of a column: the marks of the table, and errors by rank and image."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ordbench.leaderboard.build import build
from ordbench.leaderboard.query import ask
from ordbench.leaderboard.significance import Significance
from ordbench.leaderboard.table import Table
from ordbench.report.html import study
from ordbench.report.html.study import ColumnStudy, StudiedColumn
from ordbench.results.loading import load_cells, read_records
from ordbench.results.store import Store
from tests.ordbench.report.html.conftest import ERRORS, IMAGES

Write = Callable[..., Path]
MAE = ask()


def shown(root: Path, test: Significance) -> tuple[Table, StudiedColumn]:
    (table,) = build(load_cells(root), MAE, test=test)
    column = table.tests[0]
    assert isinstance(column, StudiedColumn)
    return table, column


def test_few_pairs_leave_the_marks_and_p_values_of_the_table(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        for number in range(5):
            write(f"head{number}", seed, worse=number / 10)
    (wanted,) = build(load_cells(tmp_path), MAE, test=Significance(tmp_path, MAE.metric, "median"))
    table, every = shown(tmp_path, ColumnStudy(tmp_path, MAE.metric, "median"))
    monkeypatch.setattr(study, "ALL_PAIRS", 9)
    fewer, column = shown(tmp_path, ColumnStudy(tmp_path, MAE.metric, "median", "head3"))
    assert wanted.rows == table.rows == fewer.rows, "the same marks"
    assert every.against == ()
    assert every.pairs == wanted.tests[0].pairs
    assert column.against == ["head3", "head0"]
    assert len(column.pairs) == 7, "of ten"
    for heads, pair in column.pairs.items():
        known = every.pairs[heads]
        assert pair._replace(p_holm=None) == known._replace(p_holm=None)
        assert pair.p_holm is not None
        assert known.p_holm is not None
        assert pair.p_holm <= known.p_holm


def test_heads_that_tie_with_the_best_are_all_compared(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "ALL_PAIRS", 0)
    for seed in range(2):
        write("linear", seed)
        write("emd", seed, worse=2.0)
    for record in [*read_records(tmp_path)]:
        if record.label == "linear":
            kept = Store(tmp_path).read_predictions(record.run_id)
            fields = {name: getattr(kept, name) for name in ("samples", "ranks", "estimates")}
            write("coral", record.spec.data_seed, **fields)
    _, column = shown(tmp_path, ColumnStudy(tmp_path, MAE.metric, "median"))
    assert column.against == ["coral", "linear"]


def test_errors_are_means_over_runs(hostile: Path) -> None:
    _, column = shown(hostile, ColumnStudy(hostile, MAE.metric, "median"))
    assert column.unit == "years"
    assert [*column.heads] == sorted(ERRORS)
    errors = column.heads["linear"]
    assert len(errors.run_ids) == 2
    read = [Store(hostile).read_predictions(run_id) for run_id in errors.run_ids]
    values = read[0].rank_values
    for rank, found in enumerate(errors.by_rank):
        signed = [
            estimate - values[rank]
            for one in read
            for estimate, true in zip(one.estimates["point"], one.ranks, strict=True)
            if true == rank
        ]
        assert found.low == found.high == values[rank]
        assert found.images == IMAGES / 3
        assert found.bias == pytest.approx(sum(signed) / len(signed))
        assert found.mae == pytest.approx(sum(map(abs, signed)) / len(signed))
    mean = {
        name: sum(one.estimates["point"][one.samples.index(name)] for one in read) / 2
        for name in read[0].samples
    }
    true = {name: values[read[0].ranks[at]] for at, name in enumerate(read[0].samples)}
    worst = sorted(mean, key=lambda name: -abs(mean[name] - true[name]))[: study.WORST]
    assert [image.sample for image in errors.worst] == worst
    assert errors.worst[0].estimate == pytest.approx(mean[worst[0]])
