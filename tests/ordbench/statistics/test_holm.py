from itertools import combinations

import numpy as np
import pytest

from ordbench.statistics.holm import holm


def closed(p_values: list[float]) -> list[float]:
    """By definition: a hypothesis falls if Bonferroni rejects every set that holds it."""
    indices = range(len(p_values))
    sets = [one for size in indices for one in combinations(indices, size + 1)]
    worst = {one: len(one) * min(p_values[index] for index in one) for one in sets}
    return [min(1.0, max(worst[one] for one in sets if index in one)) for index in indices]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_closure_of_bonferroni(seed: int) -> None:
    p_values = (np.random.default_rng(seed).random(7) ** 3).tolist()
    assert holm(p_values) == pytest.approx(closed(p_values), rel=1e-12)


def test_no_tests_and_equal_ones() -> None:
    assert holm([]) == []
    assert holm([0.02, 0.02, 1.0]) == [0.06, 0.06, 1.0]
