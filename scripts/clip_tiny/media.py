"""The media faces are drawn in: each sets a pen's style and finishes the drawing.

`HELD_OUT` are never trained on: they measure what the model makes of a style it never saw.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from pen import Colour, Style
from PIL import Image, ImageChops, ImageFilter, ImageOps

Finish = Callable[[Image.Image, Generator], Image.Image]

LIGHT = ((250, 248, 240), (255, 255, 255), (238, 228, 205), (226, 232, 238), (214, 205, 190))
INKS = ((20, 18, 22), (50, 30, 20), (25, 35, 70), (70, 25, 25), (45, 45, 50))


def _plain(image: Image.Image, generator: Generator) -> Image.Image:
    return image


def _grain(image: Image.Image, generator: Generator, depth: float) -> Image.Image:
    noise = generator.normal(0, depth, (image.height, image.width, 1)).astype(np.float32)
    grained = np.asarray(image, np.float32) + noise
    return Image.fromarray(np.clip(grained, 0, 255).astype(np.uint8))


def _pencil(image: Image.Image, generator: Generator) -> Image.Image:
    grey = ImageOps.grayscale(image).convert("RGB")
    mixed = Image.blend(grey, image, generator.uniform(0, 0.4))
    return _grain(mixed, generator, generator.uniform(4, 18))


def _charcoal(image: Image.Image, generator: Generator) -> Image.Image:
    grey = ImageOps.autocontrast(ImageOps.grayscale(image), cutoff=2)
    smudged = grey.filter(ImageFilter.GaussianBlur(generator.uniform(0.6, 2.0)))
    dark = ImageChops.darker(grey, smudged).convert("RGB")
    return _grain(dark, generator, generator.uniform(10, 30))


def _blackboard(image: Image.Image, generator: Generator) -> Image.Image:
    negative = np.asarray(ImageOps.invert(ImageOps.grayscale(image)), np.float32) / 255
    board = generator.uniform(10, 70, 3)
    chalk = generator.uniform(200, 255, 3)
    drawn = board + (chalk - board) * negative[..., None]
    return _grain(Image.fromarray(drawn.astype(np.uint8)), generator, generator.uniform(2, 14))


def _painterly(image: Image.Image, generator: Generator) -> Image.Image:
    size = image.height
    shift = generator.normal(0, generator.uniform(1.0, 2.2), (2, size // 4, size // 4))
    fields = [Image.fromarray(field.astype(np.float32)) for field in shift]
    dx, dy = (np.asarray(field.resize((size, size), Image.Resampling.BILINEAR)) for field in fields)
    rows, columns = np.mgrid[:size, :size]
    rows = np.clip(rows + dy, 0, size - 1).astype(int)
    columns = np.clip(columns + dx, 0, size - 1).astype(int)
    brushed = Image.fromarray(np.asarray(image)[rows, columns])
    if generator.random() < 0.5:
        brushed = brushed.filter(ImageFilter.MedianFilter(5))
    return _grain(brushed, generator, generator.uniform(0, 8))


def _pixel(image: Image.Image, generator: Generator) -> Image.Image:
    size = image.height
    cells = int(generator.integers(28, 48))
    small = image.resize((cells, cells), Image.Resampling.BOX)
    colours = int(generator.integers(6, 24))
    few = small.quantize(colours, method=Image.Quantize.FASTOCTREE).convert("RGB")
    return few.resize((size, size), Image.Resampling.NEAREST)


def _woodcut(image: Image.Image, generator: Generator) -> Image.Image:
    grey = np.asarray(ImageOps.grayscale(image), np.float32)
    local = np.asarray(ImageOps.grayscale(image).filter(ImageFilter.GaussianBlur(9)), np.float32)
    cut = 1 / (1 + np.exp(-(grey - 0.75 * local - generator.uniform(20, 40)) / 6))
    dark, light = generator.uniform(0, 70, 3), generator.uniform(190, 255, 3)
    return Image.fromarray((dark + (light - dark) * cut[..., None]).astype(np.uint8))


def _duotone(image: Image.Image, generator: Generator) -> Image.Image:
    grey = np.asarray(ImageOps.grayscale(image), np.float32)[..., None] / 255
    dark, light = generator.uniform(0, 110, 3), generator.uniform(150, 255, 3)
    return Image.fromarray((dark + (light - dark) * grey).astype(np.uint8))


def _halftone(image: Image.Image, generator: Generator) -> Image.Image:
    rows, columns = np.mgrid[: image.height, : image.width]
    step = generator.uniform(3.0, 5.0)
    screen = np.sin(rows * 2 * np.pi / step) * np.sin(columns * 2 * np.pi / step)
    dotted = np.asarray(image, np.float32) + (generator.uniform(15, 45) * screen)[..., None]
    return Image.fromarray(np.clip(dotted, 0, 255).astype(np.uint8))


def _relief(image: Image.Image, generator: Generator) -> Image.Image:
    raised = image.filter(ImageFilter.EMBOSS)
    return Image.blend(image, raised, generator.uniform(0.2, 0.55))


def _modelled(image: Image.Image, generator: Generator) -> Image.Image:
    size = image.height
    soft = image.filter(ImageFilter.GaussianBlur(generator.uniform(0.8, 2.4)))
    rough = generator.normal(0, 1, (6, 6)).astype(np.float32)
    field = np.asarray(Image.fromarray(rough).resize((size, size), Image.Resampling.BICUBIC))
    lit = np.asarray(soft, np.float32) * np.exp(generator.uniform(0.1, 0.35) * field)[..., None]
    solid = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))
    return _grain(solid, generator, generator.uniform(2, 12))


def _watercolour(image: Image.Image, generator: Generator) -> Image.Image:
    wash = image.filter(ImageFilter.GaussianBlur(generator.uniform(2.0, 3.5)))
    wash = Image.blend(wash, Image.new("RGB", wash.size, (252, 250, 244)), 0.35)
    lines = ImageOps.grayscale(image).filter(ImageFilter.FIND_EDGES)
    ink = ImageOps.invert(lines.point(lambda value: min(255, value * 0.8)))
    return ImageChops.multiply(_painterly(wash, generator), ink.convert("RGB"))


def _edge(image: Image.Image, generator: Generator) -> Image.Image:
    sharp = image.filter(ImageFilter.EDGE_ENHANCE_MORE)
    return sharp.quantize(12, method=Image.Quantize.FASTOCTREE).convert("RGB")


def _mosaic(image: Image.Image, generator: Generator) -> Image.Image:
    tiles = np.asarray(image).copy()
    half = int(generator.integers(3, 5))
    coarse = image.resize((image.width // half, image.height // half), Image.Resampling.BOX)
    tiles = np.asarray(coarse.resize(image.size, Image.Resampling.NEAREST)).copy()
    tiles[::half] = tiles[::half] * 0.7
    tiles[:, ::half] = tiles[:, ::half] * 0.7
    return Image.fromarray(tiles)


# Name: finish, range of tone, range of outline width, range of wrinkle contrast.
Range = tuple[float, float]
MEDIA: dict[str, tuple[Finish, Range, Range, Range]] = {
    "flat": (_plain, (0.9, 1.0), (0.0, 0.0), (0.25, 0.7)),
    "cartoon": (_plain, (0.8, 1.0), (0.02, 0.06), (0.4, 1.0)),
    "shaded": (_plain, (0.95, 1.0), (0.0, 0.0), (0.2, 0.55)),
    "pencil": (_pencil, (0.05, 0.5), (0.02, 0.05), (0.5, 1.0)),
    "charcoal": (_charcoal, (0.3, 1.0), (0.02, 0.06), (0.5, 1.0)),
    "blackboard": (_blackboard, (0.0, 0.5), (0.03, 0.06), (0.6, 1.0)),
    "painterly": (_painterly, (0.9, 1.0), (0.0, 0.03), (0.4, 0.9)),
    "pixel": (_pixel, (0.9, 1.0), (0.0, 0.05), (0.5, 1.0)),
    "woodcut": (_woodcut, (0.7, 1.0), (0.02, 0.06), (0.6, 1.0)),
    "duotone": (_duotone, (0.5, 1.0), (0.0, 0.05), (0.4, 1.0)),
    "halftone": (_halftone, (0.8, 1.0), (0.0, 0.05), (0.5, 1.0)),
    "modelled": (_modelled, (0.95, 1.0), (0.0, 0.0), (0.3, 0.8)),
    "relief": (_relief, (0.8, 1.0), (0.0, 0.04), (0.4, 1.0)),
    "watercolour": (_watercolour, (0.8, 1.0), (0.02, 0.05), (0.5, 1.0)),
    "edge": (_edge, (0.8, 1.0), (0.0, 0.05), (0.4, 1.0)),
    "mosaic": (_mosaic, (0.9, 1.0), (0.0, 0.05), (0.6, 1.0)),
}
HELD_OUT = ("watercolour", "edge", "mosaic")
TRAINED = tuple(name for name in MEDIA if name not in HELD_OUT)


def draw_style(medium: str, generator: Generator) -> Style:
    """A pen's style for one face."""
    _, tone, outline, contrast = MEDIA[medium]
    return Style(
        medium=medium,
        tone=generator.uniform(*tone),
        outline=generator.uniform(*outline),
        line=generator.uniform(0.025, 0.06),
        contrast=generator.uniform(*contrast),
        shade=generator.uniform(0.25, 0.7) if medium == "shaded" else generator.uniform(0, 0.25),
        paper=_pick(LIGHT, generator),
        ink=_pick(INKS, generator),
    )


def finish(image: Image.Image, style: Style, generator: Generator) -> Image.Image:
    """Turn the raw drawing into its medium, now and then mixed with a second one."""
    done = MEDIA[style.medium][0](image, generator)
    if style.medium in TRAINED and generator.random() < 0.2:
        second = TRAINED[int(generator.integers(len(TRAINED)))]
        done = MEDIA[second][0](done, generator)
    return done


def _pick(colours: tuple[Colour, ...], generator: Generator) -> Colour:
    return colours[int(generator.integers(len(colours)))]
