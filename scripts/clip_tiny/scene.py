"""What lies behind a drawing and over it: its size, its background, its light."""

import numpy as np
from numpy.random import Generator
from pen import Colour, blend
from PIL import Image, ImageDraw

SIDE = 72
CANVAS = 2 * SIDE


def any_colour(generator: Generator) -> Colour:
    """A colour by chance, neither black nor white."""
    red, green, blue = (int(c) for c in generator.integers(20, 250, 3))
    return red, green, blue


def jitter(colour: Colour, depth: float, generator: Generator) -> Colour:
    """A colour near another one, each channel moved by a standard deviation of ``depth``."""
    red, green, blue = (int(np.clip(generator.normal(c, depth), 0, 255)) for c in colour)
    return red, green, blue


def draw_background(image: Image.Image, generator: Generator, tone: float) -> None:
    """Plain paper, a colour, stripes, spots or two fields."""
    kind, draw, side = generator.random(), ImageDraw.Draw(image), image.width
    if kind < 0.2:
        return
    first, second = (blend((250, 250, 250), any_colour(generator), tone) for _ in range(2))
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
