"""Facts as lines of text: a label, and beside it what is said of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from ordbench.utils.text import printable


def fact_lines(facts: Mapping[str, str], width: int) -> Iterator[str]:
    r"""Labels in one column, texts wrapped in another; what is empty is left out.

    >>> print(*fact_lines({"head": "coral", "fold": "", "shots": "one or two"}, 15), sep="\n")
    head   coral
    shots  one or
           two
    """
    said = {label: text for label, text in facts.items() if text}
    column = max(map(len, said), default=0) + 2
    for label, text in said.items():
        yield from wrapped(text, width, " " * column, first=label.ljust(column))


def wrapped(text: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Text in lines of ``width`` characters; only a longer word makes a longer line.

    Args:
        text: Any text; what could steer a terminal is replaced.
        width: Characters a line.
        indent: What each line begins with.
        first: What the first line begins with, in place of ``indent``.
    """
    return textwrap.wrap(
        printable(" ".join(text.split())),
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
