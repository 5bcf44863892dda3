"""P values of several tests at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate


def holm(p_values: Sequence[float]) -> list[float]:
    """P values adjusted so that one below alpha is wrong in at most alpha of all families of tests.

    The i-th smallest of m is multiplied by m - i + 1, and is at least as large as those before it.

    Args:
        p_values: In any order, each in 0..1.

    Returns:
        The adjusted ones in the same order, at most 1.

    Source: Holm (1979). A simple sequentially rejective multiple test procedure.
    Scandinavian Journal of Statistics 6.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    scaled = (p_values[index] * (len(order) - place) for place, index in enumerate(order))
    adjusted = dict(zip(order, accumulate(scaled, max), strict=True))
    return [min(1.0, adjusted[index]) for index in range(len(p_values))]
