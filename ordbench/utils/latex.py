"""Text as LaTeX shows it."""

from __future__ import annotations

from ordbench.utils.text import printable

_SIGNS = {
    **{character: rf"\{character}" for character in "&%$#_{}"},
    **{character: f"{{{character}}}" for character in "[]"},  # \\ takes [ for an option
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "±": r"$\pm$",
    "\N{EN DASH}": "--",
    "\N{ALMOST EQUAL TO}": r"$\approx$",
    "\N{REPLACEMENT CHARACTER}": "?",  # which fonts lack
}


def escape_latex(text: str) -> str:
    r"""Text with escapes, so that LaTeX shows it unchanged.

    >>> print(escape_latex("50% of base_ranks [1]"))
    50\% of base\_ranks {[}1{]}
    """
    return "".join(_SIGNS.get(character, character) for character in printable(text))
