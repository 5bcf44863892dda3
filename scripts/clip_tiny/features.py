"""The small shapes of a drawn face: eyes, brows, nose, mouth, wrinkles, beard, glasses."""

from anatomy import Anatomy
from head import Look, hair_colour, half_width
from numpy.random import Generator
from pen import Colour, Pen, Point, blend

WHITE: Colour = (248, 248, 244)


def draw_features(pen: Pen, anatomy: Anatomy, look: Look, generator: Generator) -> None:
    """Everything inside the face, from back to front."""
    draw_wrinkles(pen, anatomy, look, generator)
    draw_clutter(pen, anatomy, look, generator)
    draw_mouth(pen, anatomy, look)
    if look.beard and anatomy.apparent > 18:
        draw_beard(pen, anatomy, look)
    draw_nose(pen, anatomy, look)
    for side in (-1, 1):
        draw_eye(pen, anatomy, look, side)
        draw_brow(pen, anatomy, look, side)
    if look.glasses:
        draw_glasses(pen, anatomy)


def eye_place(anatomy: Anatomy, pen: Pen, side: int) -> Point:
    """Middle of one eye; side is -1 or 1."""
    return side * 0.41 + pen.turn, anatomy["eye_level"]


def feature_ink(pen: Pen, look: Look) -> Colour:
    """Colour of drawn lines inside the face."""
    return blend(look.skin, pen.style.ink, 0.85)


def wrinkle_ink(pen: Pen, look: Look, depth: float) -> Colour:
    """Colour of a wrinkle of depth 0 to 1."""
    base = blend(pen.style.paper, look.skin, pen.style.tone)
    return blend(base, pen.style.ink, pen.style.contrast * min(1.0, 0.25 + 0.75 * depth))


def draw_wrinkles(pen: Pen, anatomy: Anatomy, look: Look, generator: Generator) -> None:
    """Lines of the forehead, eyes, nose and mouth; spots; a child's blush."""
    line, tall = pen.style.line, anatomy["aspect"]
    if anatomy["blush"] > 0.25:
        for side in (-1, 1):
            rosy = blend(look.skin, (225, 90, 80), 0.4 * min(1.0, anatomy["blush"]))
            pen.oval(
                (side * 0.55 + pen.turn, anatomy["eye_level"] + 0.42), (0.2, 0.14), rosy, False
            )
    count = max(0.0, anatomy["forehead_lines"])
    top = -0.52 * tall
    for i in range(int(count + generator.random())):
        ink = wrinkle_ink(pen, look, min(1.0, count / 3))
        y, reach = top + 0.115 * i, 0.32 + 0.05 * count
        pen.arc((pen.turn - reach, y), (pen.turn + reach, y), -0.04, ink, line * 0.8)
    for side in (-1, 1):
        _side_wrinkles(pen, anatomy, look, side)
    for _ in range(round(max(0.0, anatomy["spots"]))):
        place = (generator.uniform(-0.75, 0.75), generator.uniform(-0.7, 0.6) * tall)
        pen.dot(place, generator.uniform(0.02, 0.05), wrinkle_ink(pen, look, 0.2))


def draw_clutter(pen: Pen, anatomy: Anatomy, look: Look, generator: Generator) -> None:
    """Strokes, shadows and freckles that mean no age, on some faces of every age."""
    tall = anatomy["aspect"]
    if generator.random() < 0.3:
        for _ in range(int(generator.integers(1, 7))):
            x, y = generator.uniform(-0.8, 0.8), generator.uniform(-0.8, 0.8) * tall
            dx, dy = generator.normal(0, 0.22, 2)
            ink = wrinkle_ink(pen, look, generator.uniform(0, 0.7))
            bend = generator.normal(0, 0.06)
            pen.arc((x, y), (x + dx, y + dy), bend, ink, pen.style.line * generator.uniform(0.5, 1))
    if generator.random() < 0.3:
        for _ in range(int(generator.integers(1, 4))):
            place = (generator.uniform(-0.7, 0.7), generator.uniform(-0.7, 0.7) * tall)
            size = (generator.uniform(0.1, 0.45), generator.uniform(0.1, 0.45))
            other = WHITE if generator.random() < 0.4 else pen.style.ink
            pen.oval(place, size, blend(look.skin, other, generator.uniform(0.05, 0.25)), False)
    if generator.random() < 0.12:
        for _ in range(int(generator.integers(4, 16))):
            place = (generator.uniform(-0.7, 0.7), generator.uniform(-0.2, 0.5) * tall)
            pen.dot(place, generator.uniform(0.015, 0.04), wrinkle_ink(pen, look, 0.2))


def _side_wrinkles(pen: Pen, anatomy: Anatomy, look: Look, side: int) -> None:
    line, (x, y) = pen.style.line * 0.8, eye_place(anatomy, pen, side)
    size, bags, crow = anatomy["eye_size"], anatomy["eye_bags"], anatomy["crow_feet"]
    if bags > 0.12:
        low = y + size * (1.0 + 0.3 * bags)
        ink = wrinkle_ink(pen, look, bags)
        pen.arc((x - size, low), (x + size, low), 0.07 + 0.06 * bags, ink, line)
    if crow > 0.12:
        for lift in (-0.1, 0.0, 0.1)[: 1 + round(2 * min(crow, 1.0))]:
            near, reach = x + side * (size + 0.1), 0.1 + 0.14 * crow
            end = (near + side * reach, y + lift * 2.2)
            pen.stroke([(near, y + lift), end], wrinkle_ink(pen, look, crow), line)
    mouth = mouth_level(anatomy)
    fold = anatomy["nasolabial"]
    if fold > 0.12:
        start = (pen.turn + side * (anatomy["nose_width"] + 0.07), nose_level(anatomy) - 0.05)
        reach = min(1.0, 0.4 + 0.7 * fold)
        end = (start[0] + side * 0.17 * reach, start[1] + (mouth - start[1]) * reach)
        pen.arc(start, end, 0.0, wrinkle_ink(pen, look, fold), line)
    droop = anatomy["marionette"]
    if droop > 0.12:
        start = (pen.turn + side * (anatomy["mouth_width"] + 0.06), mouth + 0.02)
        end = (start[0] + side * 0.05, mouth + 0.1 + 0.2 * droop)
        pen.stroke([start, end], wrinkle_ink(pen, look, droop), line)
    if anatomy["sag"] > 0.4:
        jowl = (side * 0.62 * half_width(anatomy, look, 0.7) + pen.turn, 0.74 * anatomy["aspect"])
        end = (jowl[0] + side * 0.22, jowl[1] - 0.16)
        pen.arc(jowl, end, 0.06, wrinkle_ink(pen, look, anatomy["sag"] * 0.7), line)


def nose_level(anatomy: Anatomy) -> float:
    """Height of the nose's tip."""
    return anatomy["eye_level"] + 0.08 + anatomy["nose_length"]


def mouth_level(anatomy: Anatomy) -> float:
    """Height of the mouth: the chin is short in a child."""
    low = anatomy["aspect"] * (1 - anatomy["chin"] * 0.78)
    return max(low, nose_level(anatomy) + 0.16)


def draw_eye(pen: Pen, anatomy: Anatomy, look: Look, side: int) -> None:
    """One eye, with a lid that droops with age."""
    (x, y), size, ink = eye_place(anatomy, pen, side), anatomy["eye_size"], feature_ink(pen, look)
    variant, line = look.parts["eye"], pen.style.line
    if variant == "dot":
        pen.dot((x, y), size * 0.6, ink)
    elif variant == "slit":
        pen.arc((x - size, y), (x + size, y), -size * 0.7, ink, line * 1.3)
        pen.dot((x, y), size * 0.5, ink)
    else:
        tall = {"round": 1.0, "oval": 0.75, "tall": 1.3, "almond": 0.6}[variant]
        pen.oval((x, y), (size, size * tall), WHITE)
        pen.dot((x + pen.turn * 0.3, y), size * min(tall, 1.0) * 0.72, look.iris)
        pen.dot((x + pen.turn * 0.3, y), size * min(tall, 1.0) * 0.42, ink)
        pen.dot((x - size * 0.2, y - size * 0.25), size * 0.15, WHITE)
    droop = anatomy["lid_droop"]
    if droop > 0.12:
        lid = blend(look.skin, pen.style.ink, 0.12)
        low = y - size + size * 1.1 * min(droop, 0.9)
        corners = [(x - size * 1.15, low), (x + side * 0.0, low - size * 0.15)]
        box = [(x + size * 1.15, low), (x + size, y - size * 1.35), (x - size, y - size * 1.35)]
        pen.area([*corners, *box], lid, outlined=False)
        slope = size * 0.4 * droop
        inner, outer = (x - side * size * 1.1, low), (x + side * size * 1.2, low + slope)
        pen.stroke([inner, outer], ink, line)


def draw_brow(pen: Pen, anatomy: Anatomy, look: Look, side: int) -> None:
    """One brow; heavier in adults, greying and drooping later."""
    x, y = eye_place(anatomy, pen, side)
    size, droop = anatomy["eye_size"], anatomy["brow_droop"]
    colour = blend(
        hair_colour(anatomy, look), pen.style.ink, 0.45 if anatomy.apparent < 60 else 0.2
    )
    height = y - size - max(anatomy["brow_gap"], 0.03)
    inner, outer = (x - side * size * 1.1, height), (x + side * size * 1.3, height + droop)
    pen.arc(inner, outer, -0.05, colour, max(anatomy["brow_weight"], 0.02))


def draw_nose(pen: Pen, anatomy: Anatomy, look: Look) -> None:
    """The nose, which keeps growing."""
    tip, wide, ink = nose_level(anatomy), anatomy["nose_width"], feature_ink(pen, look)
    x, top, line = pen.turn * 1.3, anatomy["eye_level"] + 0.1, pen.style.line
    variant = look.parts["nose"]
    if variant == "dots":
        for side in (-1, 1):
            pen.dot((x + side * wide * 0.5, tip), 0.035, ink)
    elif variant == "bulb":
        pen.oval((x, tip - wide * 0.6), (wide, wide * 0.8), blend(look.skin, (190, 80, 70), 0.2))
    elif variant == "wedge":
        darker = blend(look.skin, pen.style.ink, 0.2)
        pen.area(
            [(x - wide * 0.3, top), (x - wide, tip), (x + wide, tip), (x + wide * 0.3, top)], darker
        )
    elif variant == "hook":
        pen.stroke([(x, top), (x + wide, tip - 0.05), (x, tip)], ink, line)
    else:
        pen.arc((x - wide, tip - 0.04), (x + wide, tip - 0.04), wide * 0.5, ink, line)
        if anatomy["nose_length"] > 0.3:
            pen.stroke([(x + wide * 0.6, top), (x + wide * 0.8, tip - 0.12)], ink, line * 0.7)


def draw_mouth(pen: Pen, anatomy: Anatomy, look: Look) -> None:
    """The mouth, whose lips thin with age."""
    x, y, wide = pen.turn, mouth_level(anatomy), max(anatomy["mouth_width"], 0.12)
    lip, ink = max(anatomy["lip"], 0.0), feature_ink(pen, look)
    red = blend(look.skin, (170, 50, 55), 0.6)
    variant = look.parts["mouth"]
    if variant == "open" and look.smile > 0:
        pen.area([(x - wide, y), (x + wide, y), (x, y + 0.1 + look.smile)], (130, 40, 45))
        pen.area([(x - wide * 0.8, y), (x + wide * 0.8, y), (x, y + 0.08)], WHITE, False)
    elif variant == "line":
        pen.arc((x - wide, y), (x + wide, y), look.smile, ink, pen.style.line + lip * 0.3)
    else:
        flat = 1.0 if variant == "full" else 0.6
        if lip > 0.03:
            pen.oval((x, y + lip * 0.3), (wide * 0.85, lip * flat), red, outlined=False)
        pen.arc((x - wide, y), (x + wide, y), look.smile * 0.6, ink, pen.style.line * 0.8)


def draw_beard(pen: Pen, anatomy: Anatomy, look: Look) -> None:
    """A beard or a moustache in the colour of the hair."""
    colour, y, tall = hair_colour(anatomy, look), mouth_level(anatomy), anatomy["aspect"]
    if look.parts["beard"] == "full":
        levels = [0.25 + 0.0625 * i for i in range(13)]
        right = [(half_width(anatomy, look, t) + 0.03, t * tall + 0.08 * t) for t in levels]
        left = [(-x, low) for x, low in right]
        upper = [(-0.5 + pen.turn, y - 0.08), (0.5 + pen.turn, y - 0.08)]
        pen.area([*left, *right[::-1], upper[1], upper[0]], colour)
        draw_mouth(pen, anatomy, look)
    else:
        wide = anatomy["mouth_width"]
        low = y - 0.03
        pen.area([(pen.turn - wide, low), (pen.turn, low - 0.14), (pen.turn + wide, low)], colour)


def draw_glasses(pen: Pen, anatomy: Anatomy) -> None:
    """Two rims and a bridge."""
    ink, line, size = pen.style.ink, pen.style.line, max(anatomy["eye_size"] * 1.45, 0.24)
    for side in (-1, 1):
        x, y = eye_place(anatomy, pen, side)
        box = pen.pixels([(x - size, y - size * 0.85), (x + size, y + size * 0.85)])
        pen.draw.ellipse([box[0], box[1]], outline=ink, width=pen.width(line * 1.2))
    left, right = (eye_place(anatomy, pen, side) for side in (-1, 1))
    pen.arc((left[0] + size, left[1]), (right[0] - size, right[1]), -0.05, ink, line)
