import math

import pytest

from ordbench.leaderboard.ranking import Row, Score, aggregate, by_name, digits, ranked
from ordbench.metrics.registry import BUILTIN_METRICS as METRICS
from ordbench.metrics.registry import Metric

MAE, ACCURACY = METRICS["mae"], METRICS["accuracy"]


def row(label: str, *means: float | None) -> Row:
    return Row(label, tuple(None if mean is None else Score(mean, None, 1) for mean in means))


def marks(rows: tuple[Row, ...]) -> dict[str, list[str | None]]:
    return {row.label: [cell and cell.mark for cell in row.cells] for row in rows}


def test_the_spread_is_the_sample_standard_deviation() -> None:
    values = [1.0, 2.0, 6.0]
    by_hand = math.sqrt(sum((value - 3) ** 2 for value in values) / 2)
    cell = aggregate(values)
    assert cell is not None
    assert (cell.mean, cell.std, cell.runs) == (3.0, pytest.approx(by_hand), 3)


def test_one_run_has_no_spread_and_no_run_has_no_cell() -> None:
    assert aggregate([0.0]) == Score(0.0, None, 1)
    assert aggregate([]) is None


def test_what_is_not_finite_is_left_out_and_counted_out() -> None:
    assert aggregate([math.nan, 2.0, math.inf]) == Score(2.0, None, 1)


def test_best_is_least_or_most_as_the_metric_says() -> None:
    rows = [row("a", 0.5), row("b", 0.25), row("c", 0.75)]
    assert marks(ranked(rows, MAE)) == {"b": ["best"], "a": ["second"], "c": [""]}
    assert marks(ranked(rows, ACCURACY)) == {"c": ["best"], "a": ["second"], "b": [""]}


def test_what_looks_the_same_shares_its_mark() -> None:
    rows = [row("a", 5.001), row("b", 4.999), row("c", 5.006), row("d", 5.011), row("e", 6.0)]
    assert digits(MAE) == 2
    assert marks(ranked(rows, MAE)) == {
        "a": ["best"],
        "b": ["best"],
        "c": ["second"],
        "d": ["second"],
        "e": [""],
    }


def test_what_stands_alone_in_its_column_is_not_marked() -> None:
    assert marks(ranked([row("a", 1.0, 1.0), row("b", 2.0, None)], MAE)) == {
        "a": ["best", ""],
        "b": ["second", None],
    }


def test_one_run_is_never_marked_beside_means_of_three() -> None:
    rows = [Row(name, (Score(mean, 0.1, 3),)) for name, mean in (("a", 2.0), ("b", 3.0))]
    got = ranked([*rows, row("lucky", 1.0)], MAE)
    assert marks(got) == {"lucky": [""], "a": ["best"], "b": ["second"]}


@pytest.mark.parametrize(("metric", "constant"), [(MAE, 1.5), (ACCURACY, 1.5)])
def test_what_a_constant_beats_is_not_marked(metric: Metric, constant: float) -> None:
    rows, reference = [row("a", 1.0), row("b", 2.0), row("c", 3.0)], row("constant", constant)
    got = marks(ranked(rows, metric, reference))
    assert got == (
        {"a": ["best"], "b": [""], "c": [""]}
        if metric == MAE
        else {"c": ["best"], "b": ["second"], "a": [""]}
    )


def test_rows_stand_by_their_mean_place_not_by_their_mean() -> None:
    # Places: a 1, 2, 2; b 2, 1, 1; c 3, 3, 3. The mean of b is by far the worst of the first two.
    rows = [row("c", 900.0, 3.0, 3.0), row("a", 1.0, 2.0, 2.0), row("b", 800.0, 1.0, 1.0)]
    assert [r.label for r in ranked(rows, MAE)] == ["b", "a", "c"]


def test_a_row_with_gaps_stands_below_those_without_however_good() -> None:
    rows = [row("easy only", 0.1, None), row("none", None, None), row("full", 9.0, 9.0)]
    assert [r.label for r in ranked(rows, MAE)] == ["full", "easy only", "none"]


def test_rows_of_the_same_place_stand_by_name() -> None:
    assert [r.label for r in ranked([row("b", 1.0), row("a", 1.0)], MAE)] == ["a", "b"]


def test_rows_that_may_not_be_compared_stand_by_name_without_marks() -> None:
    got = by_name([row("b", 1.0), row("a", 2.0)])
    assert marks(got) == {"a": [""], "b": [""]}
    assert [r.label for r in got] == ["a", "b"]
