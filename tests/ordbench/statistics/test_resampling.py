import numpy as np
import pytest
from scipy import stats

from ordbench.statistics.resampling import Images, seed_deviations

SCORES = np.random.default_rng(0).exponential(2, (60, 2))
NAMES = [f"{index}.jpg" for index in range(60)]
PEOPLE = [f"person {index // 4}" for index in range(60)]


def test_means_scatter_as_the_standard_error_says() -> None:
    drawn = Images(NAMES).means(SCORES, 20_000)
    assert drawn.mean(0) == pytest.approx(SCORES.mean(0), rel=0.01)
    assert drawn.std(0) == pytest.approx(stats.sem(SCORES), rel=0.02)


def test_people_are_drawn_whole() -> None:
    drawn = Images(PEOPLE).means(SCORES, 20_000)
    people = SCORES.reshape(15, 4, 2).mean(1)
    assert drawn.std(0) == pytest.approx(stats.sem(people), rel=0.02)


def test_the_order_of_images_does_not_matter() -> None:
    order = np.random.default_rng(1).permutation(60)
    for units in (NAMES, PEOPLE):
        drawn = Images(units).means(SCORES, 50)
        again = Images([units[index] for index in order]).means(SCORES[order], 50)
        assert again == pytest.approx(drawn, rel=1e-12)


def test_other_images_have_other_draws() -> None:
    drawn, other = (Images(units).means(SCORES, 50) for units in (NAMES, [*NAMES[1:], "60.jpg"]))
    assert not np.allclose(drawn, other)


def test_one_unit_does_not_scatter_and_none_is_refused() -> None:
    drawn = Images(["one person"] * 60).means(SCORES, 5)
    assert drawn == pytest.approx(np.tile(SCORES.mean(0), (5, 1)))
    with pytest.raises(ValueError, match="wanted test images, got none"):
        Images([])


@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_seeds_deviate_as_students_t(seeds: int) -> None:
    scores = np.random.default_rng(seeds).normal(5, 1, seeds)
    deviations = seed_deviations(scores, range(seeds), 20_000) / stats.sem(scores)
    assert stats.kstest(deviations, stats.t(seeds - 1).cdf).pvalue > 0.01


def test_one_seed_says_nothing() -> None:
    assert not seed_deviations(np.array([5.0]), [0], 10).any()
