"""How an age shows in a face: proportions and marks, as numbers that a drawing can follow.

The eye line is at height 0 with an eye at `EYE_X` on either side, the head's half width is 1,
and downwards is positive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EYE_X = 0.42


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """Proportions in half widths of the head, marks from 0 (none) to 1 (as much as there is).

    Attributes:
        skull: Height of the head above the eye line.
        chin: Depth of the chin below the eye line.
        cheek: Half width at the cheekbones.
        jaw: Half width at the corner of the jaw.
        neck: Half width of the neck.
        shoulder: Half width of the shoulders.
        eye_width: Half width of an eye.
        eye_height: Half height of an open eye.
        iris: Radius of the iris.
        lid: How far the upper lid hangs.
        brow: Thickness of the brows.
        nose_length: From the eye line to the tip.
        nose_width: Half width of the nose at its wings.
        lip: Thickness of a lip.
        mouth_width: Half width of the mouth.
        ear: Half height of the ears.
        forehead_lines: Wrinkles across the forehead.
        eye_lines: Crow's feet, and bags below the eyes.
        folds: Folds from the nose to the mouth, and later from there to the chin.
        sag: Jowls and loose skin at the neck.
        spots: Age spots.
        grey: Share of grey in the hair.
        recession: How far the hairline has moved back.
        down: How thin the hair of a baby still is.
        adult: Whether features that come with puberty (beard, earrings) can be there.
        old_sight: How likely glasses are because of age.
    """

    skull: float
    chin: float
    cheek: float
    jaw: float
    neck: float
    shoulder: float
    eye_width: float
    eye_height: float
    iris: float
    lid: float
    brow: float
    nose_length: float
    nose_width: float
    lip: float
    mouth_width: float
    ear: float
    forehead_lines: float
    eye_lines: float
    folds: float
    sag: float
    spots: float
    grey: float
    recession: float
    down: float
    adult: bool
    old_sight: float

    @property
    def mouth(self) -> float:
        """Depth of the mouth below the eye line."""
        return self.nose_length + 0.48 * (self.chin - self.nose_length)


def anatomy_of(age: float, rng: np.random.Generator) -> Anatomy:
    """Draw the anatomy of a person who looks ``age`` years old.

    Proportions scatter by a few percent from person to person; hair greys and recedes at an age
    of each person's own. ``rng`` draws these deviations.
    """
    child, aged = 1 - ramp(age, 0, 21) ** 0.75, ramp(age, 22, 90)
    own = (1 + 0.03 * rng.standard_normal(14)).tolist()
    marks = np.clip(1 + 0.1 * rng.standard_normal(5), 0.7, 1.3).tolist()
    grey_at, recede_at = 36 + 5 * rng.standard_normal(), 26 + 9 * rng.standard_normal()
    balding = rng.uniform(0.1, 1.0)
    return Anatomy(
        skull=(1.22 + 0.16 * child) * own[0],
        chin=(1.46 - 0.52 * child + 0.1 * aged) * own[1],
        cheek=(0.93 + 0.07 * child) * own[2],
        jaw=(0.7 + 0.14 * child + 0.14 * aged) * own[3],
        neck=(0.56 - 0.2 * child) * own[4],
        shoulder=(1.75 - 0.75 * child) * own[5],
        eye_width=(0.235 + 0.03 * child - 0.02 * aged) * own[6],
        eye_height=(0.135 + 0.085 * child - 0.04 * aged) * own[7],
        iris=(0.115 + 0.06 * child) * own[7],
        lid=0.65 * aged * marks[0],
        brow=(0.075 - 0.035 * child + 0.05 * aged) * own[8],
        nose_length=(0.6 - 0.28 * child + 0.14 * aged) * own[9],
        nose_width=(0.2 - 0.07 * child + 0.08 * aged) * own[10],
        lip=(0.09 - 0.01 * child - 0.06 * aged) * own[11],
        mouth_width=(0.38 - 0.12 * child + 0.03 * aged) * own[12],
        ear=(0.27 - 0.05 * child + 0.13 * aged) * own[13],
        forehead_lines=ramp(age, 24, 88) * marks[1],
        eye_lines=ramp(age, 26, 85) * marks[2],
        folds=ramp(age, 18, 80) * marks[3],
        sag=ramp(age, 45, 90) * marks[4],
        spots=ramp(age, 55, 90),
        grey=ramp(age, grey_at, grey_at + 32),
        recession=balding * ramp(age, recede_at, recede_at + 55),
        down=1 - ramp(age, 0, 4),
        adult=age > 17,
        old_sight=ramp(age, 40, 70),
    )


def ramp(value: float, start: float, end: float) -> float:
    """How far ``value`` is on its way from ``start`` to ``end``, from 0 to 1.

    >>> ramp(30, 20, 40), ramp(10, 20, 40), ramp(50, 20, 40)
    (0.5, 0.0, 1.0)
    """
    return min(max((value - start) / (end - start), 0.0), 1.0)
