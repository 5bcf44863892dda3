import numpy as np
import pytest

from ordbench.utils.spacing import apart


@pytest.mark.parametrize("seed", range(5))
def test_no_other_places_that_far_apart_are_nearer_to_those_wanted(seed: int) -> None:
    generator = np.random.default_rng(seed)
    wanted, gap = generator.uniform(0.3, 0.7, 5), 0.08
    got = np.array(apart(wanted.tolist(), gap))
    order = np.argsort(wanted)
    assert np.all(np.diff(got[order]) >= gap - 1e-12)
    others = got[order] + generator.normal(0, 0.02, (20_000, 5))
    allowed = others[np.all(np.diff(others) >= gap, axis=1)]
    assert len(allowed) > 10
    assert np.square(allowed - wanted[order]).sum(1).min() >= np.square(got - wanted).sum()


def test_labels_stay_between_the_ends() -> None:
    assert apart([-1.0, 2.0, 2.0], 0.1, 0, 1) == pytest.approx([0.0, 0.9, 1.0])
