"""Values as typed: comma-separated, with ranges of numbers, and shots."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ordbench.choice import split
from ordbench.errors import SpecError


def items(texts: Iterable[str]) -> list[str]:
    """Comma-separated values, each once.

    >>> items(["linear,coral", "coral"])
    ['linear', 'coral']
    """
    found = [item for text in texts for item in split(text, ",")]
    return list(dict.fromkeys(item for item in found if item))


def parse_shots(texts: Iterable[str]) -> list[int | None]:
    """Read ``1,2,4,all``.

    Raises:
        SpecError: If an item is neither ``all`` nor a whole number of at least 1.

    >>> parse_shots(["1,2", "all"])
    [1, 2, None]
    """
    shots: list[int | None] = []
    for item in items(texts):
        if item == "all":
            shots.append(None)
        elif item.isdecimal() and int(item) >= 1:
            shots.append(int(item))
        else:
            raise SpecError(f"--shots {item}: wanted 'all' or a whole number of at least 1 a rank")
    return shots


def parse_numbers(texts: Iterable[str], flag: str) -> list[int]:
    """Read ``0-2,7``.

    Raises:
        SpecError: If an item is neither a whole number nor a rising range.

    >>> parse_numbers(["0-2,7"], "--seeds")
    [0, 1, 2, 7]
    """
    numbers: list[int] = []
    for item in items(texts):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", item)
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise SpecError(f"{flag} {item}: wanted a whole number or a range such as 0-4")
        numbers.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return numbers
