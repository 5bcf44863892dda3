from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from ordbench.errors import BrokenPluginError
from ordbench.leaderboard.build import build
from ordbench.leaderboard.query import TableQuery, ask
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.registry import Metric, cumulative_score
from ordbench.plugins.registry import DECODES, find_metric
from ordbench.results import evaluations, rescoring
from ordbench.results.archive import write_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.loading import load_cells, load_records
from ordbench.results.rescoring import rescore
from ordbench.results.rows import CellRuns
from ordbench.results.store import Store
from ordbench.runs.predictions import Predictions
from ordbench.runs.record import TaskFacts
from tests.ordbench.conftest import done, said

TASK = TaskFacts(title="Faces", num_ranks=3, unit="years", rank_values=(0, 10, 30))
POSTERIOR = np.array([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]], np.float32)
RANKS = np.array([1, 2])
SAMPLES = ["a", "b"]


def worst(evaluation: Evaluation) -> float:
    return float(evaluation.errors.max())


WORST = Metric(
    name="worst", title="worst error", unit="{unit}", higher_is_better=False, function=worst
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A run with a posterior, one with point estimates and one without predictions."""
    store = Store(tmp_path)
    pmf = Predictions(samples=SAMPLES, ranks=RANKS, posterior=POSTERIOR)
    points = Predictions(samples=SAMPLES, ranks=RANKS, estimates={"point": np.array([12.0, 26.0])})
    store.write(done(0, task=TASK, label="pmf"), pmf)
    store.write(done(1, task=TASK, label="points", metrics={"point": {"mae": 3.0}}), points)
    store.write(done(2, task=TASK, label="none"))
    return store


def outcome(cells: list[CellRuns]) -> dict[str, Any]:
    return {
        cell.first.label: cell.unscored or {n: [*v] for n, v in cell.metrics.items()}
        for cell in cells
    }


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose predictions were read."""
    read: list[str] = []
    real = Store.read_predictions

    def count(self: Store, run_id: str) -> Predictions:
        read.append(run_id)
        return real(self, run_id)

    monkeypatch.setattr(Store, "read_predictions", count)
    return read


def test_a_score_that_records_lack_is_computed_from_their_predictions(store: Store) -> None:
    cells = rescore(store.root, load_cells(store.root), WORST, "mean")
    # Means of 10 and 30 against 10 and 30; points of 12 and 26.
    assert outcome(cells) == {
        "pmf": {"mae_median": [0.25], "worst_mean": [0.0]},
        "points": {"mae_point": [3.0], "worst_point": [4.0]},
        "none": "no predictions stored",
    }


def test_a_decoding_that_records_lack_is_computed_from_the_posterior(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lowest = {"lowest": lambda probs, values: values[(probs > 0).argmax(1)]}
    for module in (rescoring, evaluations):
        monkeypatch.setattr(module, "DECODES", {**DECODES, **lowest})
    cells = rescore(store.root, load_cells(store.root), ask("mae").metric, "lowest")
    found = outcome(cells)
    assert found["pmf"] == {"mae_median": [0.25], "mae_lowest": [5.0]}
    assert found["points"] == {"mae_point": [3.0]}, "a head's own estimates are not decoded"


def test_a_score_of_the_posterior_needs_one(store: Store) -> None:
    cells = rescore(store.root, load_cells(store.root), ask("nll").metric, "median")
    found = outcome(cells)
    assert found["points"] == "no posterior"
    (cell,) = [cell for cell in cells if cell.first.label == "pmf"]
    assert cell.metrics["nll_posterior"] == [pytest.approx(-np.log(0.25) / 2)]


def test_intervals_are_calibrated_on_the_validation_images(store: Store) -> None:
    # RPS of the true ranks: 0.0625 nine times and 1.0625, so that 90 % take in 0.0625.
    posterior = np.array([[0.75, 0.25, 0.0]] * 9, np.float32)
    head = save({"validation.posterior": posterior, "validation.ranks": np.zeros(9, np.int64)})
    pmf = Predictions(
        samples=["a", "b"],
        ranks=np.array([1, 0]),
        posterior=np.array([[0.5, 0.5, 0.0], [0.75, 0.25, 0.0]], np.float32),
    )
    store.write(done(3, task=TASK, label="calibrated"), pmf, head)
    for name, value in (("coverage@90", 1.0), ("width@90", 1.5)):
        found = outcome(rescore(store.root, load_cells(store.root), find_metric(name), "median"))
        assert found["calibrated"][f"{name}_posterior"] == [value]
        assert found["pmf"] == "no validation posterior stored"
        assert found["points"] == "no posterior"


def test_what_was_computed_is_kept_until_the_run_or_the_code_changes(
    store: Store, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def again() -> list[CellRuns]:
        scored.clear()
        return rescore(store.root, load_cells(store.root), cumulative_score(12), "mean")

    first = again()
    assert len(scored) == 2
    assert outcome(again()) == outcome(first)
    assert scored == []
    changed = Predictions(samples=SAMPLES, ranks=RANKS, posterior=POSTERIOR[::-1].copy())
    run_id = store.write(done(0, task=TASK, label="pmf"), changed).run_id
    assert {"cs@12_mean": [0.0]}.items() <= outcome(again())["pmf"].items()
    assert scored == [run_id]
    monkeypatch.setattr(rescoring, "_code_of", lambda metric, decode: "edited")
    again()
    assert len(scored) == 2


def test_intervals_of_all_ranks_are_said_to_be_so(tmp_path: Path) -> None:
    head = save({"validation.posterior": POSTERIOR, "validation.ranks": RANKS})
    pmf = Predictions(samples=SAMPLES, ranks=RANKS, posterior=POSTERIOR)
    Store(tmp_path).write(done(0, task=TASK, label="pmf"), pmf, head)
    asked = ask("width@90")
    cells = rescore(tmp_path, load_cells(tmp_path), asked.metric, "median")
    (table,) = build(cells, asked)
    (score,) = table.rows[0].cells
    assert score is not None
    assert score.mean == 3
    (line, _) = said(table.notes)
    assert line.startswith("2 calibration images are too few for a coverage of 0.9, which takes 9")


@pytest.mark.parametrize("name", ["cs@12", "coverage@50"])
def test_a_file_that_was_lost_is_read_when_it_is_back(tmp_path: Path, name: str) -> None:
    head = save({"validation.posterior": POSTERIOR, "validation.ranks": RANKS})
    pmf = Predictions(samples=SAMPLES, ranks=RANKS, posterior=POSTERIOR)
    Store(tmp_path).write(done(0, task=TASK, label="pmf"), pmf, head)

    def found() -> dict[str, Any]:
        return outcome(rescore(tmp_path, load_cells(tmp_path), find_metric(name), "mean"))

    files = [path for path in tmp_path.rglob("*") if path.suffix in {".parquet", ".safetensors"}]
    assert len(files) == 2
    for path in files:
        path.rename(f"{path}.away")
    assert found() == {"pmf": "a stored file cannot be read"}
    for path in files:
        Path(f"{path}.away").rename(path)
    assert any(column.startswith(name) for column in found()["pmf"])


def test_a_data_frame_has_a_column_for_a_computed_score(store: Store) -> None:
    frame = load_records(store.root, metrics=["cs@12"], decode="mean").set_index("label")
    assert frame["cs@12_mean"].dropna().to_dict() == {"pmf": 1.0}
    assert frame["cs@12_point"].dropna().to_dict() == {"points": 1.0}


def test_a_table_of_an_archive_says_that_it_holds_no_predictions(tmp_path: Path) -> None:
    has_it = done(1, label="linear", task=TASK, metrics={"median": {"worst": 1.0}})
    write_archive([done(0, task=TASK), has_it], tmp_path / ARCHIVE)
    (table,) = build(
        rescore(tmp_path, load_cells(tmp_path), WORST, "median"),
        TableQuery(WORST, "median", "shots", pool_folds=False),
    )
    assert [row.label for row in table.rows if row.cells[0]] == ["linear"]
    assert "no predictions stored: coral" in said(table.notes)


def test_a_metric_that_fails_is_named_with_the_run(store: Store) -> None:
    broken = Metric(
        name="broken", title="", unit="", higher_is_better=True, function=lambda seen: 1 / 0
    )
    with pytest.raises(BrokenPluginError, match=r"metric 'broken' .* cannot score run .*division"):
        rescore(store.root, load_cells(store.root), broken, "mean")


def test_a_score_of_the_head_is_that_of_its_record_or_none(tmp_path: Path) -> None:
    """Predictions cannot tell it, so a head that was not measured has none."""
    store = Store(tmp_path)
    pmf = Predictions(samples=SAMPLES, ranks=RANKS, posterior=POSTERIOR)
    measured = {"median": {"mae": 1.0}, "head": {"violations": 0.25, "ordinality@2": 0.5}}
    store.write(done(0, task=TASK, label="measured", metrics=measured), pmf)
    store.write(done(1, task=TASK, label="another"), pmf)
    for name, score in {"violations": 0.25, "ordinality@2": 0.5}.items():
        asked = ask(name)
        cells = rescore(tmp_path, load_cells(tmp_path, asked.columns_needed()), asked.metric, "")
        answers = {cell.first.label: asked.answer(cell) for cell in cells}
        assert answers == {"measured": ("head", [score]), "another": ("", ())}
        assert outcome(cells)["another"] == "not measured of this head"
        seen = Evaluation(ranks=RANKS, rank_values=(0, 10, 30), estimates=np.zeros(2))
        with pytest.raises(ValueError, match="of the head when it is tested"):
            asked.metric.function(seen)
