"""What the years leave on a face, as shapes: wrinkles, folds and age spots."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ordbench_datasets._drawn.age import EYE_X, Anatomy, ramp
from ordbench_datasets._drawn.chance import Colour, Look, mix
from ordbench_datasets._drawn.shapes import Points, Shape, arc, bend, line, moved, oval

_SHADE: Colour = (70, 24, 22)


class _Line(NamedTuple):
    path: Points
    pen: float
    alpha: float


def wrinkles(a: Anatomy, look: Look) -> list[Shape]:
    """Lines of the forehead, around the eyes and around the mouth."""
    dark = mix(look.skin, _SHADE, 0.68)
    lines = _forehead(a, look.brow_raise)
    for side in (-1, 1):
        lines += _eye(a, side) + _cheek(a, side)
    return [Shape(path, dark, alpha, pen=pen) for path, pen, alpha in lines]


def spots(a: Anatomy, look: Look, rng: np.random.Generator) -> list[Shape]:
    """Age spots on forehead and cheeks, at places drawn from ``rng``."""
    brown = mix(look.skin, (120, 66, 40), 0.55)
    low, high = (-0.75, -0.9 * a.skull), (0.75, 0.6)
    places = rng.uniform(low, high, (round(9 * a.spots), 2)).tolist()
    return [Shape(oval(x, y, 0.06, 0.05), brown, 0.7 * a.spots) for x, y in places]


def _forehead(a: Anatomy, brow_raise: float) -> list[_Line]:
    lines: list[_Line] = []
    for place in range(4):
        y = -a.skull * (0.42 + 0.115 * place) - 0.03 * brow_raise
        wave = arc(0, y, 0.55 - 0.05 * place, -0.05 - 0.02 * place)
        lines.append(_Line(wave, 0.07, 0.75 * ramp(4 * a.forehead_lines - 0.75 * place, 0, 1)))
    for side in (-1, 1):
        frown = line((side * 0.09, -0.38), (side * 0.07, -0.12))
        lines.append(_Line(frown, 0.07, 0.8 * ramp(a.forehead_lines, 0.25, 0.75)))
    return lines


def _eye(a: Anatomy, side: int) -> list[_Line]:
    corner = EYE_X + a.eye_width
    bag = arc(side * EYE_X, 1.05 * a.eye_height + 0.06, 1.05 * a.eye_width, 0.07)
    feet = [
        line((side * (corner + 0.03), 0.4 * rise), (side * (corner + 0.23), 1.3 * rise))
        for rise in (-0.14, -0.01, 0.12)
    ]
    return [
        *(_Line(foot, 0.06, 0.85 * a.eye_lines) for foot in feet),
        _Line(bag, 0.06 + 0.05 * a.eye_lines, 0.15 + 0.65 * a.eye_lines),
        _Line(moved(bag, 0, 0.11), 0.05, 0.6 * max(0.0, a.eye_lines - 0.5)),
    ]


def _cheek(a: Anatomy, side: int) -> list[_Line]:
    x, y = side * (a.nose_width + 0.05), 0.85 * a.nose_length
    to_x, to_y = side * (a.mouth_width + 0.12), a.mouth + 0.08
    reach = 0.35 + 0.65 * a.folds
    middle = (x + reach * ((to_x - x) / 2 + side * 0.12), y + reach * (to_y - y) / 2)
    fold = bend((x, y), middle, (x + reach * (to_x - x), y + reach * (to_y - y)))
    lower = line((side * (a.mouth_width + 0.05), to_y), (side * 0.4, a.mouth + 0.38))
    hollow = bend((side * 0.74, 0.25), (side * 0.69, 0.55), (side * 0.6, 0.8))
    return [
        _Line(fold, 0.05 + 0.06 * a.folds, 0.9 * a.folds),
        _Line(lower, 0.09, 0.8 * ramp(a.folds, 0.5, 1)),
        _Line(hollow, 0.06, 0.6 * max(0.0, a.sag - 0.25)),
    ]
