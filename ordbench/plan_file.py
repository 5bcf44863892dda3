"""A sweep as a YAML file: the long names of the options of `ordbench run`, one value or many."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import yaml

from ordbench.errors import SpecError

Values = dict[str, list[str]]


def read_plan(path: Path, known: frozenset[str]) -> Values:
    """Read a plan; every value becomes a list of what would be typed on the command line.

    A plan has lines such as ``head: [linear, "ordinalclip:base_ranks=5"]``, ``seeds: 0-4`` or
    ``recipe: {learning_rate: 0.01}``.

    Args:
        path: The file.
        known: Names that may stand in it.

    Raises:
        SpecError: If it cannot be read; names the line, what was wanted and what was found.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise SpecError(f"plan {path}: {error.strerror}; give the path of a YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else "?"
        problem = getattr(error, "problem", None) or error
        raise SpecError(f"plan {path}, line {line}: not YAML: {problem}") from None
    if not isinstance(root, yaml.MappingNode):
        raise SpecError(f"plan {path}, line 1: wanted lines such as 'head: [linear, coral]'")
    values: Values = {}
    for key, value in root.value:
        name = str(key.value).replace("-", "_")
        where = f"plan {path}, line {key.start_mark.line + 1}"
        if name not in known:
            near = get_close_matches(name, known) or sorted(known)
            raise SpecError(f"{where}: there is no {key.value!r}; there is: {', '.join(near)}")
        if name in values:
            raise SpecError(f"{where}: {key.value!r} stands twice")
        values[name] = _texts(value, f"plan {path}, line {value.start_mark.line + 1}: {name}")
    return values


def _texts(node: yaml.Node, where: str) -> list[str]:
    match node:
        case yaml.ScalarNode(tag="tag:yaml.org,2002:null"):
            raise SpecError(f"{where} has no value")
        case yaml.ScalarNode():
            return [str(node.value)]
        case yaml.SequenceNode():
            return [text for item in node.value for text in _texts(item, where)]
        case yaml.MappingNode():
            return [f"{key.value}={value.value}" for key, value in node.value]
        case _:
            raise SpecError(f"{where}: wanted one value or a list")
