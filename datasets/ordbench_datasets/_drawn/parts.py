"""Body, head, eyes, nose, mouth and glasses of a person, as shapes from back to front."""

from __future__ import annotations

import numpy as np

from ordbench_datasets._drawn.age import EYE_X, Anatomy
from ordbench_datasets._drawn.chance import Colour, Look, mix
from ordbench_datasets._drawn.shapes import (
    Points,
    Shape,
    arc,
    bend,
    line,
    mirrored,
    moved,
    oval,
    smooth,
)

_SHADE: Colour = (70, 24, 22)
_WHITE: Colour = (248, 246, 242)
_BLUSH: Colour = (226, 92, 84)


def outline(a: Anatomy) -> Points:
    """The outline of the head, clockwise from its top."""
    half = [
        (0.0, -a.skull),
        (0.6, -0.9 * a.skull),
        (0.97, -0.4 * a.skull),
        (a.cheek, 0.25),
        (a.jaw * (1 + 0.08 * a.sag), 0.72 * a.chin + 0.1 * a.sag),
        (0.4, 0.97 * a.chin),
        (0.0, a.chin),
    ]
    return smooth(mirrored(half))


def body(a: Anatomy, look: Look) -> list[Shape]:
    """Shoulders, neck and collar, all behind the head."""
    top = a.chin + 0.28
    bust = [(0.0, top), (a.neck, top), (0.8 * a.shoulder, top + 0.22), (a.shoulder, 3.6), (0, 4)]
    neck = [(0, 0.5), (a.neck, 0.5), (1.1 * a.neck, top + 0.1), (0.0, top + 0.35)]
    collar = arc(0, top, 1.15 * a.neck, 0.35)
    shapes = [
        Shape(smooth(mirrored(bust), 3), look.cloth),
        Shape(mirrored(neck), mix(look.skin, _SHADE, 0.22)),
        Shape(collar, mix(look.cloth, _WHITE, 0.3), pen=0.12),
    ]
    for side in (-0.4 * a.neck, 0.4 * a.neck):
        loose = line((side, a.chin - 0.1), (0.6 * side, top + 0.3))
        shapes.append(Shape(loose, _SHADE, 0.5 * a.sag, pen=0.1))
    return shapes


def head(a: Anatomy, look: Look) -> list[Shape]:
    """Ears and the head itself, with its soft shading."""
    rim = outline(a)
    rims = [Shape(rim, mix(look.skin, _SHADE, 0.14)), Shape(rim * (0.93, 0.96), look.skin)]
    blush = 0.12 * (1 - a.eye_lines) if a.adult else 0.14
    ears: list[Shape] = []
    for side in (-1, 1):
        ears.append(Shape(oval(side * 0.99, 0.12, 0.15, a.ear), mix(look.skin, _SHADE, 0.12)))
        ears.append(Shape(oval(side * 1.01, 0.12, 0.07, 0.6 * a.ear), _SHADE, 0.25))
        if look.earrings:
            ears.append(Shape(oval(side * 1.04, 0.2 + a.ear, 0.07, 0.08), look.frame))
        rims.append(Shape(oval(side * 0.58, 0.48 * a.chin, 0.24, 0.17), _BLUSH, blush))
        jowl = arc(side * 0.62 * a.jaw / 0.8, 0.8 * a.chin, 0.2, 0.16)
        rims.append(Shape(jowl, _SHADE, 0.5 * a.sag, pen=0.09))
    return ears + rims


def eyes(a: Anatomy, look: Look) -> list[Shape]:
    """Both eyes with lids and brows."""
    height = 0.012 if look.blink else a.eye_height * (1 - 0.45 * a.lid)
    y = 0.25 * a.lid * a.eye_height
    brow_y = -1.55 * a.eye_height - 0.16 - 0.07 * look.brow_raise + 0.04 * a.lid
    hair = mix(look.hair, (40, 30, 28), 0.35 - 0.2 * a.grey)
    shapes: list[Shape] = []
    for side in (-1, 1):
        x = side * EYE_X
        socket = oval(x, 0.0, 1.35 * a.eye_width, 1.5 * a.eye_height + 0.04)
        shapes.append(Shape(socket, _SHADE, 0.08 + 0.1 * a.eye_lines))
        shapes.append(Shape(oval(x, y, a.eye_width, height), _WHITE))
        if not look.blink:
            for radius, colour in ((a.iris, look.iris), (0.5 * a.iris, (16, 12, 14))):
                shapes.append(Shape(_between_lids(a, x, y, radius, height), colour))
            gleam = oval(x + 0.35 * a.iris, y - 0.3 * height, 0.3 * a.iris, 0.3 * a.iris)
            shapes.append(Shape(gleam, _WHITE, 0.9))
        lid = arc(x, y, 1.1 * a.eye_width, -1.15 * height)
        shapes.append(Shape(lid, (38, 24, 24), 0.9, pen=0.07 + 0.03 * look.make_up))
        hooded = arc(x, y - 0.6 * height, 1.2 * a.eye_width, -height - 0.05)
        shapes.append(Shape(hooded, _SHADE, 0.35 + 0.4 * a.lid, pen=0.05))
        brow = arc(x + side * 0.03, brow_y, 1.15 * a.eye_width, -0.09)
        brow[:, 1] += side * 0.12 * a.lid * (brow[:, 0] - x)
        shapes.append(Shape(brow, hair, 0.95, 0.05, pen=1.5 * a.brow))
    return shapes


def _between_lids(a: Anatomy, x: float, y: float, radius: float, height: float) -> Points:
    """A disc in the middle of the eye, cut off by the lids."""
    disc = oval(0, 0, radius, radius)
    bound = height * np.sqrt(np.maximum(0, 1 - (disc[:, 0] / a.eye_width) ** 2))
    disc[:, 1] = np.clip(disc[:, 1], -bound, bound)
    return moved(disc, x, y)


def nose(a: Anatomy, look: Look) -> list[Shape]:
    """The nose, which stands out of the face."""
    length, width = a.nose_length, a.nose_width
    dark = mix(look.skin, _SHADE, 0.5)
    bridge = mirrored([(0, -0.02), (0.09, -0.02), (width, length), (0, length)])
    rosy, below = mix(look.skin, (214, 96, 80), 0.2), arc(0, length, 0.8 * width, 0.4 * width)
    shapes = [
        Shape(bridge, mix(look.skin, _WHITE, 0.25), 0.35, 0.12),
        Shape(oval(0, length, width, 0.55 * width), rosy, 0.8, 0.2),
        Shape(moved(below, 0, 0.2 * width), dark, 0.8, 0.18, pen=0.06),
    ]
    for side in (-1, 1):
        wing = bend((side * 0.1, 0.1), (side * 0.08, 0.55 * length), (side * width, length))
        shapes.append(Shape(wing, dark, 1.5 * width, 0.12, pen=0.05))
        nostril = oval(side * 0.5 * width, length + 0.3 * width, 0.2 * width, 0.13 * width)
        shapes.append(Shape(nostril, _SHADE, 0.8, 0.18))
    return shapes


def mouth(a: Anatomy, look: Look) -> list[Shape]:
    """Lips, and what an open mouth shows."""
    y = a.mouth
    width = a.mouth_width * (1 + 0.12 * max(look.smile, 0.0))
    curve = 0.16 * look.smile - 0.03 * a.sag
    opening = 0.2 * min(look.mouth_open, 1.2)
    red = mix(look.skin, (176, 70, 72), 0.55 - 0.25 * a.sag)
    red = mix(red, (190, 30, 50), 0.7 * look.make_up)
    upper, lower = arc(0, y, width, curve), arc(0, y, width, curve + opening)
    shapes = [
        Shape(moved(lower, 0, 0.5 * a.lip), red, pen=1.8 * a.lip),
        Shape(moved(upper, 0, -0.35 * a.lip), mix(red, _SHADE, 0.15), pen=1.4 * a.lip),
    ]
    if opening > 0.03:
        gap = np.concatenate([upper, lower[::-1]])
        teeth = np.concatenate([upper, arc(0, y, width, curve + 0.45 * opening)[::-1]])
        shapes += [Shape(gap, (88, 24, 30)), Shape(teeth, _WHITE, 0.85)]
    return [*shapes, Shape(upper, mix(red, _SHADE, 0.75), pen=0.05)]


def glasses(look: Look) -> list[Shape]:
    """Two rims, a bridge and the temples, if glasses are worn."""
    if not look.glasses:
        return []
    shapes = [Shape(arc(0, -0.02, 0.14, -0.06), look.frame, lift=0.25, pen=0.08)]
    for side in (-1, 1):
        outer, inner = oval(0, 0, 0.33, 0.29), oval(0, 0, 0.28, 0.24)
        # Out along the outer rim and back along the inner one: a ring without a hole's rule.
        ring = np.concatenate([outer, outer[:1], inner[:1], inner[::-1]])
        shapes.append(Shape(moved(ring, side * EYE_X, 0.03), look.frame, lift=0.15))
        temple = line((side * 0.74, -0.03), (side * 0.98, -0.06))
        shapes.append(Shape(temple, look.frame, pen=0.08))
    return shapes
