"""Text of docstrings and cards as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ordbench.plugins.option_docs import OptionDoc

_SPECIAL = re.compile(r"([*_<>\[\]|])")


def prose(text: str) -> str:
    r"""Text in which nothing but code in backticks means something to Markdown.

    >>> prose("of ``n`` images, n_i * 2 <= `K_0`")
    'of ``n`` images, n\\_i \\* 2 \\<= `K_0`'
    """
    parts = re.split(r"(`+[^`]*`+|https?://\S+)", text)
    return "".join(
        part if place % 2 else _SPECIAL.sub(r"\\\1", part) for place, part in enumerate(parts)
    )


def cell(text: str) -> str:
    """Text for one cell of a table."""
    return prose(" ".join(text.split()))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def paragraphs(text: str) -> str:
    """Paragraphs of a docstring, without its sections."""
    return "\n\n".join(prose(one) for one in re.split(r"\n\s*\n", text.strip()) if one)


def options(found: Iterable[OptionDoc]) -> str:
    """A table of options."""
    return table(("option", "type", "default", ""), map(_option, found))


def _option(option: OptionDoc) -> tuple[str, str, str, str]:
    default = {None: "must be given", "": "empty"}.get(option.default, f"`{option.default}`")
    return f"`{option.name}`", cell(option.type), default, cell(option.help)
