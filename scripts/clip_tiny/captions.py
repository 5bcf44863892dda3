"""Captions that say an age: in numerals, in number words, as a decade or as a stage of life.

A caption stands for a distribution over ages; a batch's targets come from those, so that "34" is
close to "35" and "a child" means every age of a child alike.
"""

from dataclasses import dataclass

import numpy as np
from anatomy import OLDEST
from numpy.random import Generator
from numpy.typing import NDArray

# fmt: off
UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)
# fmt: on
# fmt: off
TENS = (
    "zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)
# fmt: on
# fmt: off
DECADES = (
    "tens", "twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties",
    "nineties",
)
# fmt: on

# Words for a stage of life, from and to which age in years.
STAGES: tuple[tuple[str, int, int], ...] = (
    ("newborn", 0, 0),
    ("baby", 0, 2),
    ("infant", 0, 2),
    ("toddler", 1, 3),
    ("little child", 2, 7),
    ("child", 3, 12),
    ("kid", 3, 13),
    ("young boy", 4, 12),
    ("young girl", 4, 12),
    ("schoolchild", 6, 12),
    ("teenager", 13, 19),
    ("adolescent", 12, 18),
    ("young person", 14, 28),
    ("young man", 18, 32),
    ("young woman", 18, 32),
    ("young adult", 18, 32),
    ("adult", 20, 60),
    ("grown-up", 20, 60),
    ("middle-aged person", 40, 60),
    ("middle-aged man", 40, 60),
    ("middle aged woman", 40, 60),
    ("older person", 58, 85),
    ("senior", 62, 90),
    ("elderly man", 67, 95),
    ("elderly woman", 67, 95),
    ("elderly person", 67, 95),
    ("old man", 65, 100),
    ("old woman", 65, 100),
    ("old person", 65, 100),
    ("grandmother", 58, 95),
    ("grandfather", 58, 95),
    ("very old person", 82, 100),
)
NUMBER_TEMPLATES = (
    "age estimation: the age of the person is {}.",
    "the age of the person is {}.",
    "a drawing of a {} year old",
    "a drawing of a {} year old {person}",
    "a picture of a {}-year-old {person}.",
    "a {} year old {person}",
    "a photo of a {person} of {} years",
    "a photo of a {} year old {person}.",
    "{} years old",
    "{} years old.",
    "a {person} of {}",
    "a {person}, {} years of age",
    "a {person} aged {}",
    "the {person} is {} years old",
    "age {}",
    "age: {}.",
    "a portrait at the age of {}.",
    "{}",
    "{}.",
    "{noise} {}.",
    "{noise} {}",
)
STAGE_TEMPLATES = (
    "a drawing of {a}",
    "a photo of {a}.",
    "the face of {a}",
    "a picture of {a}.",
    "{a}",
    "{a}.",
    "this is {a}.",
    "{noise} {a}.",
    "{noise} {a}",
)
# For the question how far the text tower carries; never trained on.
HELD_OUT_TEMPLATES = ("how old is she? about {} years.", "this guest looks {}")
# fmt: off
PEOPLE = (
    "person", "man", "woman", "human", "boy", "girl", "lady", "guy", "face",
)
# fmt: on
# fmt: off
NOISE = (
    "a", "an", "the", "of", "in", "on", "and", "with", "face", "photo", "picture", "image",
    "drawing", "sketch", "portrait", "person", "human", "someone", "old", "young", "age", "aged",
    "year", "estimation", "estimate", "how", "about", "looks", "like", "shown", "here", "seen",
    "colour", "grey", "blurry", "small", "large", "painted", "cartoon", "happy", "sad", "street",
    "house", "tree", "water", "red", "blue", "green", "light", "dark", "left", "right", "one",
    "number", "is", "was", "at", "from", ":", ",", "level", "group", "class", "order", "rank",
)
# fmt: on


@dataclass(frozen=True)
class Caption:
    """A text and what it says of the age, or of the ripeness.

    Attributes:
        text: The caption.
        density: Sums to 1: probability of each age, ``(OLDEST + 1,)``, or of each ripeness.
    """

    text: str
    density: NDArray[np.float32]


def number_words(number: int) -> str:
    """A number from 0 to 100 in English.

    >>> number_words(34), number_words(7), number_words(100)
    ('thirty four', 'seven', 'one hundred')
    """
    if number >= 100:
        return "one hundred"
    if number < 20:
        return UNITS[number]
    tens, units = divmod(number, 10)
    return f"{TENS[tens]} {UNITS[units]}" if units else TENS[tens]


def around(age: float) -> NDArray[np.float32]:
    """The density of a caption that names one age: wider for the old.

    >>> int(around(34).argmax())
    34
    """
    spread = 1.0 + min(age, 80.0) / 50
    return normalised(-0.5 * ((np.arange(OLDEST + 1) - age) / spread) ** 2)


def between(first: float, last: float) -> NDArray[np.float32]:
    """The density of a caption that names a span: even inside, soft at both ends."""
    years = np.arange(OLDEST + 1)
    outside = np.maximum(np.maximum(first - years, years - last), 0)
    return normalised(-0.5 * (outside / (0.7 + 0.04 * last)) ** 2)


def caption(age: int, generator: Generator) -> Caption:
    """Say an age in one of many ways."""
    kind = generator.random()
    if kind < 0.72:
        return _number_caption(age, generator)
    if kind < 0.8 and 20 <= age < 100:
        return _decade_caption(age, generator)
    return stage_caption(age, generator)


def stage_caption(age: int, generator: Generator) -> Caption:
    """Name a stage of life that an age belongs to."""
    fitting = [stage for stage in STAGES if stage[1] <= age <= stage[2]]
    noun, first, last = fitting[int(generator.integers(len(fitting)))]
    article = "an" if noun[0] in "aeiou" else "a"
    template = _pick(STAGE_TEMPLATES, generator)
    text = template.format(a=f"{article} {noun}", noise=noise_words(generator))
    return Caption(text, between(first, last))


def noise_words(generator: Generator) -> str:
    """One to eight words that say nothing of the age: a learned prompt may be anything."""
    return " ".join(_pick(NOISE, generator) for _ in range(int(generator.integers(1, 9))))


def _number_caption(age: int, generator: Generator) -> Caption:
    number = str(age)
    if generator.random() < 0.3:
        number = number_words(age)
        if generator.random() < 0.3:
            number = number.replace(" ", "-")
    template = _pick(NUMBER_TEMPLATES, generator)
    person = _pick(PEOPLE, generator)
    text = template.format(number, person=person, noise=noise_words(generator))
    return Caption(text, around(age))


def _decade_caption(age: int, generator: Generator) -> Caption:
    start = age // 10 * 10
    third = min(age % 10 // 3, 2)
    part, first, last = (("early ", 0, 3), ("mid ", 3, 6), ("late ", 6, 9))[third]
    if generator.random() < 0.6:
        part, first, last = "", 0, 9
    owner = _pick(("their", "his", "her", "the"), generator)
    decade = DECADES[start // 10 - 1] if generator.random() < 0.7 else f"{start}s"
    text = f"a {_pick(PEOPLE, generator)} in {owner} {part}{decade}"
    return Caption(text, between(start + first, start + last))


def normalised(log_density: NDArray[np.floating]) -> NDArray[np.float32]:
    """The density that sums to 1."""
    density = np.exp(log_density)
    shares: NDArray[np.float32] = (density / density.sum()).astype(np.float32)
    return shares


def _pick(words: tuple[str, ...], generator: Generator) -> str:
    return words[int(generator.integers(len(words)))]
