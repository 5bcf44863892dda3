"""Things that ripen, drawn by hand: vegetables, berries, pods and leaves, unripe to rotten.

Source: what happens to a picked plant as an illustrator would draw it; shapes, colours and numbers
are ours, and none is of the benchmark's `drawn-fruit`.
"""

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pen import Colour, Pen, Style, blend
from PIL import Image
from scene import CANVAS, any_colour, draw_background, jitter

Points = NDArray[np.float64]
Curve = tuple[tuple[float, float], ...]

STEPS = 21  # ripeness 0 is unripe, ripeness 20 is rotten
# Each cue over ripeness as a share of its range, 0 to 1.
CURVES: dict[str, Curve] = {
    "colour": ((0, 0.0), (1, 1.0)),
    "size": ((0, 0.75), (0.4, 1.0), (0.7, 1.0), (1, 0.85)),
    "gloss": ((0, 0.35), (0.45, 1.0), (0.75, 0.15), (1, 0.0)),
    "speckles": ((0.45, 0.0), (0.7, 0.4), (1, 1.0)),
    "bruises": ((0.55, 0.0), (0.8, 0.5), (1, 1.0)),
    "wrinkles": ((0.5, 0.0), (0.75, 0.4), (1, 1.0)),
    "sag": ((0.55, 0.0), (1, 1.0)),
    "mould": ((0.78, 0.0), (1, 1.0)),
    "stem": ((0.15, 0.0), (0.8, 1.0)),
    "wilt": ((0.3, 0.0), (1, 1.0)),
    "juice": ((0.8, 0.0), (1, 1.0)),
}
# The last one is drawn with held-out media only.
THINGS = ("tomato", "squash", "strawberry", "pod", "berries", "leaf", "aubergine", "pepper")
GREENS: tuple[Colour, ...] = ((90, 150, 60), (130, 170, 70), (70, 120, 70), (150, 180, 110))
RIPES: tuple[Colour, ...] = (
    (205, 40, 40),
    (225, 90, 50),
    (240, 160, 50),
    (245, 215, 80),
    (220, 90, 130),
    (130, 40, 110),
    (80, 60, 150),
    (150, 30, 50),
)
ROTS: tuple[Colour, ...] = ((60, 40, 28), (40, 34, 32), (90, 66, 44), (74, 68, 58))
MOULDS: tuple[Colour, ...] = ((225, 228, 220), (150, 170, 160), (110, 130, 110))


def grow(ripeness: float, generator: Generator) -> dict[str, float]:
    """Draw one thing's cues: each read at a ripeness of its own, some weak, some absent."""
    cues = {}
    for cue, curve in CURVES.items():
        at, values = zip(*curve, strict=True)
        near = float(np.clip(generator.normal(ripeness, 0.04), 0, 1))
        strength = generator.uniform(0.6, 1.2) * (generator.random() > 0.12)
        strength = 1.0 if cue in ("colour", "size") else strength
        cues[cue] = strength * float(np.interp(near, at, values))
    return cues


def draw_ripening(
    ripeness: float, style: Style, held_out: bool, generator: Generator
) -> Image.Image:
    """Draw a thing that looks so ripe, 0 to 1, on a background."""
    cues = grow(float(np.clip(generator.normal(ripeness, 0.025), 0, 1)), generator)
    new = held_out and generator.random() < 0.4
    thing = THINGS[-1] if new else THINGS[int(generator.integers(len(THINGS) - 1))]
    image = Image.new("RGB", (CANVAS, CANVAS), style.paper)
    draw_background(image, generator, style.tone)
    unit = CANVAS * generator.uniform(0.24, 0.42) * cues["size"]
    centre = (CANVAS * generator.normal(0.5, 0.04), CANVAS * generator.normal(0.5, 0.04))
    pen = Pen(image, style, centre, unit, turn=float(generator.normal(0, 0.5)))
    skin = _skin(cues["colour"], generator)
    if cues["juice"] > 0.1:
        puddle = blend(skin, (60, 40, 30), 0.4)
        pen.oval((0, 0.95), (1.1 * cues["juice"] + 0.2, 0.25), puddle, False)
    _draw_stem(pen, cues, generator)
    for body in _bodies(thing, generator):
        _draw_body(pen, _turned(_sagged(body, cues, generator), pen.turn), skin, cues, generator)
    return image


def _skin(place: float, generator: Generator) -> Colour:
    """The colour on the way from green over the ripe colour to rot."""
    green, ripe, rot = (_pick(colours, generator) for colours in (GREENS, RIPES, ROTS))
    stops = (green, blend(green, ripe, 0.45), ripe, blend(ripe, rot, 0.35), rot)
    first = min(int(place * 4), 3)
    return jitter(blend(stops[first], stops[first + 1], place * 4 - first), 10, generator)


def _bodies(thing: str, generator: Generator) -> list[Points]:
    """The outlines of a thing; point i lies across the axis from point -1 - i."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False) + np.pi / 40
    x, y = np.sin(angle), -np.cos(angle)
    if thing == "berries":
        count, size = int(generator.integers(4, 10)), generator.uniform(0.32, 0.5)
        places = generator.normal(0, 0.5, (count, 2))
        return [np.stack([size * x + px, size * y + py], 1) for px, py in places.tolist()]
    if thing == "pod":
        along, bend, wide = y, generator.uniform(-0.6, 0.6), generator.uniform(0.25, 0.4)
        return [np.stack([wide * x + bend * (along**2 - 0.5), 1.25 * along], 1)]
    if thing == "leaf":
        return [np.stack([0.8 * x * np.abs(x) ** 0.6, 1.25 * y], 1)]
    if thing == "strawberry":
        return [np.stack([x * (1 - 0.4 * y), 1.05 * y], 1)]
    if thing == "aubergine":
        return [np.stack([0.62 * x * (1 + 0.2 * y), 1.4 * y], 1)]
    lobes, depth, tall = {
        "tomato": (5, 0.04, 0.88),
        "squash": (9, 0.09, 0.7),
        "pepper": (3, 0.12, 1.1),
    }[thing]
    radius = 1 + depth * np.cos(lobes * (angle - np.pi))
    return [np.stack([radius * x, tall * radius * y], 1)]


def _sagged(body: Points, cues: dict[str, float], generator: Generator) -> Points:
    x, y = body.T
    sag = cues["sag"]
    wider, lower = x * (1 + 0.2 * sag * y), y * (1 - 0.22 * sag) + 0.12 * sag
    rough = 1 + 0.05 * cues["wrinkles"] * generator.normal(0, 1, (len(body), 1))
    return np.stack([wider, lower], 1) * rough


def _turned(points: Points, turn: float) -> Points:
    cos, sin = math.cos(turn), math.sin(turn)
    return points @ np.array([[cos, sin], [-sin, cos]])


def _draw_stem(pen: Pen, cues: dict[str, float], generator: Generator) -> None:
    """A stem and, on many things, a small leaf: both go brown, the leaf hangs."""
    brown = (100, 72, 44)
    green = _pick(GREENS, generator)
    stem = _turned(np.array([(0.0, -0.6), (0.05, -1.0), (0.1, -1.3)]), pen.turn)
    pen.stroke(_listed(stem), blend(green, brown, min(cues["stem"], 1)), 0.12)
    if generator.random() < 0.6:
        side, droop = (-1 if generator.random() < 0.5 else 1), 0.7 * min(cues["wilt"], 1)
        upper, lower = (0.45 * side, -1.4 + 0.5 * droop), (0.4 * side, -1 + 0.5 * droop)
        leaf = np.array([(0, -1), upper, (0.9 * side, -1.3 + droop), lower])
        dry = blend(green, brown, 0.8 * min(cues["wilt"], 1))
        pen.area(_listed(_turned(leaf, pen.turn)), dry)


def _draw_body(
    pen: Pen, body: Points, skin: Colour, cues: dict[str, float], generator: Generator
) -> None:
    style, own = pen.style, jitter(skin, 5, generator)
    pen.area(_listed(body), own)
    shown = blend(style.paper, own, style.tone)
    dark = blend(shown, style.ink, style.contrast)
    if generator.random() < 0.4:  # a blush, veins or ribs that mean nothing
        other = blend(shown, any_colour(generator), 0.3)
        _marks(pen, body, int(generator.integers(1, 5)), other, generator)
    for _ in range(round(24 * cues["speckles"])):
        pen.dot(_inside(body, generator), generator.uniform(0.025, 0.06), dark)
    for _ in range(round(5 * cues["bruises"])):
        rot = blend(shown, _pick(ROTS, generator), 0.4 + 0.6 * style.contrast)
        wide, high = generator.uniform(0.1, 0.32, 2)
        pen.oval(_inside(body, generator), (wide, high), rot, False)
    _marks(pen, body, round(9 * cues["wrinkles"]), dark, generator)
    for _ in range(round(4 * cues["mould"])):
        middle, fuzz = _inside(body, generator), _pick(MOULDS, generator)
        for _ in range(8):
            dx, dy = generator.normal(0, 0.09, 2)
            pen.dot((middle[0] + dx, middle[1] + dy), generator.uniform(0.03, 0.08), fuzz)
    if cues["gloss"] > 0.2:
        spot = 0.5 * body[len(body) * 7 // 8]
        shine = blend(shown, (255, 255, 252), 0.8 * min(cues["gloss"], 1))
        pen.oval((spot[0], spot[1]), (0.16, 0.11), shine, False)


def _marks(pen: Pen, body: Points, count: int, colour: Colour, generator: Generator) -> None:
    for _ in range(count):
        (x, y), (dx, dy) = _inside(body, generator), generator.normal(0, 0.18, 2)
        start, end, bend = (x - dx, y - dy), (x + dx, y + dy), generator.normal(0, 0.06)
        pen.arc(start, end, bend, colour, pen.style.line)


def _inside(body: Points, generator: Generator) -> tuple[float, float]:
    """A place on the line across the body from one point of its outline."""
    number, share = int(generator.integers(len(body))), generator.uniform(0.12, 0.88)
    x, y = body[number] + share * (body[-1 - number] - body[number])
    return float(x), float(y)


def _listed(points: Points) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in points]


def _pick(colours: tuple[Colour, ...], generator: Generator) -> Colour:
    return colours[int(generator.integers(len(colours)))]
