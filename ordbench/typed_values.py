"""Values as typed: comma-separated, with ranges of numbers; what is wrong is named as typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from pydantic import ValidationError

from ordbench.choice import split
from ordbench.errors import SpecError
from ordbench.recipe import Recipe
from ordbench.spec import RunSpec


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
        SpecError: If an item is neither a whole number nor a rising range, or not below 2^32.

    >>> parse_numbers(["0-2,7"], "--seeds")
    [0, 1, 2, 7]
    """
    numbers: list[int] = []
    for item in items(texts):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", item)
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise SpecError(f"{flag} {item}: wanted a whole number or a range such as 0-4")
        if int(match[2] or match[1]) >= 2**32:
            raise SpecError(f"{flag} {item}: wanted less than {2**32}")
        numbers.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return numbers


def parse_recipe(texts: Iterable[str]) -> dict[str, str]:
    """Read ``KEY=VALUE``, each a field of a `Recipe`.

    Raises:
        SpecError: If there is no such field, or one is given twice.

    >>> parse_recipe(["learning-rate=0.5"])
    {'learning_rate': '0.5'}
    """
    changes: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise SpecError(f"--recipe {text}: wanted KEY=VALUE")
        name = key.replace("-", "_")
        if name not in Recipe.model_fields:
            near = get_close_matches(name, Recipe.model_fields) or Recipe.model_fields
            raise SpecError(f"--recipe {text}: there is no {key!r}; there is: {', '.join(near)}")
        if name in changes:
            raise SpecError(f"--recipe {text}: {name} is given twice; run once for each value")
        changes[name] = value
    return changes


def with_tuning(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings, with ``tune`` and ``sampler`` as one.

    Raises:
        SpecError: If there is a sampler alone.
    """
    kept = {name: value for name, value in settings.items() if name not in {"tune", "sampler"}}
    if "tune" not in settings:
        if "sampler" in settings:
            raise SpecError(f"--sampler {settings['sampler']}: add --tune, say --tune 20")
        return kept
    sampler = settings.get("sampler", "random")
    return {**kept, "tuning": {"budget": settings["tune"], "sampler": sampler}}


def spec_of(settings: Mapping[str, object]) -> RunSpec:
    """The run that settings describe.

    Raises:
        SpecError: If a value is not to be had; names its option, and what was wanted.
    """
    try:
        return RunSpec.model_validate(settings)
    except ValidationError as error:
        flags = [_flag(one["loc"]) for one in error.errors()]
        wanted = [one["msg"].removeprefix("Input should be ") for one in error.errors()]
        # Each member of a union has an error of its own.
        either = " or ".join(w for w, flag in zip(wanted, flags, strict=True) if flag == flags[0])
        raise SpecError(f"{flags[0]}{error.errors()[0]['input']}: wanted {either}") from None


def _flag(place: tuple[int | str, ...]) -> str:
    """How the value at a place of a `RunSpec` is typed."""
    match place:
        case ("recipe", key):
            return f"--recipe {key}="
        case ("tuning", key):
            return "--tune " if key == "budget" else f"--{key} "
        case _:
            return f"--{place[0]} ".replace("_", "-")
