import math
from collections.abc import Callable
from functools import partial

import pytest

from ordbench.errors import SpecError, StoreError, UnknownPluginError
from ordbench.leaderboard import build as leaderboard
from ordbench.leaderboard.formats import render
from ordbench.leaderboard.query import ask
from ordbench.leaderboard.ranking import Score
from ordbench.leaderboard.table import Table
from ordbench.results.rows import RunRow, group_by_cell
from ordbench.statistics.intervals import t_interval
from tests.ordbench.conftest import build, said

FlatRun = Callable[..., RunRow]


def means(table: Table) -> dict[str, list[float | None]]:
    return {row.label: [cell and cell.mean for cell in row.cells] for row in table.rows}


def test_a_cell_is_the_mean_over_its_seeds_alone(flat_run: FlatRun) -> None:
    runs = [
        flat_run("coral", mae, seed=seed, shots=shots)
        for shots, scores in {1: [4.0, 8.0], 2: [1.0, 2.0]}.items()
        for seed, mae in enumerate(scores)
    ]
    (table,) = build(runs)
    (row,) = table.rows
    assert row.cells == (
        Score(6.0, pytest.approx(math.sqrt(8)), 2),  # type: ignore[arg-type]
        Score(1.5, pytest.approx(math.sqrt(0.5)), 2),  # type: ignore[arg-type]
    )
    assert table.runs == 2


def test_columns_rise_with_the_shots_and_end_with_all(flat_run: FlatRun) -> None:
    (table,) = build([flat_run(mae=1.0, shots=shots) for shots in (None, 16, 1, 2)])
    assert table.columns == ("1-shot", "2-shot", "16-shot", "all")


def test_a_missing_cell_stays_missing(flat_run: FlatRun) -> None:
    runs = [flat_run("coral", 1.0, shots=1), flat_run("linear", 2.0, shots=2)]
    (table,) = build(runs)
    assert means(table) == {"coral": [1.0, None], "linear": [None, 2.0]}
    assert "\N{EN DASH} no run with this score" in said(table.notes)


def test_runs_that_differ_in_more_than_seeds_are_never_averaged(flat_run: FlatRun) -> None:
    runs = [
        flat_run(mae=1.0),
        flat_run(mae=2.0, fold=1),
        flat_run(mae=3.0, backbone="timm:resnet50"),
        flat_run(mae=4.0, image_hash="i1"),
        flat_run(mae=5.0, recipe={"epochs": 5}),
        flat_run(mae=6.0, head_hash="new", seed=1),
    ]
    found = [cell for table in build(runs) for row in table.rows for cell in row.cells]
    assert sorted(cell.mean for cell in found if cell) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_tables_of_one_answer_say_in_what_they_differ(flat_run: FlatRun) -> None:
    runs = [flat_run(mae=1.0), flat_run(mae=2.0, fold=1), flat_run(mae=3.0, normalize=True)]
    facts = [(table.facts["fold"], table.facts["unit length"]) for table in build(runs)]
    assert facts == [("0", "no"), ("1", "no"), ("0", "yes")]


def test_folds_are_pooled_on_request_and_the_caption_says_which(flat_run: FlatRun) -> None:
    runs = [flat_run(mae=float(fold), fold=fold, seed=seed) for fold in (0, 1) for seed in (0, 1)]
    (table,) = build(runs, pool_folds=True)
    assert means(table) == {"coral": [0.5]}
    assert "over 4 runs" in table.caption
    assert table.caption.endswith("folds 0, 1")


def test_pooled_folds_say_of_how_many_where_the_protocol_does(flat_run: FlatRun) -> None:
    runs = [flat_run(mae=1.0, fold=fold, protocol="kfold:folds=10") for fold in (0, 3)]
    (table,) = build(runs, pool_folds=True)
    assert table.facts["folds"] == "0, 3 (2 of 10)"
    gone = [flat_run(mae=1.0, protocol="elsewhere")]
    assert build(gone, pool_folds=True)[0].facts["folds"] == "0"


def test_the_paper_protocol_is_shown_apart_and_never_ranked(flat_run: FlatRun) -> None:
    runs = [
        flat_run("linear", 2.0),
        flat_run("coral", 3.0),
        *(flat_run(h, m, protocol="paper", ranked=False) for h, m in (("x", 9.0), ("a", 9.5))),
    ]
    standard, paper = build(runs)
    assert [(row.label, row.cells[0] and row.cells[0].mark) for row in standard.rows] == [
        ("linear", "best"),
        ("coral", "second"),
    ]
    assert [(row.label, row.cells[0] and row.cells[0].mark) for row in paper.rows] == [
        ("a", ""),
        ("x", ""),
    ]
    assert "protocol paper; fold 0; selected on the test images, so not ranked" in paper.caption
    assert "not ranked" not in standard.caption


def test_the_median_of_train_is_below_and_counts_each_pair_of_seeds_once(
    flat_run: FlatRun,
) -> None:
    runs = [
        flat_run(head, 9.0, data_seed=0, train_seed=seed, baseline={"mae": float(seed)})
        for head in ("coral", "linear")
        for seed in (1, 2)
    ]
    (table,) = build(runs)
    assert table.reference is not None
    assert table.reference.label == "train median"
    assert table.reference.cells == (Score(1.5, pytest.approx(math.sqrt(0.5)), 2),)  # type: ignore[arg-type]
    assert "train median" not in means(table)


def test_a_score_without_a_baseline_has_no_reference(flat_run: FlatRun) -> None:
    runs = [flat_run(metrics={"nll_posterior": 1.0}, baseline={"mae": 1.0})]
    assert build(runs, metric="nll")[0].reference is None


def test_a_point_head_has_its_estimate_and_no_probabilistic_score(flat_run: FlatRun) -> None:
    runs = [
        flat_run("regression", metrics={"mae_point": 3.0}),
        flat_run("linear", metrics={"mae_median": 2.0, "nll_posterior": 1.0}),
    ]
    (points,) = build(runs, decode="median")
    assert means(points) == {"linear": [2.0], "regression": [3.0]}
    assert "point estimate only: regression" in said(points.notes)
    (likelihoods,) = build(runs, metric="nll")
    assert means(likelihoods) == {"linear": [1.0], "regression": [None]}


@pytest.mark.parametrize(
    ("metric", "scores", "words"),
    [
        ("mae", {"mae_mean": 1.0}, "MAE [years], lower is better; decoded by mean; one seed; "),
        ("mae", {"mae_point": 1.0}, "MAE [years], lower is better; point estimates; one seed; "),
        ("nll", {"nll_posterior": 1.0}, "NLL [nats per image], lower is better; one seed; "),
        ("cs@5", {"cs@5_mean": 1.0}, "CS@5 [share within 5 years], higher is better; decoded by "),
    ],
)
def test_a_caption_states_metric_unit_direction_and_decoding(
    flat_run: FlatRun, metric: str, scores: dict[str, float], words: str
) -> None:
    (table,) = build([flat_run(metrics=scores)], metric=metric, decode="mean")
    assert table.caption.startswith(words)
    assert table.caption.endswith(
        "dataset FG-NET (fgnet); backbone clip:tiny; layer post; dtype float32; "
        "protocol standard; fold 0"
    )


def test_datasets_can_stand_in_the_columns_each_with_its_unit(flat_run: FlatRun) -> None:
    runs = [
        flat_run("coral", 5.0, shots=1),
        flat_run("coral", 0.5, shots=1, dataset="hci", title="HCI", unit="decades"),
        flat_run("coral", 4.0, shots=2),
        flat_run("coral", 3.0, shots=16),
    ]
    one, two, sixteen = build(runs, columns="dataset")
    assert one.columns == ("fgnet [years]", "hci [decades]")
    assert one.unit == "decades or years"
    assert means(one) == {"coral": [5.0, 0.5]}
    assert [t.facts["shots"] for t in (one, two, sixteen)] == ["1-shot", "2-shot", "16-shot"]
    assert two.columns == ("fgnet",)
    assert "dataset" not in two.facts


def test_backbones_can_stand_in_the_columns_with_their_own_text_towers(flat_run: FlatRun) -> None:
    runs = [
        flat_run("coop", 5.0, shots=1, text_hash="t0"),
        flat_run("coop", 4.0, shots=1, text_hash="t1", backbone="clip:RN50", backbone_hash="b1"),
        flat_run("coop", 3.0, shots=2, text_hash="t0"),
        flat_run("coop", 2.0, shots=1, text_hash="t2", text="clip:other"),
    ]
    none: dict[str, object] = {"status": "skipped", "image_hash": "", "head_hash": ""}
    skipped = flat_run("linear", shots=1, backbone="clip:RN50", error="no weights", **none)
    cells = group_by_cell(runs)
    one, two = leaderboard.build(cells, ask(columns="backbone"), [skipped])
    assert one.columns == ("clip:RN50", "clip:tiny")
    assert means(one) == {
        "coop (text encoder=own)": [4.0, 5.0],
        "coop (text encoder=clip:other)": [None, 2.0],
        "linear": [None, None],
    }
    assert "skipped: linear clip:RN50 (no weights)" in said(one.notes)
    assert (one.facts["shots"], two.facts["shots"]) == ("1-shot", "2-shot")
    assert one.facts["dataset"] == "FG-NET (fgnet)"
    assert "backbone" not in one.facts


def test_a_run_that_was_done_again_counts_once_and_is_mentioned(flat_run: FlatRun) -> None:
    runs = [
        flat_run(mae=1.0, created="2026-11-21T00:00:00+00:00", head_hash="old"),
        flat_run(mae=2.0, created="2026-11-22T00:00:00+00:00", head_hash="new"),
    ]
    (table,) = build(runs)
    assert means(table) == {"coral": [2.0]}
    assert said(table.notes) == ("1 run superseded and not shown",)


def test_a_failure_is_mentioned_below_the_table_it_is_missing_from(flat_run: FlatRun) -> None:
    runs = [
        flat_run(mae=1.0),
        flat_run(mae=1.0, backbone="timm:resnet50"),
        flat_run(seed=1, backbone="timm:resnet50", status="failed", error="x"),
    ]
    notes = {table.facts["backbone"]: said(table.notes) for table in build(runs)}
    assert notes == {"clip:tiny": (), "timm:resnet50": ("1 run failed and not shown: coral 1",)}


def test_datasets_of_a_users_own_are_told_apart_by_their_files(flat_run: FlatRun) -> None:
    mine = partial(flat_run, dataset="csv", title="A CSV file")
    runs = [
        mine(dataset_argument="ages.csv", mae=1.0),
        mine(dataset_argument="more.csv", mae=2.0, image_hash="i1"),
        mine(dataset_argument="more.csv", seed=1, image_hash="i1", status="failed", error="x"),
    ]
    tables = build(runs)
    assert [(table.facts["dataset"], said(table.notes)) for table in tables] == [
        ("A CSV file (csv:ages.csv)", ()),
        ("A CSV file (csv:more.csv)", ("1 run failed and not shown: coral 1",)),
    ]
    assert all("image hash" not in table.facts for table in tables)
    (table,) = build(runs, columns="dataset")
    assert table.columns == ("csv:ages.csv", "csv:more.csv")


def test_a_file_that_was_renamed_is_one_dataset_under_its_last_name(flat_run: FlatRun) -> None:
    mine = partial(flat_run, dataset="csv", title="A CSV file")
    runs = [
        mine(dataset_argument="new.csv", mae=1.0, created="2026-11-23T00:00:00+00:00"),
        mine(dataset_argument="old.csv", mae=3.0, seed=1),
    ]
    (table,) = build(runs)
    assert table.facts["dataset"] == "A CSV file (csv:new.csv)"
    assert means(table) == {"coral": [2.0]}


def test_a_failure_stands_below_the_table_of_its_shots(flat_run: FlatRun) -> None:
    runs = [
        *(flat_run(mae=1.0, shots=shots) for shots in (1, 2)),
        flat_run(seed=1, shots=2, status="failed", error="x"),
        flat_run(mae=2.0, shots=1, created="2026-11-21T00:00:00+00:00", head_hash="old"),
    ]
    notes = {table.facts["shots"]: said(table.notes) for table in build(runs, columns="dataset")}
    assert notes == {
        "1-shot": ("1 run superseded and not shown",),
        "2-shot": ("1 run failed and not shown: coral 1",),
    }
    (table,) = build(runs)
    assert said(table.notes) == (*notes["2-shot"], *notes["1-shot"])


def test_an_undefined_score_is_not_averaged_and_the_count_tells(flat_run: FlatRun) -> None:
    runs = [flat_run(mae=mae, seed=seed) for seed, mae in enumerate([1.0, math.nan])]
    runs += [flat_run("linear", 2.0, seed=seed) for seed in (0, 1)]
    (table,) = build(runs)
    assert [row.cells[0] and row.cells[0].runs for row in table.rows] == [1, 2]
    assert table.runs is None
    assert "1 run with an undefined score not shown" in said(table.notes)


def test_an_unknown_metric_is_refused(flat_run: FlatRun) -> None:
    with pytest.raises(UnknownPluginError, match="unknown metric 'maee'; did you mean mae"):
        build([flat_run(mae=1.0)], metric="maee")


def test_nothing_to_show_says_why_and_what_to_do(flat_run: FlatRun) -> None:
    with pytest.raises(StoreError, match="there are no runs to show; `ordbench run` makes some"):
        build([])
    failed = flat_run(status="failed", error="out of memory")
    with pytest.raises(StoreError, match="1 run failed, the first with: out of memory; `ordbench"):
        build([failed])
    with pytest.raises(
        StoreError, match="no run has a score for nll: none was recorded; take another"
    ):
        build([flat_run(mae=1.0), failed], metric="nll")


def test_the_answer_does_not_depend_on_the_order_of_the_records(flat_run: FlatRun) -> None:
    runs = [
        flat_run(head, seed + shots / 7, seed=seed, shots=shots, fold=fold, baseline={"mae": seed})
        for head in ("linear", "coral", "coop")
        for shots in (1, 2)
        for seed in (0, 1, 2)
        for fold in (0, 1)
    ]
    assert build(runs) == build(runs[::-1])


def test_a_skipped_cell_shows_its_reason_where_it_is_empty(flat_run: FlatRun) -> None:
    runs = [flat_run("coral", 1.0, shots=1), flat_run("linear", 2.0, shots=2)]
    none: dict[str, object] = {"status": "skipped", "image_hash": "", "head_hash": ""}
    skipped = [
        flat_run("coral", shots=2, error="too few images", **none),
        flat_run("gone", shots=1, error="not installed", **none),
        flat_run("coral", shots=4, error="no run has so many", **none),
        flat_run("coral", shots=1, error="done since", **none),
        flat_run("coral", shots=1, error="another dataset", dataset="morph", **none),
    ]
    (table,) = leaderboard.build(group_by_cell(runs), ask(), skipped)
    assert {row.label: dict(row.skipped) for row in table.rows} == {
        "coral": {1: "too few images", 2: "no run has so many"},
        "linear": {},
        "gone": {0: "not installed"},
    }
    assert set(said(table.notes)) >= {
        "skipped: coral 2-shot (too few images)",
        "skipped: gone 1-shot (not installed)",
    }
    (markdown,) = [line for line in render([table], "markdown").splitlines() if "`coral`" in line]
    assert markdown == "| `coral` | 1.00 | skipped | skipped |"


def test_a_dataset_that_was_skipped_for_one_head_has_its_reason(flat_run: FlatRun) -> None:
    runs = [
        flat_run("coral", 1.0),
        flat_run("coral", 1.0, dataset="morph"),
        flat_run("linear", 2.0),
    ]
    skipped = [flat_run("linear", dataset="morph", status="skipped", error="no images")]
    (table,) = leaderboard.build(group_by_cell(runs), ask(columns="dataset"), skipped)
    assert "skipped: linear morph (no images)" in said(table.notes)


def test_intervals_stand_in_place_of_deviations_on_request(flat_run: FlatRun) -> None:
    runs = [flat_run("coral", mae, seed=seed) for seed, mae in enumerate([63.4, 15.2, 12.0])]
    runs += [flat_run("linear", 20.0, seed=seed) for seed in range(3)]
    (table,) = build(runs, interval=True)
    assert "; mean and 95 % t interval over 3 seeds;" in table.caption
    markdown = render([table], "markdown")
    assert "| `coral` | <ins>30.20 [-41.33, 101.73]</ins> |" in markdown
    assert "| `linear` | **20.00 [20.00, 20.00]** |" in markdown
    one = build([flat_run(mae=5.0)], interval=True)
    assert "| `coral` | 5.00 |" in render(one, "markdown")
    with pytest.raises(SpecError, match="--interval and --pool-folds exclude each other"):
        build(runs, interval=True, pool_folds=True)


def test_an_interval_is_over_samples_where_each_was_trained_on_several_times(
    flat_run: FlatRun,
) -> None:
    scores = {(0, 0): 1.0, (0, 1): 3.0, (1, 0): 5.0, (1, 1): 9.0}
    runs = [
        flat_run(mae=mae, shots=4, data_seed=data, train_seed=train)
        for (data, train), mae in scores.items()
    ]
    ((cell,),) = [row.cells for row in build(runs, interval=True)[0].rows]
    assert cell
    assert cell.interval == t_interval([2.0, 7.0])
    (table,) = build(runs[:3], interval=True)
    assert "no interval where few-shot samples were trained with" in " ".join(said(table.notes))
