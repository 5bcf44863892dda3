from collections.abc import Callable

import pytest

from ordbench.errors import SpecError, UnknownPluginError
from ordbench.leaderboard.query import ask, select, select_skipped
from ordbench.results.rows import RunRow, group_by_cell

FlatRun = Callable[..., RunRow]


def test_a_score_is_that_of_the_decoding_and_no_other(flat_run: FlatRun) -> None:
    (cell,) = group_by_cell([flat_run(metrics={"mae_argmax": 1.0, "mae_median": 2.0})])
    assert ask("mae", "median", "shots", pool_folds=False).answer(cell) == ("median", [2.0])
    assert ask("mae", "mean", "shots", pool_folds=False).answer(cell) == ("", ())


def test_a_head_without_a_posterior_answers_with_its_estimate(flat_run: FlatRun) -> None:
    (cell,) = group_by_cell([flat_run(metrics={"mae_point": 3.0})])
    assert ask("mae", "mean", "shots", pool_folds=False).answer(cell) == ("point", [3.0])
    assert ask("nll", "mean", "shots", pool_folds=False).answer(cell) == ("", ())


def test_a_score_of_the_posterior_needs_no_decoding(flat_run: FlatRun) -> None:
    (cell,) = group_by_cell([flat_run(metrics={"nll_posterior": 0.0})])
    assert ask("nll", "mean", "shots", pool_folds=False).answer(cell) == ("posterior", [0.0])


@pytest.mark.parametrize(
    ("metric", "decode", "words"),
    [
        ("acuracy", "median", "unknown metric 'acuracy'; did you mean accuracy"),
        ("mae", "medain", "unknown decode 'medain'; did you mean median"),
        ("zzz", "median", "unknown metric 'zzz'; available: accuracy, ace, .* more .*ls metrics"),
        ("mae", "point", "unknown decode 'point'; available: argmax, mean, median"),
    ],
)
def test_an_unknown_score_is_refused_with_near_names(metric: str, decode: str, words: str) -> None:
    with pytest.raises(UnknownPluginError, match=words):
        ask(metric, decode, "shots", pool_folds=False)


def test_what_is_selected_matches_every_filter(flat_run: FlatRun) -> None:
    runs = [
        flat_run("coral", shots=1),
        flat_run("coral", shots=None),
        flat_run("coral", shots=1, dataset="morph"),
        flat_run("linear", shots=1, backbone="timm:resnet50"),
        flat_run("coop", label='coop:context="x,y"', shots=2),
    ]
    runs = group_by_cell(runs)
    assert select(runs) == runs
    assert select(runs, head=["coral"]) == runs[:3]
    assert select(runs, head=["coral"], dataset=["fgnet"]) == runs[:2]
    assert select(runs, head=['coop:context="x,y"', "linear"]) == runs[3:]
    assert select(runs, head=['linear,coop:context="x,y"']) == runs[3:]
    assert select(runs, backbone=["timm:resnet50"]) == runs[3:4]
    assert select(runs, shots=["all"]) == runs[1:2]
    assert select(runs, shots=["all,2"]) == [runs[1], runs[4]]
    assert select(runs, head=["linear"], shots=["2"]) == []
    assert select(runs, fold=["0"]) == runs
    assert select(runs, head=["-coral"]) == runs[3:]
    assert select(runs, head=['-coral,-coop:context="x,y"'], shots=["2"]) == []
    assert select(runs, head=["coral"], shots=["-all"]) == [runs[0], runs[2]]
    with pytest.raises(SpecError, match="no head 'corall' among the records; did you mean coral"):
        select(runs, head=["-corall"])


def test_protocols_are_selected_by_name_or_with_their_options(flat_run: FlatRun) -> None:
    protocols = ("standard", "kfold:folds=5", "kfold:folds=10")
    runs = group_by_cell([flat_run(protocol=protocol) for protocol in protocols])
    assert select(runs, protocol=["kfold"]) == runs[1:]
    assert select(runs, protocol=["kfold:folds=10"]) == runs[2:]
    assert select(runs, protocol=["-kfold"]) == runs[:1]


def test_a_dataset_is_selected_by_its_name_or_by_its_file_as_well(flat_run: FlatRun) -> None:
    runs = group_by_cell(
        flat_run(dataset="csv", dataset_argument=name, image_hash=name)
        for name in ("ages.csv", "more.csv")
    )
    assert select(runs, dataset=["csv"]) == runs
    assert select(runs, dataset=["csv:more.csv"]) == runs[1:]
    with pytest.raises(
        SpecError, match=r"no dataset 'csv:x.csv' .*; did you mean csv:more.csv or csv"
    ):
        select(runs, dataset=["csv:x.csv"])


def test_a_filter_that_no_run_matches_is_refused_with_near_names(flat_run: FlatRun) -> None:
    runs = group_by_cell([flat_run()])
    with pytest.raises(SpecError, match="no head 'corall' among the records; did you mean coral"):
        select(runs, head=["corall"])
    with pytest.raises(SpecError, match="no dataset 'FGNET' among the records; did you mean fgnet"):
        select(runs, dataset=["FGNET"])
    with pytest.raises(SpecError, match="no backbone 'x' among the records; available: clip:tiny"):
        select(runs, backbone=["x"])
    with pytest.raises(SpecError, match="no shots '3' among the records; available: all"):
        select(runs, shots=["3"])


def test_skipped_cells_are_selected_as_runs_are_and_refuse_nothing(flat_run: FlatRun) -> None:
    skipped = [
        flat_run("linear", dataset="morph", status="skipped"),
        flat_run("coral", dataset="morph", status="skipped"),
        flat_run("linear", dataset="adience", status="skipped"),
    ]
    assert select_skipped(skipped) == skipped
    assert select_skipped(skipped, head=["linear"], dataset=["morph,fgnet"]) == skipped[:1]
    assert select_skipped(skipped, head=["-linear"]) == skipped[1:2]
    assert select_skipped(skipped, head=["nobody"]) == []
