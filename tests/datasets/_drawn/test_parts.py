from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ordbench_datasets._drawn import hair, marks, parts
from ordbench_datasets._drawn.age import Anatomy, anatomy_of
from ordbench_datasets._drawn.chance import Look, look_of


def person(age: float) -> tuple[Anatomy, Look]:
    rng = np.random.default_rng(3)
    anatomy = anatomy_of(age, rng)
    return anatomy, look_of(anatomy, rng)


def test_the_head_reaches_from_the_chin_to_the_top_of_the_skull() -> None:
    anatomy, _ = person(30)
    rim = parts.outline(anatomy)
    assert rim[:, 1].min() == pytest.approx(-anatomy.skull)
    assert rim[:, 1].max() == pytest.approx(anatomy.chin, abs=0.01)
    np.testing.assert_allclose(rim[:, 0].max(), -rim[:, 0].min())


def test_closed_eyes_show_no_iris() -> None:
    anatomy, look = person(30)
    seen, closed = (parts.eyes(anatomy, replace(look, blink=blink)) for blink in (False, True))
    assert look.iris in [shape.colour for shape in seen]
    assert look.iris not in [shape.colour for shape in closed]


def test_the_iris_stays_between_the_lids() -> None:
    anatomy, look = person(85)
    look = replace(look, blink=False)
    white, iris = parts.eyes(anatomy, look)[1:3]
    assert iris.colour == look.iris
    assert iris.points[:, 1].min() >= white.points[:, 1].min() - 1e-3
    assert iris.points[:, 1].max() <= white.points[:, 1].max() + 1e-3


def test_an_open_mouth_shows_teeth() -> None:
    anatomy, look = person(30)
    shut, wide = (len(parts.mouth(anatomy, replace(look, mouth_open=x))) for x in (0.0, 1.0))
    assert wide == shut + 2


def test_glasses_are_drawn_only_if_worn() -> None:
    _, look = person(30)
    assert parts.glasses(replace(look, glasses=False)) == []
    assert len(parts.glasses(replace(look, glasses=True))) == 5


def ink(age: float) -> float:
    """Length of wrinkles times how dark they are."""
    anatomy, look = person(age)
    return sum(
        float(np.hypot(*np.diff(shape.points, axis=0).T).sum()) * shape.alpha
        for shape in marks.wrinkles(anatomy, look)
    )


def test_wrinkles_deepen_with_every_decade() -> None:
    inks = [ink(age) for age in range(10, 91, 10)]
    assert all(low < high for low, high in pairwise(inks))
    assert inks[0] < 0.05 * inks[-1]


def test_only_the_old_have_age_spots() -> None:
    rng = np.random.default_rng(0)
    assert marks.spots(*person(50), rng) == []
    assert len(marks.spots(*person(90), rng)) == 9


def test_the_hairline_moves_back() -> None:
    anatomy, look = person(30)
    look = replace(look, style="short", parting=0.0)
    lowest: list[float] = []
    for recession in (0.0, 0.5):
        (cap, *_) = hair.before(replace(anatomy, recession=recession), look)
        middle = cap.points[np.abs(cap.points[:, 0]) < 0.1]
        lowest.append(float(middle[:, 1].max()))
    assert lowest[1] < lowest[0] - 0.1


@pytest.mark.parametrize(
    ("length", "alphas"), [(0.0, []), (0.2, [0.3]), (0.8, [0.92])], ids=["none", "stubble", "full"]
)
def test_a_beard_is_as_dense_as_it_is_long(length: float, alphas: list[float]) -> None:
    anatomy, look = person(40)
    shapes = hair.beard(anatomy, replace(look, beard_length=length))
    assert [shape.alpha for shape in shapes] == alphas


@pytest.mark.parametrize(("style", "back"), [("short", 0), ("long", 1), ("bun", 1), ("curly", 11)])
def test_long_hair_is_seen_behind_the_head(style: str, back: int) -> None:
    anatomy, look = person(40)
    assert len(hair.behind(anatomy, replace(look, style=style))) == back
