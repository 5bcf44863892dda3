import numpy as np
import pytest

from ordbench_datasets._drawn.age import Anatomy, anatomy_of


def people(age: float) -> list[Anatomy]:
    return [anatomy_of(age, np.random.default_rng((0, number))) for number in range(40)]


def mean(feature: str, age: float) -> float:
    return float(np.mean([getattr(person, feature) for person in people(age)]))


@pytest.mark.parametrize("feature", ["chin", "nose_length", "nose_width", "brow", "ear", "folds"])
def test_it_grows_with_age(feature: str) -> None:
    values = [mean(feature, age) for age in (1, 10, 19, 40, 60, 80)]
    assert values == sorted(values)
    assert values[0] < values[-1]


@pytest.mark.parametrize("feature", ["eye_height", "skull"])
def test_it_is_greatest_in_a_child(feature: str) -> None:
    assert mean(feature, 2) > mean(feature, 10) > mean(feature, 20)


@pytest.mark.parametrize("feature", ["forehead_lines", "eye_lines", "sag", "spots", "grey"])
def test_it_is_not_there_in_the_young_and_grows_in_the_old(feature: str) -> None:
    assert all(getattr(person, feature) == 0 for person in people(15))
    assert 0 < mean(feature, 65) < mean(feature, 88)


def test_people_of_one_age_differ() -> None:
    assert len({person.chin for person in people(30)}) == 40


def test_the_mouth_lies_between_nose_and_chin() -> None:
    assert all(p.nose_length < p.mouth < p.chin for age in (1, 30, 90) for p in people(age))
