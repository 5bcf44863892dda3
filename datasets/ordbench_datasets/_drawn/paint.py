"""From shapes to pixels: camera, backdrop, light, blur and noise."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from ordbench_datasets._drawn import hair, marks, parts
from ordbench_datasets._drawn.age import Anatomy, anatomy_of
from ordbench_datasets._drawn.chance import Colour, Look, Scene, look_of, mix, scene_of
from ordbench_datasets._drawn.shapes import Points, Shape, outlined

SIDE = 64
_FINE = 2
_WIDE = SIDE * _FINE
_AXIS = np.linspace(-1, 1, SIDE, dtype=np.float32)


def paint(visible_age: float, rng: np.random.Generator) -> Image.Image:
    """Draw a person who looks ``visible_age`` years old, 64 x 64 pixels, RGB."""
    anatomy = anatomy_of(visible_age, rng)
    look, scene = look_of(anatomy, rng), scene_of(rng)
    details = np.random.default_rng(scene.seed)
    picture = backdrop(scene, details)
    shapes = _shapes(anatomy, look, scene, details)
    return photograph(picture, shapes, _project(shapes, anatomy, scene), scene, details)


def photograph(
    picture: Image.Image,
    shapes: list[Shape],
    corners: Points,
    scene: Scene,
    details: np.random.Generator,
) -> Image.Image:
    """Draw shapes on a backdrop and take the picture: 64 x 64 pixels, RGB.

    Args:
        picture: What `backdrop` gave; it is drawn upon.
        shapes: Filled outlines, from back to front.
        corners: Their corners, one after the other, in pixels of the fine picture.
        scene: Light, blur and noise.
        details: Draws the noise.
    """
    _fill(picture, shapes, corners)
    picture = picture.reduce(_FINE)
    if scene.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(scene.blur))
    return Image.fromarray(_expose(np.asarray(picture), scene, details))


def png(picture: Image.Image) -> bytes:
    """Encode as PNG; the same picture gives the same bytes with the same Pillow.

    Uncompressed, since grain hardly shrinks: 12 instead of 8 kB, written and read in half the time.
    """
    file = BytesIO()
    picture.save(file, "PNG", compress_level=0)
    return file.getvalue()


def _shapes(a: Anatomy, look: Look, scene: Scene, rng: np.random.Generator) -> list[Shape]:
    shapes = [
        *hair.behind(a, look),
        *parts.body(a, look),
        *parts.head(a, look),
        _shadow(a, scene),
        *marks.spots(a, look, rng),
        *marks.wrinkles(a, look),
        *hair.beard(a, look),
        *parts.mouth(a, look),
        *parts.eyes(a, look),
        *parts.nose(a, look),
        *hair.before(a, look),
        *parts.glasses(look),
    ]
    return outlined([shape for shape in shapes if shape.alpha > 0.02])


def _shadow(a: Anatomy, scene: Scene) -> Shape:
    """The side of the face that is turned away from the light."""
    rim = parts.outline(a)
    away = -1.0 if scene.light[0] > 0 else 1.0
    edge = rim.copy()
    edge[:, 0] = np.where(edge[:, 0] * away > 0, edge[:, 0], -0.55 * edge[:, 0])
    return Shape(edge, (50, 20, 40), 0.05 + 0.5 * abs(scene.light[0]))


def _project(shapes: list[Shape], a: Anatomy, scene: Scene) -> Points:
    """All corners, one after the other, in pixels of the fine picture."""
    corners = np.concatenate([shape.points for shape in shapes])
    lift = np.repeat([shape.lift for shape in shapes], [len(shape.points) for shape in shapes])
    x, y = corners[:, 0], corners[:, 1]
    middle = (a.chin - a.skull) / 2
    depth = np.maximum(0, 1 - x**2 - ((y - middle) / 1.5) ** 2) + lift
    return in_pixels(x + depth * scene.yaw, y - middle + depth * scene.pitch, scene)


def in_pixels(x: NDArray[np.float64], y: NDArray[np.float64], scene: Scene) -> Points:
    """Roll, scale and shift: from half widths of the subject to pixels of the fine picture."""
    cos, sin = np.cos(scene.roll), np.sin(scene.roll)
    size = _FINE * scene.scale
    centre = [_FINE * (SIDE / 2 + shift) for shift in scene.shift]
    return np.stack(
        [centre[0] + size * (cos * x - sin * y), centre[1] + size * (sin * x + cos * y)], 1
    )


def _fill(picture: Image.Image, shapes: list[Shape], corners: Points) -> None:
    pen = ImageDraw.Draw(picture, "RGBA")
    flat = corners.ravel().tolist()
    start = 0
    for shape in shapes:
        end = start + 2 * len(shape.points)
        pen.polygon(flat[start:end], fill=(*_ink(shape.colour), int(255 * shape.alpha)))
        start = end


def backdrop(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """What is behind the subject, twice as fine as the picture will be."""
    first, second = _ink(scene.colours[0]), _ink(scene.colours[1])
    picture = Image.new("RGB", (_WIDE, _WIDE), first)
    pen = ImageDraw.Draw(picture)
    if scene.backdrop == "gradient":
        for row in range(0, _WIDE, 4):
            shade = mix(scene.colours[0], scene.colours[1], row / _WIDE)
            pen.rectangle((0, row, _WIDE, row + 4), fill=_ink(shade))
    elif scene.backdrop == "stripes":
        slant, width = rng.uniform(-0.6 * _WIDE, 0.6 * _WIDE), rng.uniform(0.06, 0.19) * _WIDE
        for x in np.arange(-0.6 * _WIDE, 1.6 * _WIDE, 2 * width).tolist():
            pen.line((x, -9, x + slant, _WIDE + 9), fill=second, width=int(width))
    elif scene.backdrop == "blots":
        for x, y, radius in (_WIDE * rng.uniform((0, 0, 0.05), (1, 1, 0.19), (9, 3))).tolist():
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=second)
    elif scene.backdrop == "horizon":
        left, right = rng.uniform(0.2 * _WIDE, 0.8 * _WIDE, 2).tolist()
        pen.polygon([(0, left), (_WIDE, right), (_WIDE, _WIDE), (0, _WIDE)], fill=second)
    elif scene.backdrop == "panes":
        step, width = int(rng.uniform(0.16, 0.37) * _WIDE), int(rng.integers(2, 7))
        for line in range(int(rng.integers(step)), _WIDE, step):
            pen.line((line, 0, line, _WIDE), fill=second, width=width)
            pen.line((0, line, _WIDE, line), fill=second, width=width)
    return picture


def _ink(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = colour
    return int(red), int(green), int(blue)


def _expose(
    picture: NDArray[np.uint8], scene: Scene, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Light, tint, and a grain that is the same in the three colours."""
    gain = 1 + np.add.outer(scene.light[1] * _AXIS, scene.light[0] * _AXIS)
    grain = scene.noise * rng.standard_normal((SIDE, SIDE), dtype=np.float32)
    exposed = picture * np.multiply.outer(gain, np.array(scene.tint, dtype=np.float32))
    exposed += grain[:, :, None]
    np.maximum(exposed, 0, out=exposed)
    np.minimum(exposed, 255, out=exposed)
    finished: NDArray[np.uint8] = exposed.astype(np.uint8)
    return finished
