from collections.abc import Callable
from math import log2
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from ordbench.errors import SpecError
from ordbench.leaderboard.table import Table
from ordbench.plots.shots_curve import SHOWN, Curve, in_view, plot_curves, published_curves
from ordbench.plots.style import FAINT
from ordbench.report.reproduction import find_plan
from ordbench.results.rows import RunRow
from tests.ordbench.conftest import build

FlatRun = Callable[..., RunRow]
Lines = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]


def lines(axes: Axes) -> Lines:
    """Horizontal and vertical places of the named lines."""
    return {
        str(line.get_label()): (
            np.asarray(line.get_xdata(), float),
            np.asarray(line.get_ydata(), float),
        )
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }


def texts(axes: Axes) -> set[str]:
    return {text.get_text() for text in axes.texts}


@pytest.fixture
def tables(flat_run: FlatRun) -> list[Table]:
    """Two heads with three seeds each, by shots; ordinalclip lacks one cell."""
    maes = {("coral", 1): 6.0, ("coral", 4): 5.0, ("coral", None): 4.0}
    maes |= {("ordinalclip", 1): 5.5, ("ordinalclip", None): 4.5}
    runs = [
        flat_run(head, mae + (seed - 1) / 8, shots=shots, seed=seed, baseline={"mae": 5.25})
        for (head, shots), mae in maes.items()
        for seed in range(3)
    ]
    return build(runs, interval=True)


def test_lines_are_the_cells_of_the_table_in_order_of_shots(tables: list[Table]) -> None:
    (axes,) = plot_curves(tables)
    drawn = lines(axes)
    assert drawn.keys() == {"coral", "ordinalclip"}
    for row in tables[0].rows:
        xs, ys = drawn[row.label]
        assert ys.tolist() == [cell.mean for cell in row.cells if cell]
        assert np.all(np.diff(xs) > 0)
    assert [round(x) for x in drawn["coral"][0]] == [log2(1), log2(4), 3]  # all: one doubling on
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "4", "all"]
    assert (axes.get_ylabel(), axes.get_title("left")) == ("MAE (years)", "FG-NET (fgnet)")
    assert {"coral", "ordinalclip", "train median"} <= texts(axes)


def test_bars_are_the_t_intervals_over_seeds(tables: list[Table]) -> None:
    (axes,) = plot_curves(tables)
    bars = [one for one in axes.collections if isinstance(one, LineCollection)]
    got = [[path[:, 1].tolist() for path in bar.get_segments()] for bar in bars]
    # t of 2 degrees of freedom, 4.303, times a deviation of 1/8 over the root of 3
    half = 4.302652729911275 / 8 / np.sqrt(3)
    cells = [[cell for cell in row.cells if cell] for row in tables[0].rows]
    expected = [[[cell.mean - half, cell.mean + half] for cell in row] for row in cells]
    assert [np.array(one) for one in got] == [pytest.approx(np.array(one)) for one in expected]


def test_a_much_worse_head_is_named_and_not_drawn(flat_run: FlatRun) -> None:
    runs = [
        flat_run(head, mae - shots / 2, shots=shots)
        for head, mae in {"coral": 6.0, "linear": 5.5, "coop": 5.0, "zeroshot": 15.0}.items()
        for shots in (1, 2)
    ]
    (axes,) = plot_curves(build(runs))
    assert lines(axes).keys() == {"coral", "linear", "coop"}
    assert "↑ off the scale: zeroshot 14.00" in texts(axes)


def test_a_head_within_the_intervals_of_others_is_drawn() -> None:
    def curve(label: str, mean: float, spread: float) -> Curve:
        return Curve(label, [1, 4], [mean] * 2, [mean - spread] * 2, [mean + spread] * 2)

    best, near, far = curve("best", 1.0, 0.5), curve("near", 1.4, 0.0), curve("far", 1.6, 0.0)
    assert in_view([best, near], better_low=True) == ([best, near], [])
    assert in_view([best, far], better_low=True) == ([best], [far])
    higher = [curve(name, -mean, 0.5) for name, mean in (("best", 1.0), ("near", 1.4))]
    assert in_view(higher, better_low=False) == (higher, [])


def test_of_many_heads_the_first_have_a_color_unless_others_are_named(flat_run: FlatRun) -> None:
    heads = [f"h{number}" for number in range(12)]
    runs = [
        flat_run(head, 5 + index / 10 - shots / 20, shots=shots)
        for index, head in enumerate(heads)
        for shots in (1, 2)
    ]
    tables = build(runs)
    (axes,) = plot_curves(tables)
    assert [*lines(axes)] == heads[: SHOWN - 2]
    assert sum(line.get_color() == FAINT for line in axes.lines) == 12 - (SHOWN - 2)
    (axes,) = plot_curves(tables, emphasise=["h7", "h11"])
    assert lines(axes).keys() == {"h7", "h11"}
    with pytest.raises(SpecError, match="no head 'h12' in the leaderboard"):
        plot_curves(tables, emphasise=["h12"])


def test_a_head_looks_the_same_in_every_panel(flat_run: FlatRun) -> None:
    runs = [
        flat_run(head, 5.0 + shots, shots=shots, fold=fold)
        for fold, head in ((0, "coop"), (0, "linear"), (1, "linear"), (1, "sord"))
        for shots in (1, 2)
    ]
    panels = plot_curves(build(runs))
    assert [axes.get_title("left") for axes in panels] == [
        "FG-NET (fgnet), fold 0",
        "FG-NET (fgnet), fold 1",
    ]
    colors = [{line.get_label(): line.get_color() for line in axes.lines} for axes in panels]
    assert colors[0]["linear"] == colors[1]["linear"] != colors[0]["coop"]


def test_published_curves_of_the_dataset_are_behind(flat_run: FlatRun) -> None:
    runs = [
        flat_run("coral", mae, shots=shots, dataset="morph", title="MORPH II")
        for shots, mae in ((1, 5.0), (16, 3.2))
    ]
    (axes,) = plot_curves(build(runs))
    row = find_plan("ordinalclip-few-shot").rows[-1]
    assert row.published == "OrdinalCLIP"
    drawn = [list(np.asarray(line.get_ydata())) for line in axes.lines]
    assert [*row.mae.values()] in drawn
    assert "OrdinalCLIP (Li et al.)" in texts(axes)


@pytest.mark.parametrize(
    "setting", [{"protocol": "label-noise:share=0.4"}, {"other": {"test_dataset": "utkface"}}]
)
def test_nothing_is_published_of_other_protocols_and_test_datasets(
    flat_run: FlatRun, setting: dict[str, Any]
) -> None:
    runs = [
        flat_run("coral", 5.0, shots=shots, dataset="morph", title="MORPH II", **setting)
        for shots in (1, 16)
    ]
    (table,) = build(runs)
    assert published_curves(table) == []


def test_one_number_of_shots_is_no_curve(flat_run: FlatRun) -> None:
    with pytest.raises(SpecError, match="needs two numbers of shots or more, FG-NET"):
        plot_curves(build([flat_run("coral", 5.0, shots=4)]))
