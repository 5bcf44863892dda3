"""Curves and ovals, from which a face is put together: filled, or drawn with a tapered pen."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ordbench_datasets._drawn.chance import Colour

Points = NDArray[np.float64]
Corner = tuple[float, float]

_STEPS = 7
_TURN = np.linspace(0, 2 * np.pi, 18, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], 1)
_ALONG = np.linspace(-1, 1, _STEPS)
_PARABOLA = np.stack([_ALONG, 1 - _ALONG**2], 1)
_T = np.linspace(0, 1, _STEPS)[:, None]
_BEND = np.concatenate([(1 - _T) ** 2, 2 * _T * (1 - _T), _T**2], 1)
_TAPER = np.sin(np.linspace(0.15, np.pi - 0.15, _STEPS)) / 2


class Shape(NamedTuple):
    """One filled outline or one pen stroke.

    Attributes:
        points: ``(P, 2)``, in half widths of the head: x to the right, y downwards. An outline,
            or where ``pen`` is set, a path of `arc` or `bend`.
        colour: Red, green and blue, 0 to 255.
        alpha: From 0 (not there) to 1 (opaque).
        lift: How far it stands out of the face, in half widths; moves with a turn of the head.
        pen: Width of the stroke in its middle; its ends are pointed. 0 for a filled outline.
    """

    points: Points
    colour: Colour
    alpha: float = 1.0
    lift: float = 0.0
    pen: float = 0.0


def oval(x: float, y: float, half_width: float, half_height: float) -> Points:
    """Corners of an ellipse around (x, y)."""
    return moved(_CIRCLE * (half_width, half_height), x, y)


def arc(x: float, y: float, half_width: float, depth: float) -> Points:
    """A parabola from (x - half_width, y) to (x + half_width, y) with its middle at y + depth."""
    return moved(_PARABOLA * (half_width, depth), x, y)


def bend(start: Corner, towards: Corner, end: Corner) -> Points:
    """A quadratic Bezier curve."""
    path: Points = _BEND @ np.array((start, towards, end))
    return path


def line(start: Corner, end: Corner) -> Points:
    """A straight path."""
    return bend(start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), end)


def moved(points: Points, right: float, down: float) -> Points:
    """The same points elsewhere."""
    elsewhere: Points = points + np.array((right, down))
    return elsewhere


def mirrored(half: list[Corner]) -> Points:
    """Close a right half, listed from top to bottom, with its mirror image.

    >>> mirrored([(0, -1), (1, 0), (0, 1)]).tolist()
    [[0.0, -1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]
    """
    right = np.array(half, dtype=np.float64)
    return np.concatenate([right, right[-2:0:-1] * (-1, 1)])


def smooth(corners: Points, steps: int = 4) -> Points:
    """A closed Catmull-Rom curve through ``corners``, with ``steps`` points for each of them."""
    curve: Points = _catmull_rom(len(corners), steps) @ corners
    return curve


@cache
def _catmull_rom(corners: int, steps: int) -> Points:
    """``(corners * steps, corners)``, the curve's points as weights of its corners."""
    t = np.arange(steps)[:, None, None] / steps
    here = np.eye(corners)
    before, after, beyond = np.roll(here, 1, 1), np.roll(here, -1, 1), np.roll(here, -2, 1)
    before, after, beyond = before.T, after.T, beyond.T
    curve = here + t / 2 * (
        after
        - before
        + t * (2 * before - 5 * here + 4 * after - beyond)
        + t * t * (3 * (here - after) + beyond - before)
    )
    return curve.transpose(1, 0, 2).reshape(-1, corners)


def outlined(shapes: list[Shape]) -> list[Shape]:
    """The same shapes, with pen strokes turned into filled outlines, all of them at once."""
    drawn = [shape for shape in shapes if shape.pen]
    if not drawn:
        return shapes
    paths = np.stack([shape.points for shape in drawn])
    ahead = np.empty_like(paths)
    ahead[:, 1:-1] = paths[:, 2:] - paths[:, :-2]
    ahead[:, 0], ahead[:, -1] = paths[:, 1] - paths[:, 0], paths[:, -1] - paths[:, -2]
    width = _TAPER * np.array([[shape.pen] for shape in drawn])
    normal = (
        ahead[:, :, ::-1] * (-1, 1) * (width / np.hypot(ahead[..., 0], ahead[..., 1]))[..., None]
    )
    rims = iter(np.concatenate([paths + normal, (paths - normal)[:, ::-1]], 1))
    return [shape._replace(points=next(rims), pen=0) if shape.pen else shape for shape in shapes]
