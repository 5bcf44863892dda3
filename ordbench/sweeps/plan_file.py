"""A sweep as a YAML file: the long names of the options of `ordbench run`, one value or many."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from pathlib import Path

import yaml

from ordbench.errors import OrdbenchError, SpecError

Values = dict[str, list[str]]
Check = Callable[[str, str], None]
"""Refuses a value, after its name, by an `OrdbenchError`."""


def read_plan(path: Path, check: Check, *, many: Collection[str], one: Collection[str]) -> Values:
    """Read a plan; every value becomes a list of what would be typed on the command line.

    A plan has lines such as ``head: [linear, "ordinalclip:base_ranks=5"]``, ``seeds: 0-4`` or
    ``recipe: {learning_rate: 0.01}``.

    Args:
        path: The file.
        check: Asked about each value.
        many: Names that may stand in it, with one value or many.
        one: Names that may stand in it, with one value.

    Raises:
        SpecError: If it cannot be read; names the line, what was wanted and what was found.
    """
    root = _root(path)
    if not isinstance(root, yaml.MappingNode):
        raise SpecError(f"plan {path}, line 1: wanted lines such as 'head: [linear, coral]'")
    known = sorted({*many, *one})
    values: Values = {}
    for key, node in root.value:
        written, where = _text(key, "a name"), _place(key.start_mark)
        name = written.replace("-", "_")
        if name not in known:
            near = get_close_matches(name, known) or known
            raise SpecError(f"{where}: there is no {written!r}; there is: {', '.join(near)}")
        if name in values:
            raise SpecError(f"{where}: {written!r} stands twice")
        values[name] = []
        for text, mark in _texts(node, written):
            try:
                check(name, text)
            except OrdbenchError as error:
                said = str(error).removeprefix("--")
                raise SpecError(f"{_place(mark)}: {said}") from None
            values[name].append(text)
        if not values[name]:
            raise SpecError(f"{where}: {written} has no value")
        if name in one and len(values[name]) > 1:
            raise SpecError(f"{where}: {written} has {len(values[name])} values; one is wanted")
    return values


def _root(path: Path) -> yaml.Node | None:
    try:
        with path.open("rb") as stream:
            return yaml.compose(stream, Loader=yaml.SafeLoader)
    except OSError as error:
        raise SpecError(f"plan {path}: {error.strerror}; give the path of a YAML file") from None
    except yaml.MarkedYAMLError as error:
        where = _place(error.problem_mark) if error.problem_mark else f"plan {path}"
        raise SpecError(f"{where}: not YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise SpecError(f"plan {path}: not YAML: wanted text in UTF-8") from None


def _place(mark: yaml.Mark) -> str:
    return f"plan {mark.name}, line {mark.line + 1}"


def _texts(node: yaml.Node, name: str) -> Iterator[tuple[str, yaml.Mark]]:
    """Each value as it would be typed, and where it stands."""
    match node:
        case yaml.SequenceNode():
            for item in node.value:
                yield _text(item, name), item.start_mark
        case yaml.MappingNode():
            for key, value in node.value:
                option = _text(key, name)
                yield f"{option}={_text(value, f'{name} {option}')}", value.start_mark
        case _:
            yield _text(node, name), node.start_mark


def _text(node: yaml.Node, name: str) -> str:
    match node:
        case yaml.ScalarNode(tag="tag:yaml.org,2002:null"):
            raise SpecError(f"{_place(node.start_mark)}: {name} has no value")
        case yaml.ScalarNode():
            return str(node.value)
        case _:
            kind = "mapping" if isinstance(node, yaml.MappingNode) else "list"
            raise SpecError(f"{_place(node.start_mark)}: {name}: wanted one value, got a {kind}")
