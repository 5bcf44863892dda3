import numpy as np
import pytest

from ordbench_datasets._drawn.shapes import Shape, arc, bend, line, moved, outlined, oval, smooth

SQUARE = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])


def catmull_rom_by_hand(p: list[float], t: float) -> float:
    """Barry and Goldman's pyramid of three linear interpolations, with uniform knots -1 to 2."""
    a = [(k - t) * p[k] + (t - (k - 1)) * p[k + 1] for k in range(3)]
    b = [((k + 1 - t) * a[k] + (t - (k - 1)) * a[k + 1]) / 2 for k in range(2)]
    return (1 - t) * b[0] + t * b[1]


def test_an_oval_reaches_its_half_axes() -> None:
    points = oval(2, 1, 0.5, 0.25)
    assert np.hypot((points[:, 0] - 2) / 0.5, (points[:, 1] - 1) / 0.25) == pytest.approx(1)


def test_an_arc_begins_and_ends_level_and_sags_in_the_middle() -> None:
    path = arc(1, 2, 0.5, 0.3)
    np.testing.assert_allclose(path[[0, 3, 6]], [(0.5, 2), (1, 2.3), (1.5, 2)])


def test_a_bend_leaves_in_the_direction_of_its_middle_corner() -> None:
    path = bend((0, 0), (1, 0), (1, 1))
    np.testing.assert_allclose(path[[0, 3, 6]], [(0, 0), (0.75, 0.25), (1, 1)])
    np.testing.assert_allclose(line((0, 0), (6, 3))[2], (2, 1))


def test_moved_points_keep_their_distances() -> None:
    assert moved(SQUARE, 2, -1).tolist() == [[2, -1], [3, -1], [3, 0], [2, 0]]


def test_a_smooth_curve_is_a_catmull_rom_spline() -> None:
    corners = np.array([(0.0, 0.0), (2.0, -1.0), (3.0, 2.0), (1.0, 3.0), (-1.0, 1.0)])
    curve = smooth(corners, 4)
    np.testing.assert_allclose(curve[::4], corners)
    for axis in (0, 1):
        around = [float(corners[k % 5, axis]) for k in (1, 2, 3, 4)]
        by_hand = [catmull_rom_by_hand(around, t) for t in (0, 0.25, 0.5, 0.75)]
        np.testing.assert_allclose(curve[8:12, axis], by_hand)


def test_a_stroke_is_as_wide_as_its_pen_in_the_middle_and_pointed_at_its_ends() -> None:
    filled = Shape(SQUARE, (0, 0, 0))
    stroke = Shape(line((0, 0), (6, 0)), (1, 2, 3), 0.5, 0.25, pen=0.2)
    first, second = outlined([filled, stroke])
    assert first is filled
    assert second[1:] == ((1, 2, 3), 0.5, 0.25, 0)
    upper, lower = second.points[:7], second.points[:6:-1]
    widths = np.abs(upper - lower)[:, 1]
    assert widths[3] == pytest.approx(0.2)
    assert widths[0] < 0.05
    np.testing.assert_allclose((upper + lower) / 2, line((0, 0), (6, 0)), atol=1e-12)


def test_without_strokes_nothing_changes() -> None:
    shapes = [Shape(SQUARE, (0, 0, 0))]
    assert outlined(shapes) == shapes
