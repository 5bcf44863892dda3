"""How a prompt says a rank: by its name, as a number in words, or as an ordinal in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ordbench.errors import SpecError

Words = Literal["name", "number", "ordinal"]


def rank_words(names: Sequence[str], words: Words) -> list[str]:
    """Say ranks in words.

    Args:
        names: Of the ranks, as `Task.prompt_names`.
        words: ``name`` leaves them as they are, ``number`` writes "thirty-five" for "35",
            ``ordinal`` "thirty-fifth".

    Raises:
        SpecError: If a name is no whole number of 0 or more, or inflect is not installed.

    >>> rank_words(["9", "35"], "number"), rank_words(["9", "35"], "ordinal")
    (['nine', 'thirty-five'], ['ninth', 'thirty-fifth'])
    """
    if words == "name":
        return list(names)
    if wrong := [name for name in names if not name.isdecimal()]:
        raise SpecError(f"words={words}: rank {wrong[0]!r} is no whole number; use words=name")
    try:
        import inflect
    except ImportError:
        raise SpecError(
            f"words={words} needs inflect: pip install 'ordbench[words]', or use words=name"
        ) from None
    engine = inflect.engine()
    numbers = [str(engine.number_to_words(name)) for name in names]
    return numbers if words == "number" else [str(engine.ordinal(number)) for number in numbers]
