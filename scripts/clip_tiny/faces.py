"""Drawn faces of a known age, in many media, for the training of ``clip:tiny``.

One seed gives the same faces whatever the number of processes: face number i has a generator of
its own, made from (seed, i).
"""

import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import portrait
from anatomy import CURVES, OLDEST, Anatomy, grow
from features import draw_features
from head import Look, draw_back_hair, draw_body, draw_hair, draw_skull
from media import HELD_OUT, TRAINED, draw_style, finish
from numpy.random import Generator
from numpy.typing import NDArray
from pen import Colour, Pen, Style, blend
from PIL import Image, ImageDraw

SIDE = 72
CANVAS = 2 * SIDE
SKINS = (
    (255, 224, 196),
    (241, 194, 160),
    (224, 172, 125),
    (198, 134, 90),
    (141, 85, 50),
    (88, 55, 40),
)
HAIRS = ((30, 24, 22), (70, 45, 30), (110, 70, 40), (160, 95, 45), (215, 180, 110), (140, 50, 30))
# The last variant of each part is drawn in held-out media only.
PARTS: dict[str, tuple[str, ...]] = {
    "skull": ("oval", "long", "wedge", "square"),
    "eye": ("round", "oval", "tall", "dot", "slit", "almond"),
    "nose": ("curve", "dots", "bulb", "wedge", "hook"),
    "mouth": ("line", "thin", "open", "full"),
    "hair": ("short", "long", "bob", "bun", "spikes", "curls"),
    "hairline": ("high", "fringe", "parted", "peak"),
    "beard": ("moustache", "full"),
}


@dataclass(frozen=True)
class Faces:
    """A set of drawings.

    Attributes:
        images: ``(N, SIDE, SIDE, 3)``, uint8.
        ages: ``(N,)``, float32, the labelled age in years.
        media: ``(N,)``, index into ``TRAINED + HELD_OUT``.
        cues: ``(N, C)``, float32, the drawn value of each of `anatomy.CURVES`; NaN in a portrait.
    """

    images: NDArray[np.uint8]
    ages: NDArray[np.float32]
    media: NDArray[np.int64]
    cues: NDArray[np.float32]


def draw_faces(
    count: int, seed: int, *, portraits: float = 0.5, held_out: bool = False, processes: int = 1
) -> Faces:
    """Draw faces of ages 0 to 100.

    Args:
        count: Number of faces.
        seed: Other seeds give other faces.
        portraits: Share of faces that `portrait` draws.
        held_out: Whether to draw in the media that training never sees.
        processes: Number of processes; it does not change the drawings.
    """
    numbers = range(count)
    if processes == 1:
        drawn = [draw_face(seed, number, held_out, portraits) for number in numbers]
    else:
        with ProcessPoolExecutor(processes) as pool:
            fixed = repeat(held_out), repeat(portraits)
            jobs = pool.map(draw_face, repeat(seed), numbers, *fixed, chunksize=256)
            drawn = list(jobs)
    images, ages, media, cues = zip(*drawn, strict=True)
    years = np.array(ages, np.float32)
    return Faces(np.stack(images), years, np.array(media, np.int64), np.array(cues, np.float32))


def draw_face(
    seed: int, number: int, held_out: bool, portraits: float
) -> tuple[NDArray[np.uint8], float, int, list[float]]:
    """Draw one face: its image, its age in years, the index of its medium, its cues."""
    generator = np.random.default_rng([seed, number, int(held_out)])
    age = float(generator.integers(0, OLDEST + 1))
    second = portraits > 0 and generator.random() < portraits
    media = HELD_OUT if held_out else (portrait.MEDIA if second else TRAINED)
    medium = media[int(generator.integers(len(media)))]
    style, anatomy = draw_style(medium, generator), grow(age, generator)
    look = draw_look(anatomy, held_out, generator)
    image = Image.new("RGB", (CANVAS, CANVAS), style.paper)
    draw_background(image, generator, style.tone)
    if second:
        portrait.draw_portrait(image, anatomy.apparent, style, generator)
    else:
        draw_person(image, anatomy, look, style, generator)
    cues = [math.nan if second else anatomy[cue] for cue in CURVES]
    done = finish(light(image, style.shade, generator), style, generator)
    small = done.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small), age, (TRAINED + HELD_OUT).index(medium), cues


def draw_person(
    image: Image.Image, anatomy: Anatomy, look: Look, style: Style, generator: Generator
) -> None:
    """Draw a person onto a background."""
    unit = CANVAS * generator.uniform(0.24, 0.36) * anatomy["head_size"]
    centre = (CANVAS * generator.normal(0.5, 0.03), CANVAS * generator.normal(0.5, 0.03))
    pen = Pen(image, style, centre, unit, turn=generator.uniform(-0.14, 0.14))
    draw_back_hair(pen, anatomy, look)
    draw_body(pen, anatomy, look)
    draw_skull(pen, anatomy, look)
    hair_over_brows = generator.random() < 0.5
    if hair_over_brows:
        draw_features(pen, anatomy, look, generator)
    draw_hair(pen, anatomy, look, generator)
    if not hair_over_brows:
        draw_features(pen, anatomy, look, generator)


def draw_look(anatomy: Anatomy, held_out: bool, generator: Generator) -> Look:
    """Draw what age does not decide, though some of it is likelier at some ages."""
    parts = {}
    for part, variants in PARTS.items():
        known = variants if part == "beard" else variants[:-1]
        new = held_out and generator.random() < 0.4
        parts[part] = variants[-1] if new else known[int(generator.integers(len(known)))]
    man = generator.random() < 0.5
    if man and parts["hair"] in ("long", "bob", "bun") and generator.random() < 0.8:
        parts["hair"] = "short"
    skin = blend(_pick(SKINS, generator), _pick(SKINS, generator), generator.uniform(0, 0.5))
    wearing = 0.05 + 0.45 * min(anatomy.apparent / 75, 1.0) ** 2
    return Look(
        skin=_jitter(skin, 8, generator),
        hair=_jitter(_pick(HAIRS, generator), 15, generator),
        clothes=_any_colour(generator),
        iris=_jitter(_pick(HAIRS, generator), 30, generator),
        parts=parts,
        balding=generator.uniform(0.3, 1.1) if man else generator.uniform(0, 0.3),
        beard=man and generator.random() < 0.25,
        glasses=generator.random() < wearing,
        volume=generator.uniform(0.05, 0.35),
        smile=generator.normal(0.05, 0.05),
    )


def draw_background(image: Image.Image, generator: Generator, tone: float) -> None:
    """Plain paper, a colour, stripes, spots or two fields."""
    kind, draw, side = generator.random(), ImageDraw.Draw(image), image.width
    if kind < 0.2:
        return
    first, second = (blend((250, 250, 250), _any_colour(generator), tone) for _ in range(2))
    second = blend(first, second, generator.uniform(0.1, 0.7))
    draw.rectangle((0, 0, side, side), fill=first)
    if kind < 0.55:
        return
    step = int(generator.integers(10, 40))
    for offset in range(-side, 2 * side, 2 * step):
        if kind < 0.7:
            lean = int(generator.integers(-1, 2)) if offset == -side else 0
            draw.line((offset, 0, offset + lean * side, side), fill=second, width=step)
        elif kind < 0.8:
            draw.rectangle((0, offset, side, offset + step), fill=second)
        elif kind < 0.92:
            for row in range(0, side, 2 * step):
                draw.ellipse((offset, row, offset + step, row + step), fill=second)
    if kind >= 0.92:
        level = int(generator.integers(side // 3, side))
        draw.rectangle((0, level, side, side), fill=second)


def light(image: Image.Image, depth: float, generator: Generator) -> Image.Image:
    """A soft light from one side over the whole drawing."""
    angle, side = generator.uniform(0, 2 * np.pi), image.width
    rows, columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    fall = np.cos(angle) * rows + np.sin(angle) * columns + 0.5 * (rows**2 + columns**2)
    lit = np.asarray(image, np.float32) * (1 - depth * 0.5 * np.clip(fall, -0.2, 1.4))[..., None]
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def _pick(colours: tuple[Colour, ...], generator: Generator) -> Colour:
    return colours[int(generator.integers(len(colours)))]


def _jitter(colour: Colour, depth: float, generator: Generator) -> Colour:
    red, green, blue = (int(np.clip(generator.normal(c, depth), 0, 255)) for c in colour)
    return red, green, blue


def _any_colour(generator: Generator) -> Colour:
    red, green, blue = (int(c) for c in generator.integers(20, 250, 3))
    return red, green, blue
