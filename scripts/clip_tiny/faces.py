"""Faces of a known age, drawn by hand."""

from anatomy import CURVES, Anatomy, grow
from features import draw_features
from head import Look, draw_back_hair, draw_body, draw_hair, draw_skull
from numpy.random import Generator
from pen import Colour, Pen, Style, blend
from PIL import Image
from scene import CANVAS, any_colour, draw_background, jitter

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


def draw_face(
    age: float, style: Style, held_out: bool, generator: Generator
) -> tuple[Image.Image, list[float]]:
    """Draw a face of an age in years on a background; also its cues, in the order of `CURVES`."""
    anatomy = grow(age, generator)
    look = draw_look(anatomy, held_out, generator)
    image = Image.new("RGB", (CANVAS, CANVAS), style.paper)
    draw_background(image, generator, style.tone)
    draw_person(image, anatomy, look, style, generator)
    return image, [anatomy[cue] for cue in CURVES]


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
        skin=jitter(skin, 8, generator),
        hair=jitter(_pick(HAIRS, generator), 15, generator),
        clothes=any_colour(generator),
        iris=jitter(_pick(HAIRS, generator), 30, generator),
        parts=parts,
        balding=generator.uniform(0.3, 1.1) if man else generator.uniform(0, 0.3),
        beard=man and generator.random() < 0.25,
        glasses=generator.random() < wearing,
        volume=generator.uniform(0.05, 0.35),
        smile=generator.normal(0.05, 0.05),
    )


def _pick(colours: tuple[Colour, ...], generator: Generator) -> Colour:
    return colours[int(generator.integers(len(colours)))]
