"""The anatomy of the benchmark's ``drawn-faces``, drawn in media that the benchmark never uses.

How age shows is then known to the model, and how the benchmark paints it (flat colours without
outlines, lens blur, light, grain) is not. The people are others: see `faces.draw_face`.
"""

import numpy as np
from numpy.random import Generator
from pen import Colour, Style, blend
from PIL import Image, ImageDraw

from ordbench_datasets._drawn.age import anatomy_of
from ordbench_datasets._drawn.chance import look_of, scene_of
from ordbench_datasets._drawn.paint import _FINE, SIDE, _project, _shapes

# Outlined or without colours of their own: none of them looks like the benchmark.
MEDIA = (
    "cartoon",
    "pencil",
    "charcoal",
    "blackboard",
    "pixel",
    "woodcut",
    "duotone",
    "halftone",
    "relief",
)
OUTLINE = 0.02  # least width, in half face widths


def draw_portrait(image: Image.Image, apparent: float, style: Style, generator: Generator) -> None:
    """Draw a person who looks so many years old onto a background."""
    anatomy = anatomy_of(apparent, generator)
    look, scene = look_of(anatomy, generator), scene_of(generator)
    shapes = _shapes(anatomy, look, scene, generator)
    corners = _project(shapes, anatomy, scene) * (image.width / (_FINE * SIDE))
    pen = ImageDraw.Draw(image, "RGBA")
    width = max(1, round(max(style.outline, OUTLINE) * scene.scale * image.width / SIDE))
    start = 0
    for shape in shapes:
        end = start + len(shape.points)
        points = [tuple(point) for point in corners[start:end].tolist()]
        start = end
        colour = _whole(shape.colour)
        fill = blend(style.paper, colour, style.tone) if shape.alpha > 0.95 else colour
        pen.polygon(points, fill=(*fill, int(255 * shape.alpha)))
        if shape.alpha > 0.95:
            ink = blend(colour, style.ink, 0.8)
            pen.line([*points, points[0]], fill=ink, width=width, joint="curve")


def _whole(colour: tuple[float, float, float]) -> Colour:
    red, green, blue = np.clip(np.round(colour), 0, 255).astype(int).tolist()
    return red, green, blue
