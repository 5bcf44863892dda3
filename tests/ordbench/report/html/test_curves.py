"""Where the points of curves stand."""

from itertools import pairwise

from ordbench.report.html.curves import BOTTOM, COLOURS, HEIGHT, TOP, chart
from tests.ordbench.conftest import FlatRun, build


def test_points_stand_where_the_axis_says(flat_run: FlatRun) -> None:
    runs = [
        flat_run(head, value + seed / 10, shots=shots, seed=seed)
        for head, value in (("coral", 8.0), ("linear", 9.0))
        for shots in (1, 4)
        for seed in (0, 1)
    ]
    (table,) = build(runs)
    drawn = chart(table)
    assert drawn
    values = {float(tick.text): tick.at for tick in drawn.y_ticks}
    (low, bottom), (high, top) = min(values.items()), max(values.items())
    assert top < bottom, "large values stand high"
    for curve in drawn.curves:
        row = table.rows[curve.row]
        assert [point.text for point in curve.points] == [
            f"{cell.mean:.2f} ± {cell.std:.2f}" for cell in row.cells if cell and cell.std
        ]
        for point, cell in zip(curve.points, row.cells, strict=True):
            assert cell
            assert cell.std
            share = (cell.mean - low) / (high - low)
            assert abs(bottom + share * (top - bottom) - point.y) < 0.2
            spread = cell.std / (high - low) * (bottom - top)
            assert abs(point.low - point.y - spread) < 0.2
            assert abs(point.y - point.high - spread) < 0.2
    assert [tick.text for tick in drawn.x_ticks] == ["1-shot", "4-shot"]


def test_a_hopeless_head_leaves_the_scale_and_is_named(flat_run: FlatRun) -> None:
    means = {"zeroshot": 90.0, **{f"head{number}": 8 + number / 10 for number in range(9)}}
    runs = [flat_run(head, mean, shots=shots) for head, mean in means.items() for shots in (1, 4)]
    (table,) = build(runs)
    drawn = chart(table)
    assert drawn
    assert drawn.outside == ["zeroshot"]
    named = [curve for curve in drawn.curves if curve.colour]
    assert {curve.label for curve in named} == {f"head{number}" for number in range(COLOURS)}
    heights = sorted(curve.label_y for curve in named if curve.label_y is not None)
    assert all(other - one >= 17 for one, other in pairwise(heights))
    for curve in drawn.curves:
        inside = all(TOP <= point.y <= HEIGHT - BOTTOM for point in curve.points)
        assert inside == (curve.label != "zeroshot")


def test_the_scale_turns_where_higher_is_better(flat_run: FlatRun) -> None:
    scores = {"good": 0.9, "fair": 0.8, "poor": 0.79, "poorer": 0.78, "bad": 0.0}
    runs = [
        flat_run(head, shots=shots, metrics={"accuracy_median": value})
        for head, value in scores.items()
        for shots in (1, 4)
    ]
    (table,) = build(runs, metric="accuracy")
    drawn = chart(table)
    assert drawn
    assert drawn.outside == ["bad"]


def test_a_curve_is_broken_where_a_cell_is_empty(flat_run: FlatRun) -> None:
    runs = [flat_run("coral", 8.0, shots=shots) for shots in (1, 2, 8, 16)]
    runs += [flat_run("linear", 9.0, shots=shots) for shots in (1, 2, 4, 8, 16)]
    (table,) = build(runs)
    drawn = chart(table)
    assert drawn
    paths = {curve.label: curve.path for curve in drawn.curves}
    assert [paths["coral"].count("M"), paths["coral"].count("L")] == [2, 2]
    assert [paths["linear"].count("M"), paths["linear"].count("L")] == [1, 4]


def test_one_column_has_no_curves(flat_run: FlatRun) -> None:
    (table,) = build([flat_run("coral", 8.0), flat_run("linear", 8.0)])
    assert chart(table) is None


def test_equal_numbers_have_a_scale(flat_run: FlatRun) -> None:
    (table,) = build([flat_run("coral", 0.0, shots=shots) for shots in (1, 2)])
    drawn = chart(table)
    assert drawn
    assert len({tick.text for tick in drawn.y_ticks}) == len(drawn.y_ticks) > 1


def test_leaderboards_of_the_same_few_heads_have_the_same_colours(flat_run: FlatRun) -> None:
    colours: list[dict[str, int]] = []
    for means in (
        {"coop": 9.0, "coral": 8.0, "linear": 8.5},
        {"coop": 1.0, "coral": 2.0, "linear": 3.0},
    ):
        runs = [flat_run(head, mean, shots=n) for head, mean in means.items() for n in (1, 4)]
        (table,) = build(runs)
        drawn = chart(table)
        assert drawn
        colours.append({curve.label: curve.colour for curve in drawn.curves})
    assert colours[0] == colours[1]
    assert {"coop": 1, "coral": 2, "linear": 3}.items() <= colours[0].items()
