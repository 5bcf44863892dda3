"""What chance alone decides about a picture: the person's looks, the pose and the scene.

None of it says anything about the age beyond what `Anatomy` says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordbench_datasets._drawn.age import Anatomy

Colour = tuple[float, float, float]

SKINS: tuple[Colour, ...] = (
    (255, 226, 205),
    (247, 205, 173),
    (228, 178, 138),
    (196, 142, 102),
    (150, 101, 70),
    (101, 66, 47),
)
HAIRS: tuple[Colour, ...] = (
    (34, 28, 30),
    (62, 42, 32),
    (104, 70, 44),
    (150, 78, 42),
    (201, 160, 92),
    (228, 200, 140),
)
IRISES: tuple[Colour, ...] = ((70, 48, 34), (92, 112, 70), (74, 112, 150), (50, 38, 36))
GREY: Colour = (222, 221, 224)
STYLES = ("short", "parted", "fringe", "bob", "long", "curly", "bun", "hat")
BACKDROPS = ("plain", "gradient", "stripes", "blots", "horizon", "panes")


@dataclass(frozen=True, kw_only=True)
class Look:
    """Looks of a person: colours are red, green and blue from 0 to 255; amounts from 0 to 1.

    Attributes:
        skin: Colour of the skin.
        hair: Colour of the hair, greyed.
        beard: Colour of the beard, greyed.
        iris: Colour of the eyes.
        cloth: Colour of the clothes.
        frame: Colour of glasses and earrings.
        style: One of `STYLES`.
        parting: Where the hair is parted, from -1 to 1.
        beard_length: 0 for none, up to 0.25 stubble, then a full beard.
        glasses: Whether glasses are worn.
        earrings: Whether earrings are worn.
        make_up: How red the lips are.
        smile: How far the mouth's corners are raised; negative for lowered.
        mouth_open: How far the mouth stands open.
        brow_raise: How far the brows are raised.
        blink: Whether the eyes are closed.
    """

    skin: Colour
    hair: Colour
    beard: Colour
    iris: Colour
    cloth: Colour
    frame: Colour
    style: str
    parting: float
    beard_length: float
    glasses: bool
    earrings: bool
    make_up: float
    smile: float
    mouth_open: float
    brow_raise: float
    blink: bool


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Camera and surroundings.

    Attributes:
        scale: Half width of the head, in pixels of the finished picture.
        shift: Where the head's middle is, in pixels right of and below the picture's middle.
        roll: Tilt of the head, in radians.
        yaw: Turn of the head to the right, as a sine.
        pitch: How far the head is lowered, as a sine.
        light: Gain of the light along x and y: 0.2 is 20 % brighter at the right or lower edge.
        tint: Gain of red, green and blue.
        blur: Radius of the lens's blur, in pixels.
        noise: Standard deviation of the sensor's noise, of 255.
        backdrop: One of `BACKDROPS`.
        colours: Two colours of the backdrop.
        seed: Draws the backdrop's details and the noise.
    """

    scale: float
    shift: tuple[float, float]
    roll: float
    yaw: float
    pitch: float
    light: tuple[float, float]
    tint: Colour
    blur: float
    noise: float
    backdrop: str
    colours: tuple[Colour, Colour]
    seed: int


def look_of(anatomy: Anatomy, rng: np.random.Generator) -> Look:
    """Draw the looks of a person; hair greys as ``anatomy`` says, unless it is dyed."""
    chance = rng.random(16).tolist()
    natural = jitter(HAIRS[int(rng.integers(len(HAIRS)))], 10, rng)
    dyed = chance[0] < 0.1 and anatomy.adult
    hair = natural if dyed else mix(natural, GREY, anatomy.grey)
    long_hair = chance[1] < 0.5
    styles = ("parted", "fringe", "bob", "long", "bun", "curly") if long_hair else STYLES[:6:2]
    style = styles[int(chance[2] * len(styles))] if chance[3] > 0.07 else "hat"
    can_grow = anatomy.adult and not long_hair
    return Look(
        skin=jitter(between(SKINS, chance[4]), 6, rng),
        hair=hair,
        beard=mix(natural, GREY, min(1.0, anatomy.grey * 1.1)),
        iris=IRISES[int(chance[5] * len(IRISES))],
        cloth=jitter((128, 128, 128), 55, rng),
        frame=jitter((70, 60, 60), 35, rng),
        style=style,
        parting=2 * chance[6] - 1,
        beard_length=chance[7] if can_grow and chance[8] < 0.4 else 0.0,
        glasses=chance[9] < 0.08 + 0.35 * anatomy.old_sight,
        earrings=anatomy.adult and long_hair and chance[10] < 0.4,
        make_up=chance[11] if anatomy.adult and long_hair else 0.0,
        smile=float(rng.normal(0.3, 0.45)),
        mouth_open=max(0.0, float(rng.normal(-0.3, 0.6))),
        brow_raise=float(rng.normal(0, 0.5)),
        blink=chance[12] < 0.04,
    )


def scene_of(rng: np.random.Generator) -> Scene:
    """Draw pose, light, blur, noise and backdrop."""
    direction, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.4)
    shift = rng.normal(0, 1.8, 2).tolist()
    tint = (rng.normal(1, 0.05, 3) * rng.uniform(0.72, 1.15)).tolist()
    return Scene(
        scale=float(rng.uniform(16.5, 20.5)),
        shift=(shift[0], shift[1]),
        roll=float(rng.normal(0, 0.13)),
        yaw=float(np.clip(rng.normal(0, 0.16), -0.36, 0.36)),
        pitch=float(np.clip(rng.normal(0, 0.09), -0.2, 0.2)),
        light=(strength * float(np.cos(direction)), strength * float(np.sin(direction))),
        tint=(tint[0], tint[1], tint[2]),
        blur=float(rng.uniform(0, 0.8)) if rng.random() < 0.6 else 0.0,
        noise=float(rng.uniform(0, 6)),
        backdrop=BACKDROPS[int(rng.integers(len(BACKDROPS)))],
        colours=(jitter((140, 140, 140), 55, rng), jitter((140, 140, 140), 55, rng)),
        seed=int(rng.integers(2**31)),
    )


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour ``share`` of the way from the first to the second.

    >>> mix((0, 100, 200), (100, 100, 100), 0.25)
    (25.0, 100.0, 175.0)
    """
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def between(colours: tuple[Colour, ...], position: float) -> Colour:
    """The colour at ``position``, from 0 (first) to 1 (last), along a list of colours.

    >>> between(((0, 0, 0), (10, 10, 10), (30, 30, 30)), 0.75)
    (20.0, 20.0, 20.0)
    """
    step = min(int(position * (len(colours) - 1)), len(colours) - 2)
    return mix(colours[step], colours[step + 1], position * (len(colours) - 1) - step)


def jitter(colour: Colour, spread: float, rng: np.random.Generator) -> Colour:
    """The colour with Gaussian noise of standard deviation ``spread``, kept in 0 to 255."""
    off = rng.normal(0, spread, 3).tolist()
    red, green, blue = (min(max(c + d, 0.0), 255.0) for c, d in zip(colour, off, strict=True))
    return red, green, blue
