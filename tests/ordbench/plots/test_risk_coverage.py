import numpy as np
import pytest

from ordbench.plots.risk_coverage import FIRST, plot_risk_coverage
from tests.ordbench.plots.conftest import Heads


def test_the_line_is_the_mean_of_the_runs_and_ends_at_the_mae(head: Heads) -> None:
    coral = head()
    axes = plot_risk_coverage([coral])
    (line,) = axes.lines
    curves: list[list[float]] = []
    for run in coral.runs:
        values = np.array(run.rank_values, float)
        expected = [
            sum(p * abs(value - estimate) for p, value in zip(row, values, strict=True))
            for row, estimate in zip(run.probs, run.estimates, strict=True)
        ]
        errors = np.abs(run.estimates - values[run.ranks])
        surest = sorted(range(40), key=lambda image: expected[image])
        curves.append([errors[surest[: most + 1]].mean() for most in range(40)])
    shown = (np.arange(40) + 1) / 40 >= FIRST
    got = np.asarray(line.get_ydata(), float)
    assert got == pytest.approx(np.mean(curves, axis=0)[shown])
    assert got[-1] == pytest.approx(np.mean([run.errors.mean() for run in coral.runs]))
