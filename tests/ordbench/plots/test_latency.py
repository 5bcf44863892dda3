from collections.abc import Callable

import numpy as np
import pytest

from ordbench.errors import SpecError
from ordbench.latency.reading import Timed
from ordbench.plots.latency import plot_latency
from ordbench.results.rows import RunRow
from tests.ordbench.conftest import build

FlatRun = Callable[..., RunRow]
TIMED = Timed("deployed, N=1", {"linear": 1e-5, "coop": 3e-5, "knn": 4e-5, "mlp": 2e-5})


def test_the_front_is_what_no_head_beats_in_time_and_score(flat_run: FlatRun) -> None:
    maes = {"linear": 6.0, "coop": 5.0, "knn": 5.5, "mlp": 6.5, "untimed": 1.0}
    (table,) = build([flat_run(head, mae, shots=4) for head, mae in maes.items()])
    axes = plot_latency(table, TIMED)
    drawn = {
        str(line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axes.lines
    }
    xs, ys = drawn.pop("front")
    assert (xs.tolist(), ys.tolist()) == ([1e-5, 3e-5], [6.0, 5.0])
    assert {name: (x.item(), y.item()) for name, (x, y) in drawn.items()} == {
        name: (TIMED.seconds[name], mae) for name, mae in maes.items() if name != "untimed"
    }
    assert axes.get_xlabel() == "time of a call\ndeployed, N=1"


def test_what_has_no_point_is_refused(flat_run: FlatRun) -> None:
    (table,) = build([flat_run("coral", 5.0, shots=shots) for shots in (1, 2)])
    with pytest.raises(SpecError, match="shows one column, and there are 1-shot, 2-shot"):
        plot_latency(table, TIMED)
    (table,) = build([flat_run("coral", 5.0, shots=1)])
    with pytest.raises(SpecError, match=r"no head has both a score \(coral\) and a latency"):
        plot_latency(table, TIMED)
