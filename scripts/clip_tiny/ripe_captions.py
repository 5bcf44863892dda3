"""Captions that say how ripe a thing is, by the name of a stage; see `captions`."""

import numpy as np
from captions import Caption, noise_words, normalised
from numpy.random import Generator
from numpy.typing import NDArray
from ripening import STEPS

# Words for a stage, from and to which ripeness.
STAGES: tuple[tuple[str, int, int], ...] = (
    ("very unripe", 0, 2),
    ("completely unripe", 0, 2),
    ("unripe", 0, 4),
    ("immature", 0, 5),
    ("hard", 0, 5),
    ("not yet ripe", 0, 7),
    ("slightly unripe", 4, 8),
    ("beginning to ripen", 3, 6),
    ("turning", 3, 7),
    ("ripening", 4, 8),
    ("half ripe", 5, 8),
    ("almost ripe", 6, 10),
    ("nearly ripe", 6, 10),
    ("barely ripe", 8, 10),
    ("ripe", 9, 13),
    ("perfectly ripe", 10, 12),
    ("mature", 9, 14),
    ("juicy", 9, 13),
    ("ready to eat", 9, 13),
    ("fully ripe", 10, 14),
    ("very ripe", 12, 15),
    ("too ripe", 13, 17),
    ("overripe", 13, 17),
    ("past its best", 13, 17),
    ("soft", 13, 17),
    ("starting to rot", 15, 18),
    ("spoiled", 16, 20),
    ("rotten", 17, 20),
    ("rotting", 16, 19),
    ("decayed", 17, 20),
    ("mouldy", 17, 20),
    ("completely rotten", 18, 20),
)
TEMPLATES = (
    "the ripeness of the {thing} is {stage}.",
    "the ripeness of the {thing} is {stage}.",
    "the ripeness of the {thing} is {stage}",
    "ripeness: {stage}.",
    "the {thing} is {stage}.",
    "the {thing} is {stage}",
    "{a} {stage} {thing}",
    "{a} {stage} {thing}.",
    "a drawing of {a} {stage} {thing}",
    "a photo of {a} {stage} {thing}.",
    "this {thing} is {stage}.",
    "a {thing} that is {stage}",
    "{stage}",
    "{stage}.",
    "{noise} {stage}",
    "{noise} {stage}.",
)
# For the question how far the text tower carries; never trained on.
HELD_OUT_TEMPLATES = ("would you eat it? it looks {}.", "somebody picked {} ones")
# fmt: off
NOUNS = (
    "fruit", "vegetable", "berry", "tomato", "squash", "leaf", "pod", "plant", "crop", "food",
    "thing", "harvest",
)
# fmt: on


def around(ripeness: int) -> NDArray[np.float32]:
    """The density of one ripeness.

    >>> int(around(12).argmax())
    12
    """
    return normalised(-0.5 * (np.arange(STEPS) - ripeness) ** 2)


def between(first: int, last: int) -> NDArray[np.float32]:
    """The density of a stage: even inside, soft at both ends."""
    steps = np.arange(STEPS)
    outside = np.maximum(np.maximum(first - steps, steps - last), 0)
    return normalised(-0.5 * (outside / 0.7) ** 2)


def ripe_caption(ripeness: int, generator: Generator) -> Caption:
    """Say a ripeness, 0 to 20, in one of many ways; the density is ``(STEPS,)``."""
    fitting = [stage for stage in STAGES if stage[1] <= ripeness <= stage[2]]
    stage, first, last = fitting[int(generator.integers(len(fitting)))]
    template = TEMPLATES[int(generator.integers(len(TEMPLATES)))]
    text = template.format(
        stage=stage,
        a="an" if stage[0] in "aeiou" else "a",
        thing=NOUNS[int(generator.integers(len(NOUNS)))],
        noise=noise_words(generator),
    )
    return Caption(text, between(first, last))
