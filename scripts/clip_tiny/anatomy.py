"""What age does to a drawn face: each cue is a curve over years, blurred by chance.

Source: the growth and ageing changes listed in Ricanek and Tesafaye (2006), MORPH, section 1, as an
illustrator would draw them; the numbers are ours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

Curve = tuple[tuple[float, float], ...]

# Lengths are in half face widths unless said otherwise; shares run from 0 to 1.
CURVES: dict[str, Curve] = {
    "aspect": ((0, 1.02), (6, 1.10), (18, 1.27), (30, 1.32), (100, 1.37)),
    "eye_level": ((0, 0.24), (8, 0.14), (18, 0.02), (30, -0.03), (100, -0.06)),
    "eye_size": ((0, 0.25), (8, 0.21), (18, 0.165), (40, 0.145), (100, 0.115)),
    "nose_length": ((0, 0.15), (8, 0.24), (18, 0.40), (40, 0.46), (100, 0.58)),
    "nose_width": ((0, 0.10), (18, 0.15), (50, 0.17), (100, 0.23)),
    "mouth_width": ((0, 0.20), (18, 0.36), (100, 0.40)),
    "lip": ((0, 0.07), (18, 0.10), (40, 0.085), (65, 0.05), (100, 0.02)),
    "taper": ((0, 0.02), (8, 0.08), (20, 0.24), (45, 0.22), (100, 0.12)),
    "chin": ((0, 0.30), (18, 0.44), (100, 0.46)),
    "ear": ((0, 0.17), (18, 0.20), (50, 0.24), (100, 0.34)),
    "brow_weight": ((0, 0.02), (10, 0.04), (25, 0.07), (100, 0.08)),
    "brow_gap": ((0, 0.17), (18, 0.12), (60, 0.09), (100, 0.06)),
    "brow_droop": ((35, 0.0), (100, 0.12)),
    "lid_droop": ((35, 0.0), (100, 0.75)),
    "sag": ((35, 0.0), (60, 0.35), (100, 1.0)),
    "forehead_lines": ((22, 0.0), (40, 1.2), (60, 2.6), (100, 4.6)),
    "crow_feet": ((25, 0.0), (45, 0.4), (65, 0.75), (100, 1.2)),
    "nasolabial": ((22, 0.0), (45, 0.5), (70, 0.9), (100, 1.2)),
    "eye_bags": ((26, 0.0), (50, 0.45), (100, 1.2)),
    "marionette": ((42, 0.0), (70, 0.6), (100, 1.1)),
    "neck_lines": ((42, 0.0), (100, 3.5)),
    "spots": ((48, 0.0), (100, 7.0)),
    "grey": ((28, 0.0), (45, 0.22), (60, 0.65), (75, 0.95), (100, 1.0)),
    "recede": ((22, 0.0), (50, 0.45), (80, 0.9), (100, 1.0)),
    "hair": ((0, 0.25), (1, 0.5), (3, 1.0), (55, 1.0), (100, 0.65)),
    "shoulders": ((0, 0.95), (8, 1.25), (18, 1.75), (60, 1.85), (100, 1.65)),
    "neck": ((0, 0.40), (10, 0.46), (20, 0.62), (100, 0.60)),
    "blush": ((0, 1.0), (12, 0.5), (26, 0.0)),
    "head_size": ((0, 0.93), (18, 1.0)),
}
# Cues that a school which draws smooth faces leaves out together.
LINES = frozenset(
    {"forehead_lines", "crow_feet", "nasolabial", "eye_bags", "marionette", "neck_lines", "spots"}
)
NEUTRAL_AGE = 28.0
SCHOOL_SPREAD = 0.15
OLDEST = 100


@dataclass(frozen=True)
class Anatomy:
    """One face's cues, each read at an age of its own near the face's.

    Attributes:
        cues: Value of each curve of `CURVES`.
        apparent: Age the face looks, in years.
    """

    cues: dict[str, float]
    apparent: float

    def __getitem__(self, cue: str) -> float:
        return self.cues[cue]


def value_at(cue: str, age: float) -> float:
    """The cue's value at an age in years.

    >>> value_at("head_size", 60)
    1.0
    """
    years, values = zip(*CURVES[cue], strict=True)
    return float(np.interp(age, years, values))


def reach(cue: str) -> float:
    """How far the cue moves in a life.

    >>> reach("grey")
    1.0
    """
    values = [value for _, value in CURVES[cue]]
    return max(values) - min(values)


def scatter(age: float) -> float:
    """Standard deviation of the apparent age, in years: small in a baby, 3 in the old.

    >>> scatter(0), scatter(40)
    (0.5, 2.0)
    """
    return min(0.5 + age * 0.0375, 3.0)


def grow(age: float, generator: Generator) -> Anatomy:
    """Draw one face's cues: scattered, moved by the drawing's school, some weak or absent."""
    apparent = float(np.clip(generator.normal(age, scatter(age)), 0, OLDEST))
    boldness = generator.uniform(0.6, 1.3)
    unlined = generator.random() < 0.15
    cues: dict[str, float] = {}
    for cue in CURVES:
        neutral = value_at(cue, NEUTRAL_AGE)
        cue_age = generator.normal(apparent, 0.6 + 0.05 * apparent)
        strength = boldness * generator.uniform(0.6, 1.25) * (generator.random() > 0.1)
        # Schools of drawing differ in proportions, and in how many lines they give anyone, more
        # than people do: no single cue may be trusted for what it measures.
        strength *= not (unlined and cue in LINES)
        school = generator.normal(0, SCHOOL_SPREAD) * reach(cue)
        cues[cue] = neutral + school + strength * (value_at(cue, cue_age) - neutral)
    return Anatomy(cues, apparent)
