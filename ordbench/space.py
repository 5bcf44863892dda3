"""What a tuning may vary, and how far: spans of positive numbers, and lists of values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ordbench.options import Value


class Span(NamedTuple):
    """Positive numbers from ``low`` to ``high``, searched by their logarithm."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """The number that ``share`` of the way leads to.

        >>> Span(0.01, 1.0).at(0.5)
        0.1
        """
        return float(self.low * (self.high / self.low) ** share)


Axis = Span | tuple[Value, ...]
Space = Mapping[str, Axis]
Point = Mapping[str, Value]
