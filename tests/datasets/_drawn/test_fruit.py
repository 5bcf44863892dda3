import numpy as np
import pytest
from numpy.typing import NDArray

from ordbench_datasets._drawn.fruit import KINDS, paint_fruit


def drawn(ripeness: float, seed: int) -> NDArray[np.float64]:
    return np.asarray(paint_fruit(ripeness, np.random.default_rng(seed)), dtype=np.float64)


def test_a_seed_fixes_all_but_the_ripeness() -> None:
    same, again, riper = drawn(0.3, 5), drawn(0.3, 5), drawn(0.9, 5)
    assert same.shape == (64, 64, 3)
    assert np.array_equal(same, again)
    assert not np.array_equal(same, riper)
    # What is behind the fruit stays: the corners are backdrop.
    corners = [np.s_[:6, :6], np.s_[:6, -6:], np.s_[-6:, :6]]
    assert all(np.array_equal(same[corner], riper[corner]) for corner in corners)


def test_rotten_fruits_are_darker_than_unripe_ones() -> None:
    unripe, rotten = (
        np.mean([drawn(ripeness, seed)[24:40, 24:40].mean() for seed in range(40)])
        for ripeness in (0.05, 0.95)
    )
    assert rotten < 0.7 * unripe


@pytest.mark.parametrize("kind", KINDS)
def test_outlines_run_from_top_to_bottom_on_the_right(kind: object) -> None:
    assert isinstance(kind, tuple)
    colours, half = kind
    assert len(colours) == 5
    heights = [y for _, y in half]
    assert half[0][0] == half[-1][0] == 0
    assert all(x >= 0 for x, _ in half)
    assert min(heights) < 0 < max(heights)
