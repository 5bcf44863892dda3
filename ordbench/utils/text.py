"""Text that people type (lists, ranges, names), and text that fits on one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from ordbench.errors import SpecError

MAX_RANGE = 10_000
_QUOTED = r'"[^"]*"'


def split(text: str, separator: str) -> list[str]:
    """Split at a one-character separator, but not inside double quotes.

    >>> split('linear,coop:context="a, b"', ",")
    ['linear', 'coop:context="a, b"']
    """
    pieces: list[str] = []
    rest = text
    while True:
        match = re.match(rf"(?:{_QUOTED}|[^{separator}])*", rest)
        piece = match[0] if match else ""
        pieces.append(piece.strip())
        if len(piece) == len(rest):
            return pieces
        rest = rest[len(piece) + 1 :]


def items(texts: Iterable[str]) -> list[str]:
    """Comma-separated values, each once.

    >>> items(["linear,coral", "coral"])
    ['linear', 'coral']
    """
    found = [item for text in texts for item in split(text, ",")]
    return list(dict.fromkeys(item for item in found if item))


def parse_numbers(texts: Iterable[str], flag: str, *, others: str = "") -> list[int]:
    """Read ``0-2,7``.

    Args:
        texts: Comma-separated numbers and ranges.
        flag: The option that an error names.
        others: What else the option takes, as an error says it.

    Raises:
        SpecError: If an item is neither a whole number nor a rising range, not below 2^32, or a
            range of more than 10,000 numbers.

    >>> parse_numbers(["0-2,7"], "--seeds")
    [0, 1, 2, 7]
    """
    numbers: list[int] = []
    for item in items(texts):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", item)
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise SpecError(f"{flag} {item}: wanted {others}a whole number or a range such as 0-4")
        first, last = int(match[1]), int(match[2] or match[1])
        if last >= 2**32:
            raise SpecError(f"{flag} {item}: wanted less than {2**32}")
        if last - first >= MAX_RANGE:
            raise SpecError(f"{flag} {item}: wanted at most {MAX_RANGE} numbers")
        numbers.extend(range(first, last + 1))
    return numbers


def did_you_mean(name: str, known: Iterable[str], *, at_most: int = 12) -> str:
    """What an error about an unknown name suggests: the closest names, else those there are.

    >>> did_you_mean("vit-b32", ["RN50", "ViT-B-32"])
    'did you mean ViT-B-32?'
    >>> did_you_mean("x", ["RN50", "ViT-B-32"], at_most=1), did_you_mean("x", [])
    ('available: RN50, and 1 more', 'available: none')
    """
    names = list(known)
    spelled = {one.lower(): one for one in names}
    if name.lower() in spelled:
        return f"did you mean {printable(spelled[name.lower()])}?"
    if close := get_close_matches(name.lower(), spelled):
        return f"did you mean {' or '.join(spelled[one] for one in close)}?"
    more = len(names) - at_most
    rest = f", and {more} more" if more > 0 else ""
    return f"available: {printable(', '.join(names[:at_most])) or 'none'}{rest}"


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "run"), counted(2, "run")
    ('1 run', '2 runs')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def one_line(error: BaseException, *, at_most: int = 200) -> str:
    r"""The message of an error on one line and without a number, or its class where it has none.

    >>> one_line(ValueError("no such\n\tkey")), one_line(FileNotFoundError(2, "no such file"))
    ('no such key', 'no such file')
    """
    text = " ".join(str(error).split()) or type(error).__name__
    text = re.sub(r"^\[Errno -?\d+\] ", "", text)
    return text if len(text) <= at_most else text[:at_most] + "..."


def printable(text: str) -> str:
    r"""The text without what could steer a terminal or break a line.

    >>> printable("a\x1b[31mb\nc")
    'a�[31mb�c'
    """
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
