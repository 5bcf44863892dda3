"""How ripeness shows in a fruit: its colour, its speckles, its wrinkles, its stem and its leaf.

The fruit's half width is 1, its middle is at (0, 0), and downwards is positive. Fruits of several
kinds ripen through other colours, so that no colour alone says how ripe a fruit is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from ordbench_datasets._drawn.age import ramp
from ordbench_datasets._drawn.chance import Colour, between, jitter, mix, scene_of
from ordbench_datasets._drawn.paint import backdrop, in_pixels, photograph
from ordbench_datasets._drawn.shapes import (
    Points,
    Shape,
    arc,
    bend,
    mirrored,
    moved,
    outlined,
    oval,
    smooth,
)

_BROWN: Colour = (74, 48, 30)
_WHITE: Colour = (252, 250, 244)
_SPECKLES = 26


class Kind(NamedTuple):
    """A kind of fruit.

    Attributes:
        colours: Of the skin, from unripe to rotten, at equal distances.
        half: The right half of its outline, from top to bottom.
    """

    colours: tuple[Colour, ...]
    half: tuple[tuple[float, float], ...]


_ROUND = ((0.0, -0.86), (0.5, -0.93), (0.98, -0.3), (0.86, 0.55), (0.4, 0.95), (0.0, 0.88))
_LONG = ((0.0, -1.15), (0.42, -1.0), (0.72, -0.2), (0.75, 0.5), (0.4, 1.08), (0.0, 1.15))
_PEAR = ((0.0, -1.15), (0.3, -1.05), (0.48, -0.4), (0.92, 0.3), (0.72, 0.95), (0.0, 1.08))
_FLAT = ((0.0, -0.62), (0.55, -0.74), (1.05, -0.1), (0.85, 0.52), (0.35, 0.72), (0.0, 0.66))
KINDS = (
    Kind(((92, 148, 60), (160, 176, 72), (214, 120, 60), (196, 40, 44), (134, 36, 38)), _ROUND),
    Kind(((104, 152, 54), (176, 184, 60), (238, 206, 70), (226, 176, 60), (128, 92, 44)), _LONG),
    Kind(((126, 160, 66), (168, 178, 74), (206, 192, 84), (212, 166, 72), (140, 98, 54)), _PEAR),
    Kind(((136, 146, 70), (196, 164, 74), (232, 140, 56), (222, 104, 46), (138, 66, 38)), _ROUND),
    Kind(((110, 132, 78), (128, 100, 100), (104, 60, 110), (70, 38, 84), (50, 32, 46)), _FLAT),
)


def paint_fruit(ripeness: float, rng: np.random.Generator) -> Image.Image:
    """Draw a fruit, 64 x 64 pixels, RGB.

    Args:
        ripeness: How ripe it looks: 0 is unripe, 1 is rotten.
        rng: Draws its kind, its looks, the pose and the scene.
    """
    kind = KINDS[int(rng.integers(len(KINDS)))]
    chance = rng.random(4)
    scene = scene_of(rng)
    turn = float(rng.normal(0, 0.5))
    scene = replace(scene, roll=turn, scale=scene.scale * float(rng.uniform(0.85, 1.2)))
    details = np.random.default_rng(scene.seed)
    picture = backdrop(scene, details)
    shapes = outlined(
        [one for one in _shapes(kind, ripeness, chance.tolist(), details) if one.alpha > 0.02]
    )
    corners = np.concatenate([shape.points for shape in shapes])
    return photograph(
        picture, shapes, in_pixels(corners[:, 0], corners[:, 1], scene), scene, details
    )


def _shapes(
    kind: Kind, ripeness: float, chance: list[float], rng: np.random.Generator
) -> list[Shape]:
    skin = jitter(between(kind.colours, ripeness), 9, rng)
    rim = smooth(mirrored(list(kind.half))) * (1, 1 + 0.06 * rng.standard_normal())
    top = float(rim[:, 1].min())
    blush = moved(oval(0, 0, 0.42, 0.5), 0.7 * chance[0] - 0.35, 0.2)
    gloss = moved(oval(0, 0, 0.2, 0.13), -0.38, 0.5 * top)
    return [
        *_stem(top, ripeness, chance),
        Shape(rim, mix(skin, _BROWN, 0.3)),
        Shape(rim * 0.94, skin),
        Shape(blush, mix(skin, (230, 70, 50), 0.5), 0.35 * chance[1]),
        *_bruises(rim, ripeness, rng),
        *_wrinkles(top, ripeness),
        Shape(gloss, _WHITE, 0.75 * (1 - ramp(ripeness, 0.3, 0.95))),
    ]


def _stem(top: float, ripeness: float, chance: list[float]) -> list[Shape]:
    """A stem, and in three of four fruits a leaf that wilts."""
    green: Colour = (84, 128, 52)
    colour = mix(green, _BROWN, ramp(ripeness, 0.2, 0.75))
    stem = bend((0, top + 0.12), (0.02, top - 0.15), (0.12, top - 0.34))
    shapes = [Shape(stem, colour, pen=0.16)]
    if chance[2] < 0.75:
        droop = 0.3 * ramp(ripeness, 0.45, 1)
        tip = (0.75, top - 0.3 + 1.6 * droop)
        upper = bend((0.05, top - 0.1), (0.35, top - 0.55 + droop), tip)
        lower = bend(tip, (0.5, top - 0.02 + droop), (0.05, top - 0.1))
        leaf = mix((70, 142, 58), (150, 118, 52), ramp(ripeness, 0.45, 0.95))
        shapes.append(Shape(np.concatenate([upper, lower]), leaf))
    return shapes


def _bruises(rim: Points, ripeness: float, rng: np.random.Generator) -> list[Shape]:
    """Speckles that come with ripeness, and soft patches that come after it."""
    places = rng.uniform(-0.72, 0.72, (_SPECKLES, 2)).tolist()
    sizes = rng.uniform(0.03, 0.07, _SPECKLES).tolist()
    shown = round(_SPECKLES * ramp(ripeness, 0.35, 0.85))
    low = float(rim[:, 1].max())
    speckles = [
        Shape(oval(0.85 * x, y * low, size, size), _BROWN, 0.75)
        for (x, y), size in zip(places[:shown], sizes[:shown], strict=True)
    ]
    patches = [
        Shape(oval(0.7 * x, 0.7 * y * low, 0.16 + 3 * size, 0.14 + 3 * size), (58, 38, 26), alpha)
        for (x, y), size, alpha in zip(
            places[-4:],
            sizes[-4:],
            (0.75 * ramp(ripeness, 0.6 + 0.09 * n, 0.75 + 0.09 * n) for n in range(4)),
            strict=True,
        )
    ]
    return patches + speckles


def _wrinkles(top: float, ripeness: float) -> list[Shape]:
    """Folds of a skin that has dried, around the stem and at the sides."""
    alpha = 0.7 * ramp(ripeness, 0.62, 1)
    folds = [arc(0.28 * n, 0.55 * top, 0.14, 0.22 + 0.05 * abs(n)) for n in range(-2, 3)]
    sides = [bend((0.62 * s, -0.2), (0.5 * s, 0.1), (0.6 * s, 0.42)) for s in (-1, 1)]
    return [Shape(path, _BROWN, alpha, pen=0.07) for path in (*folds, *sides)]
