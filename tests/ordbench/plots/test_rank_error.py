import numpy as np
import pytest

from ordbench.errors import SpecError
from ordbench.plots.rank_error import plot_rank_error
from tests.ordbench.plots.conftest import Heads


def test_lines_are_means_over_the_images_of_a_rank_and_bars_count_them(head: Heads) -> None:
    coral, coop = head("coral"), head("coop")
    upper, middle, lower = plot_rank_error([coral, coop])
    ranks = coral.runs[0].ranks
    values = np.array(coral.runs[0].rank_values, float)
    errors = np.mean([run.estimates - values[ranks] for run in coral.runs], axis=0)
    absolute = np.mean([np.abs(run.estimates - values[ranks]) for run in coral.runs], axis=0)
    for axes, scores in ((upper, absolute), (middle, errors)):
        (line,) = [line for line in axes.lines if line.get_label() == "coral"]
        assert np.asarray(line.get_xdata()).tolist() == values.tolist()
        expected = [scores[ranks == rank].mean() for rank in range(5)]
        assert np.asarray(line.get_ydata(), float) == pytest.approx(expected)
    heights = [bar.get_height() for bar in lower.patches]  # type: ignore[attr-defined]
    assert heights == [int((ranks == rank).sum()) for rank in range(5)]
    assert (upper.get_ylabel(), lower.get_xlabel()) == ("MAE (years)", "truth (years)")


def test_ranks_are_grouped(head: Heads) -> None:
    _, _, lower = plot_rank_error([head()], groups=2)
    assert len(lower.patches) == 2


def test_more_heads_than_can_be_told_apart_are_refused(head: Heads) -> None:
    with pytest.raises(SpecError, match="shows 8 heads at most, and there are 9"):
        plot_rank_error([head(f"h{number}") for number in range(9)])
