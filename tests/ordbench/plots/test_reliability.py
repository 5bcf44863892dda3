import numpy as np
import pytest

from ordbench.errors import SpecError
from ordbench.metrics.calibration import ece
from ordbench.plots.reliability import FEWEST, plot_reliability
from tests.ordbench.plots.conftest import Heads


def test_points_are_bins_with_enough_images_and_the_legend_has_the_mean_ece(head: Heads) -> None:
    coral = head(runs=3)
    upper, lower = plot_reliability([coral, head("regression", probs=False)])
    _diagonal, line = upper.lines
    confidence = np.concatenate([run.probs.max(1) for run in coral.runs])
    right = np.concatenate([run.probs.argmax(1) == run.ranks for run in coral.runs])
    bins = [(confidence > low / 15) & (confidence <= (low + 1) / 15) for low in range(15)]
    shown = [inside for inside in bins if inside.sum() >= FEWEST]
    assert 1 < len(shown) < sum(inside.any() for inside in bins)
    assert np.asarray(line.get_xdata(), float) == pytest.approx(
        [confidence[inside].mean() for inside in shown]
    )
    assert np.asarray(line.get_ydata(), float) == pytest.approx(
        [right[inside].mean() for inside in shown]
    )
    mean = sum(ece(run) for run in coral.runs) / 3
    assert line.get_label() == f"coral, ECE {mean:.3f}"
    assert np.asarray(lower.lines[0].get_ydata(), float).sum() == pytest.approx(1)


def test_heads_without_a_posterior_alone_are_refused(head: Heads) -> None:
    with pytest.raises(SpecError, match="no posterior: regression estimate a point only"):
        plot_reliability([head("regression", probs=False)])
