from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from scipy import stats

from ordbench.errors import SpecError
from ordbench.leaderboard.table import Table
from ordbench.plots.critical_difference import level_bars, plot_critical_difference
from ordbench.results.rows import RunRow
from tests.ordbench.conftest import build

FlatRun = Callable[..., RunRow]


def table(flat_run: FlatRun, errors: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Table:
    """A column a dataset, a row a head, of errors ``(N, k)``."""
    runs = [
        flat_run(f"h{head}", error, shots=1, dataset=f"d{at}", title=f"D{at}", image_hash=f"i{at}")
        for at, row in enumerate(errors)
        for head, error in enumerate(row)
    ]
    (found,) = build(runs, columns="dataset")
    return found


def spans(axes: Axes, label: str) -> list[tuple[float, float]]:
    drawn = [np.asarray(line.get_xdata()) for line in axes.lines if line.get_label() == label]
    return [(float(xs[0]), float(xs[-1])) for xs in drawn]


def test_ranks_and_bar_are_those_of_the_statistics(flat_run: FlatRun) -> None:
    generator = np.random.default_rng(0)
    errors = np.round(generator.normal(np.arange(5), 0.8, (7, 5)) + 10, 2)
    axes = plot_critical_difference(table(flat_run, errors))
    mean_ranks = stats.rankdata(errors, axis=1).mean(0)
    for head, rank in enumerate(mean_ranks):
        (line,) = [line for line in axes.lines if line.get_label() == f"h{head}"]
        assert np.asarray(line.get_xdata())[0] == pytest.approx(rank)
    # Demšar (2006), table 5: q of five classifiers at 0.05 is 2.728.
    (bar,) = spans(axes, "CD")
    assert bar[1] - bar[0] == pytest.approx(2.728 * np.sqrt(5 * 6 / (6 * 7)), abs=2e-3)
    p_value = stats.friedmanchisquare(*errors.T).pvalue
    assert any(text.get_text().endswith(f"Friedman p = {p_value:.2g}") for text in axes.texts)


def test_one_bar_joins_all_where_friedman_finds_no_difference(flat_run: FlatRun) -> None:
    errors = np.tile([[1.0, 2, 3], [2, 3, 1], [3, 1, 2]], (3, 1))
    axes = plot_critical_difference(table(flat_run, errors))
    assert spans(axes, "level") == []  # all have the same mean rank, so there is nothing to join
    errors[0] = [1.0, 3, 2]
    (bar,) = spans(plot_critical_difference(table(flat_run, errors)), "level")
    mean_ranks = stats.rankdata(errors, axis=1).mean(0)
    assert bar == pytest.approx((mean_ranks.min() - 0.04, mean_ranks.max() + 0.04))


def test_bars_join_exactly_the_pairs_that_are_level() -> None:
    generator = np.random.default_rng(0)
    for _ in range(50):
        ranks = np.sort(generator.uniform(1, 6, 6)).tolist()
        bars = level_bars(ranks, 1.3)
        for one in ranks:
            for other in ranks:
                joined = any(
                    low <= min(one, other) and max(one, other) <= high for low, high in bars
                )
                assert joined == (abs(one - other) < 1.3) or one == other


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 4), "needs 6 datasets or more, there are 5"),
        ((6, 2), "2 heads have a score on all 6 datasets; three or more are needed"),
    ],
)
def test_too_few_are_refused(shape: tuple[int, int], message: str, flat_run: FlatRun) -> None:
    errors = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    with pytest.raises(SpecError, match=message):
        plot_critical_difference(table(flat_run, errors))
