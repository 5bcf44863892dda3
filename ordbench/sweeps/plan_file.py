"""A sweep as a YAML file: the long names of the options of `ordbench run`, one value or many."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from ordbench.errors import SpecError
from ordbench.utils.text import did_you_mean, items


class PlanFile(NamedTuple):
    """What a plan file says: for each name the values as they would be typed, with their places."""

    values: dict[str, list[tuple[str, str]]]

    def texts(self, many: Collection[str]) -> dict[str, str | list[str]]:
        """The values without their places; a list for each name in ``many``."""
        texts = {name: [text for text, _ in found] for name, found in self.values.items()}
        return {name: found if name in many else found[0] for name, found in texts.items()}

    def place(self, name: str, wrong: str) -> str:
        """The file and line of a wrong value; empty if the plan does not have it."""
        found = self.values.get(name, [])
        places = [place for text, place in found if wrong in (text, *items([text]))]
        return (places or [place for _, place in found] or [""])[0]


def read_plan(path: Path, *, known: Collection[str], many: Collection[str]) -> PlanFile:
    """Read a plan; it has lines such as ``head: [linear, coral]`` or ``recipe: {epochs: 10}``.

    Args:
        path: The file.
        known: Names that it may have.
        many: Those that may have several values.

    Raises:
        SpecError: If it cannot be read; names the line, what was wanted and what was found.
    """
    root = _root(path)
    if not isinstance(root, yaml.MappingNode):
        raise SpecError(f"plan {path}, line 1: wanted lines such as 'head: [linear, coral]'")
    values: dict[str, list[tuple[str, str]]] = {}
    for key, node in root.value:
        written, where = _text(key, "a name"), _place(key.start_mark)
        name = written.replace("-", "_")
        if name not in known:
            near = did_you_mean(name, sorted(known))
            raise SpecError(f"{where}: unknown key {written!r}; {near}")
        if name in values:
            raise SpecError(f"{where}: {written!r} is given twice")
        values[name] = [(text, _place(mark)) for text, mark in _texts(node, written)]
        if not values[name]:
            raise SpecError(f"{where}: {written} has no value")
        if name not in many and len(values[name]) > 1:
            raise SpecError(f"{where}: {written} has {len(values[name])} values; one is wanted")
    return PlanFile(values)


def _root(path: Path) -> yaml.Node | None:
    try:
        with path.open("rb") as stream:
            return yaml.compose(stream, Loader=yaml.SafeLoader)
    except OSError as error:
        raise SpecError(f"plan {path}: {error.strerror}; give the path of a YAML file") from None
    except RecursionError:
        raise SpecError(
            f"plan {path}: it is nested too deeply; wanted lines such as 'head: [linear, coral]'"
        ) from None
    except yaml.MarkedYAMLError as error:
        where = _place(error.problem_mark) if error.problem_mark else f"plan {path}"
        half = (error.problem or "").startswith("but ")  # the other half is the context
        said = f"{error.context}, {error.problem}" if half else error.problem
        raise SpecError(f"{where}: not YAML: {said}") from None
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
