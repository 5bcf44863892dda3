"""Places of names beside the ends of lines, so that none is written over another one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def apart(
    wanted: Sequence[float], gap: float, low: float = -math.inf, high: float = math.inf
) -> list[float]:
    """The places that are at least ``gap`` apart and nearest to those wanted.

    Their order is kept; the sum of squared distances is the least possible.

    Args:
        wanted: Where each should stand.
        gap: Between two neighbours.
        low: The lowest place.
        high: The highest place; if there is no room for all, they begin at ``low`` and end above.

    >>> apart([100.0, 20.0, 101.0], 10)
    [95.5, 20.0, 105.5]
    >>> [round(place, 3) for place in apart([0.5, 0.98, 1.0], 0.1, 0, 1)]
    [0.5, 0.9, 1.0]
    """
    if not wanted:
        return []
    from scipy.optimize import isotonic_regression

    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    # Less its steps, a row of places that are far enough apart is a row that does not fall.
    rising = isotonic_regression(np.asarray(wanted, np.float64)[order] - steps).x
    places = np.empty(len(wanted))
    places[order] = np.clip(rising, low, max(low, high - steps[-1])) + steps
    found: list[float] = places.tolist()
    return found
