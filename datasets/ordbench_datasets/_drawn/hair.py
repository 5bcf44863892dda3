"""Hair on the head and on the chin, and hats, as shapes behind and before the face."""

from __future__ import annotations

import numpy as np

from ordbench_datasets._drawn.age import Anatomy
from ordbench_datasets._drawn.chance import Colour, Look, mix
from ordbench_datasets._drawn.shapes import Points, Shape, bend, mirrored, oval, smooth

_DARK: Colour = (20, 14, 16)
_LENGTHS = {"bob": 0.75, "long": 1.9}


def behind(a: Anatomy, look: Look) -> list[Shape]:
    """Hair that is seen left and right of the face, and a bun above it."""
    shade = mix(look.hair, _DARK, 0.25)
    if look.style in _LENGTHS:
        end = _LENGTHS[look.style] * a.chin
        half = [
            (0, -a.skull - 0.12),
            (0.85, -0.85 * a.skull),
            (1.2, 0.0),
            (1.15, 0.8 * end),
            (0.9, end),
        ]
        return [Shape(smooth(mirrored([*half, (0.0, end)])), shade, 1 - 0.8 * a.down)]
    if look.style == "bun":
        return [Shape(oval(0.2 * look.parting, -a.skull - 0.22, 0.36, 0.34), shade, 1 - a.down)]
    if look.style == "curly":
        around = np.linspace(-0.25 * np.pi, 1.25 * np.pi, 11)
        return [
            Shape(
                oval(1.08 * np.cos(t), -0.15 - (a.skull - 0.1) * np.sin(t), 0.33, 0.33),
                shade,
                1 - 0.9 * a.down,
            )
            for t in around.tolist()
        ]
    return []


def before(a: Anatomy, look: Look) -> list[Shape]:
    """Hair over the forehead, or a hat."""
    if look.style == "hat":
        return _hat(a, look)
    shapes = [Shape(_cap(a, look), look.hair, 1 - 0.75 * a.down)]
    bright = mix(look.hair, (255, 240, 220), 0.22)
    if a.recession < 0.45:
        for x in (-0.45, 0.0, 0.45):
            start, end = (x, -1.06 * a.skull), (1.35 * x + 0.1, -0.86 * a.skull)
            strand = bend(start, (1.15 * x + 0.08, -0.97 * a.skull), end)
            shapes.append(Shape(strand, bright, 0.5 * (1 - a.down), pen=0.07))
    return shapes


def _cap(a: Anatomy, look: Look) -> Points:
    """Between the top of the head and the hairline, which moves back with age."""
    top = a.skull + 0.13 * (1 - a.down) * (1 - 0.75 * a.recession)
    fringe = 0.3 if look.style == "fringe" else 0.0
    line = -a.skull * min(0.66 - 0.45 * fringe + 0.5 * a.recession, 1.06)
    temple = -a.skull * (0.45 + 0.4 * a.recession)
    side = 0.1 if look.style in ("short", "parted", "hat") else 0.3
    over = [(-1.03, side), (-1.07, -0.4 * a.skull), (-0.72, -0.88 * top), (0.0, -top)]
    over += [(-x, y) for x, y in over[-2::-1]]
    peak = 0.5 * look.parting
    under = [(0.88, -0.1), (0.8, temple), (0.45 + 0.3 * peak, line + 0.05), (peak, line - 0.08)]
    under += [(-0.45 + 0.3 * peak, line + 0.05), (-0.8, temple), (-0.88, -0.1)]
    return smooth(np.array(over + under), 3)


def _hat(a: Anatomy, look: Look) -> list[Shape]:
    colour = mix(look.cloth, (250, 250, 250), 0.15)
    half = [
        (0, -a.skull - 0.3),
        (0.75, -a.skull - 0.05),
        (1.08, -0.5 * a.skull),
        (0, -0.58 * a.skull),
    ]
    band = [
        (0, -0.75 * a.skull),
        (1.08, -0.66 * a.skull),
        (1.1, -0.4 * a.skull),
        (0, -0.52 * a.skull),
    ]
    tuft = [Shape(oval(side, -0.25, 0.1, 0.25), look.hair, 1 - a.down) for side in (-0.98, 0.98)]
    return [
        *tuft,
        Shape(smooth(mirrored(half)), colour),
        Shape(smooth(mirrored(band)), mix(colour, _DARK, 0.25)),
    ]


def beard(a: Anatomy, look: Look) -> list[Shape]:
    """Stubble or a full beard around the mouth, drawn below the lips."""
    if not look.beard_length:
        return []
    low = a.chin + 0.25 * max(0.0, look.beard_length - 0.25)
    outer = [
        (0.0, a.mouth - 0.3),
        (0.3, a.mouth - 0.28),
        (0.62, a.mouth - 0.1),
        (0.95 * a.cheek, 0.3),
    ]
    outer += [(1.03 * a.jaw, 0.75 * a.chin), (0.42, low), (0.0, low + 0.03)]
    alpha = 0.3 if look.beard_length < 0.25 else 0.92
    return [Shape(smooth(mirrored(outer)), look.beard, alpha)]
