"""Values that take long to make, of which the last few that were asked for are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

T = TypeVar("T")


class LastFew:
    """Values by key; a copy, in this or another process, begins empty.

    Args:
        keep: How many values stay.

    >>> squares = LastFew(keep=2)
    >>> [squares.get(n, lambda: n * n) for n in (1, 2, 3)], len(squares)
    ([1, 4, 9], 2)
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._values: OrderedDict[Hashable, object] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def __reduce__(self) -> tuple[type[LastFew], tuple[int]]:
        return LastFew, (self._keep,)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key; ``make`` gives it where it is not kept."""
        if key not in self._values:
            self._values[key] = make()
        self._values.move_to_end(key)
        while len(self._values) > self._keep:
            self._values.popitem(last=False)
        return cast(T, self._values[key])
