"""The order of a user's own ranks: by number, or as given; never by alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from ordbench.errors import DatasetError, SpecError
from ordbench.task import Task

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


class Ranks(NamedTuple):
    """K ranks in order.

    Attributes:
        names: As a prompt says them; numbers in their shortest form.
        values: The numbers themselves, or 0..K-1 where the names are words.
        how: How the order came about, for a note.
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    how: str

    def task(self, unit: str, context: str) -> Task:
        """The task of these ranks; empty words are replaced by neutral ones."""
        return Task(
            rank_names=self.names,
            rank_values=self.values,
            unit=unit or ("units" if all(map(_NUMBER.fullmatch, self.names)) else "ranks"),
            context=context or "the rank of this image is",
        )

    def note(self) -> str:
        """One line on the order, long ones cut in the middle.

        >>> Ranks(("2", "10"), (2.0, 10.0), "by number").note()
        'ranks by number: 2 < 10'
        """
        names = self.names if len(self.names) <= 8 else (*self.names[:4], "...", *self.names[-3:])
        return f"ranks {self.how}: {' < '.join(names)}"


def plain(label: str) -> str:
    """A label without blanks around it; a number in its shortest form.

    >>> plain(" low "), plain("010"), plain("2.50")
    ('low', '10', '2.5')
    """
    label = label.strip()
    if not _NUMBER.fullmatch(label):
        return label
    number = float(label)
    return str(int(number)) if number.is_integer() else str(number)


def order(labels: Iterable[str], given: str, *, where: str, write: str) -> Ranks:
    """Put labels in order.

    Args:
        labels: As `plain` gives them.
        given: The option ``ranks``: labels separated by ``;``, lowest first, or empty.
        where: What an error names (a folder, a file).
        write: How a user gives the option ("folder:PATH").

    Raises:
        SpecError: If the given order names a rank twice.
        DatasetError: If labels are words and no order is given, or if it lacks one of them.

    >>> order(["10", "9"], "", where="x", write="folder:x").names
    ('9', '10')
    >>> order(["high", "low"], "low;high", where="x", write="folder:x").values
    (0.0, 1.0)
    """
    found = set(labels)
    example = f"{write}:ranks=" + '"LOWEST;...;HIGHEST"'
    if given:
        names = [plain(name) for name in given.split(";") if name.strip()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SpecError(f"ranks={given!r} names {twice[0]!r} twice; name each rank once")
        if missing := _sorted(found - set(names)):
            raise DatasetError(
                f"{where} has ranks that ranks={given!r} does not name: {_shown(missing)}; add them"
            )
        return Ranks(tuple(names), _values(names), "in the order given")
    words = sorted(label for label in found if not _NUMBER.fullmatch(label))
    if words:
        raise DatasetError(
            f"{where} has ranks that are no numbers, so their order is unknown: "
            f"{_shown(_sorted(found))}; write {example}"
        )
    names = _sorted(found)
    return Ranks(tuple(names), _values(names), "by number")


def _sorted(labels: Iterable[str]) -> list[str]:
    """Numbers by value, then words by alphabet: for numbers alone, and for messages."""
    return sorted(labels, key=lambda x: (0, float(x), x) if _NUMBER.fullmatch(x) else (1, 0.0, x))


def _values(names: Sequence[str]) -> tuple[float, ...]:
    if all(_NUMBER.fullmatch(name) for name in names):
        numbers = tuple(float(name) for name in names)
        if all(low < high for low, high in pairwise(numbers)):
            return numbers
    return tuple(float(position) for position in range(len(names)))


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(repr(name) for name in names[:10]) + more
