from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from ordbench_datasets._drawn.age import anatomy_of
from ordbench_datasets._drawn.chance import BACKDROPS, STYLES, Look, look_of, scene_of


def looks(age: float) -> list[Look]:
    drawn: list[Look] = []
    for number in range(300):
        rng = np.random.default_rng((1, number))
        drawn.append(look_of(anatomy_of(age, rng), rng))
    return drawn


def test_every_style_and_every_backdrop_is_drawn() -> None:
    assert set(Counter(look.style for look in looks(30))) == set(STYLES)
    rng = np.random.default_rng(0)
    assert {scene_of(rng).backdrop for _ in range(100)} == set(BACKDROPS)


def test_colours_stay_colours() -> None:
    for look in looks(80):
        for colour in (look.skin, look.hair, look.beard, look.iris, look.cloth, look.frame):
            assert all(0 <= part <= 255 for part in colour)


@pytest.mark.parametrize(
    "sign", [lambda look: look.beard_length > 0, lambda look: look.earrings], ids=["beard", "ring"]
)
def test_a_child_has_neither_beard_nor_earrings(sign: Callable[[Look], bool]) -> None:
    assert not any(sign(look) for look in looks(10))
    assert any(sign(look) for look in looks(40))


def test_the_old_wear_glasses_more_often() -> None:
    young, old = (sum(look.glasses for look in looks(age)) / 300 for age in (20, 75))
    assert young == pytest.approx(0.08, abs=0.05)
    assert old == pytest.approx(0.43, abs=0.09)


def test_hair_greys_unless_it_is_dyed() -> None:
    bright = [min(look.hair) > 195 for look in looks(85)]
    assert 0.8 < np.mean(bright) < 1
