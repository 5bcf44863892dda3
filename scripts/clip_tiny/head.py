"""The large shapes of a drawn person: shoulders, neck, ears, skull, hair."""

import math
from dataclasses import dataclass

from anatomy import Anatomy
from numpy.random import Generator
from pen import Colour, Pen, Point, blend


@dataclass(frozen=True)
class Look:
    """What age does not decide: colours and which variant of each part is drawn.

    Attributes:
        skin: Colour of the skin.
        hair: Colour of the hair before it greys.
        clothes: Colour of the clothes.
        iris: Colour of the eyes.
        parts: Variant of each part, by the part's name.
        balding: Share of the receding that this person shows, 0 to 1.
        beard: Whether a grown person wears a beard.
        glasses: Whether glasses are worn.
        volume: Height of the hair above the skull, in half face widths.
        smile: Bend of the mouth, in half face widths.
    """

    skin: Colour
    hair: Colour
    clothes: Colour
    iris: Colour
    parts: dict[str, str]
    balding: float
    beard: bool
    glasses: bool
    volume: float
    smile: float


def hair_colour(anatomy: Anatomy, look: Look) -> Colour:
    """The hair's colour after greying."""
    old = 175 + 65 * max(0.0, (anatomy.apparent - 50) / 50)
    grey = round(min(old, 240))
    return blend(look.hair, (grey, grey, grey), min(max(anatomy["grey"], 0.0), 1.0))


def half_width(anatomy: Anatomy, look: Look, level: float) -> float:
    """Half width of the skull at a level from -1 (crown) to 1 (chin)."""
    power = {"oval": 2.1, "long": 2.0, "wedge": 2.2, "square": 3.0}[look.parts["skull"]]
    width: float = max(0.0, 1 - abs(level) ** power) ** (1 / power)
    if level > 0:
        narrow = anatomy["taper"] + (0.12 if look.parts["skull"] == "wedge" else 0.0)
        width *= 1 - narrow * min(1.0, level * 1.3)
        width += 0.13 * max(0.0, anatomy["sag"]) * math.exp(-(((level - 0.72) / 0.2) ** 2))
    return width


def contour(anatomy: Anatomy, look: Look, top: float, low: float, grow: float) -> list[Point]:
    """The skull's outline between two levels: up the left side, then down the right one."""
    levels = [top + (low - top) * i / 12 for i in range(13)]
    tall = anatomy["aspect"]
    right = [(half_width(anatomy, look, t) + grow, t * tall) for t in levels]
    return [(-x, y) for x, y in right[::-1]] + right


def draw_body(pen: Pen, anatomy: Anatomy, look: Look) -> None:
    """Shoulders and neck."""
    tall, broad, neck = anatomy["aspect"], anatomy["shoulders"], anatomy["neck"]
    top = tall + 0.22
    shoulders = [(-broad, 4.0), (-broad * 0.96, top + 0.3), (-neck, top), (neck, top)]
    pen.area([*shoulders, (broad * 0.96, top + 0.3), (broad, 4.0)], look.clothes)
    dark = blend(look.skin, (60, 30, 20), 0.15)
    low = tall + 0.36
    pen.area(
        [(-neck, tall * 0.6), (neck, tall * 0.6), (neck, low), (0, low + 0.15), (-neck, low)], dark
    )
    for line in range(round(max(0.0, anatomy["neck_lines"]))):
        y = tall + 0.06 + 0.09 * line
        ink = blend(look.skin, pen.style.ink, pen.style.contrast)
        pen.arc((-neck * 0.8, y), (neck * 0.8, y), 0.05, ink, pen.style.line * 0.8)


def draw_back_hair(pen: Pen, anatomy: Anatomy, look: Look) -> None:
    """Long hair hangs behind the head."""
    if look.parts["hair"] not in ("long", "bob", "bun") or anatomy["hair"] < 0.6:
        return
    colour = hair_colour(anatomy, look)
    tall, wide = anatomy["aspect"], 1.05 + look.volume * 0.7
    if look.parts["hair"] == "bun":
        pen.oval((0, -tall - look.volume), (0.4, 0.35), colour)
        return
    low = tall * (1.35 if look.parts["hair"] == "long" else 0.75)
    sides = [(wide, 0.0), (wide, low), (-wide, low), (-wide, 0.0)]
    arch = [(wide * math.cos(a), -tall * math.sin(a)) for a in _turns(math.pi, 0.0)]
    pen.area([*arch, *sides], colour)


def draw_skull(pen: Pen, anatomy: Anatomy, look: Look) -> None:
    """Ears, then the face over them."""
    size, level = max(anatomy["ear"], 0.08), anatomy["eye_level"] + 0.12
    for side in (-1, 1):
        place = (side * half_width(anatomy, look, 0.1) + 0.3 * pen.turn * -1, level)
        pen.oval(place, (size * 0.6, size * 1.25), look.skin)
    pen.area(contour(anatomy, look, -1, 1, 0.0), look.skin)


def draw_hair(pen: Pen, anatomy: Anatomy, look: Look, generator: Generator) -> None:
    """The hair in front; it recedes, thins and is short in babies."""
    colour, tall = hair_colour(anatomy, look), anatomy["aspect"]
    amount, bald = anatomy["hair"], max(0.0, anatomy["recede"]) * look.balding
    side_level = anatomy["eye_level"] / tall + 0.02
    if amount < 0.45:
        for x in (-0.15, 0.0, 0.15):
            pen.arc((x, -tall), (x * 2, -tall - 0.18), 0.03, colour, pen.style.line)
        return
    rise = look.volume * min(1.0, amount) + 0.03
    if bald > 0.62:
        for side in (-1, 1):
            _side_tuft(pen, anatomy, look, side, colour)
        return
    cap = contour(anatomy, look, -1, side_level, rise * 0.5)
    cap = [(x, y - rise * max(0.0, -y / tall)) for x, y in cap]
    line = -0.52 - 0.62 * bald
    pen.area(cap + _hairline(anatomy, look, line, side_level, generator), colour)
    if look.parts["hair"] in ("curls", "spikes"):
        _crown(pen, anatomy, look, rise, colour)


def _side_tuft(pen: Pen, anatomy: Anatomy, look: Look, side: int, colour: Colour) -> None:
    levels = [-0.55 + 0.1 * i for i in range(8)]
    tall = anatomy["aspect"]
    outer = [(side * (half_width(anatomy, look, t) + 0.1), t * tall) for t in levels]
    inner = [(side * (half_width(anatomy, look, t) - 0.1), t * tall) for t in levels]
    pen.area(outer + inner[::-1], colour)


def _hairline(
    anatomy: Anatomy, look: Look, line: float, side: float, generator: Generator
) -> list[Point]:
    """From the right temple over the forehead to the left, closing the cap."""
    tall, points = anatomy["aspect"], []
    parting = generator.uniform(-0.6, 0.6)
    for i in range(13):
        share = 1 - i / 6
        level = line + (side - line) * abs(share) ** 5
        if look.parts["hairline"] == "fringe":
            level += 0.12 * (1 - abs(share)) + 0.04 * (i % 2)
        elif look.parts["hairline"] == "parted":
            level += 0.22 * min(1.0, abs(share - parting)) - 0.05
        elif look.parts["hairline"] == "peak":
            level += 0.1 * (1 - abs(share)) ** 4
        level = max(level, -0.98)
        points.append((share * 0.93 * half_width(anatomy, look, max(level, line)), level * tall))
    return points


def _crown(pen: Pen, anatomy: Anatomy, look: Look, rise: float, colour: Colour) -> None:
    tall = anatomy["aspect"]
    for i in range(9):
        angle = math.pi * (0.06 + 0.88 * i / 8)
        x, y = math.cos(angle), -(tall * math.sin(angle))
        if look.parts["hair"] == "curls":
            pen.oval((x, y - 0.3 * rise), (0.2, 0.2), colour)
        else:
            tip = (x * 1.2, y * (1.05 + rise * 0.6))
            pen.area([(x - 0.15, y * 0.92), tip, (x + 0.15, y * 0.92)], colour, outlined=False)


def _turns(start: float, end: float) -> list[float]:
    return [start + (end - start) * i / 12 for i in range(13)]
