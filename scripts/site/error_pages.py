"""A page of all error messages, collected from the code that raises them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from prose import prose

from ordbench import errors

FOLDERS = ("ordbench", "heads", "datasets")
UNKNOWN = "…"
CLASSES = {
    name: one
    for name, one in vars(errors).items()
    if isinstance(one, type) and issubclass(one, errors.OrdbenchError)
}
INTRODUCTION = """# All error messages

Search here for a message that you got; capitals stand for what differs from case to case.
Each message says what was wrong, where, and what to do. [Errors](errors.md) explains the common
ones. This list is read from the code.

"""


# Where a user meets the messages of a folder of the code.
STAGES = {
    "backbones": "--backbone and --text",
    "data": "reading and downloading datasets",
    "engines": "--engine",
    "export": "ordbench export",
    "features": "encoding images",
    "latency": "ordbench latency",
    "leaderboard": "ordbench table",
    "metrics": "--metric and --decode",
    "nn": "options of heads",
    "plots": "ordbench plot",
    "plugins": "names and options of plug-ins",
    "prompts": "heads with prompts",
    "report": "ordbench compare, report, reproduce and show run",
    "results": "folders of results",
    "runs": "ordbench run and predict",
    "scaffold": "ordbench new-head, new-dataset and new-backbone",
    "splits": "--protocol and --split",
    "statistics": "statistics",
    "sweeps": "ordbench run",
    "training": "training",
    "utils": "files, paths and values",
}


class Message(NamedTuple):
    """A message as it stands in the code.

    Attributes:
        kind: The class that is raised.
        where: The file.
        text: The message; capitals for what is put in.
    """

    kind: str
    where: str
    text: str


def messages(root: Path) -> list[Message]:
    """All messages that are written where they are raised, each once in a file."""
    found: dict[Message, None] = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    name, args = node.func.id, node.args
                    if name in CLASSES and args and re.search(r"[a-z]{3}", text := _text(args[0])):
                        found[Message(name, path.relative_to(root).as_posix(), text)] = None
    return list(found)


def pattern(text: str) -> str:
    """A regular expression that matches a message, whatever is put in."""
    parts = re.split(rf"\b[A-Z][A-Z_]+\b|{UNKNOWN}", text)
    return ".*".join(map(re.escape, parts))


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(_text, values))
        case ast.FormattedValue(value=value):
            return _put_in(value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case _:
            return _put_in(node)


def _put_in(node: ast.expr) -> str:
    """What stands for a value: its name in capitals."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").upper()
        case _:
            return UNKNOWN


def pages(root: Path) -> dict[str, str]:
    """The page by its path."""
    return {"messages.md": INTRODUCTION + "\n".join(_sections(messages(root)))}


def _sections(found: list[Message]) -> Iterator[str]:
    for kind, one in CLASSES.items():
        of_kind = sorted((_stage(m.where), m.text) for m in found if m.kind == kind)
        if not of_kind:
            continue
        yield f"## {kind}\n\n{prose(one.__doc__ or '')}\n"
        place = ""
        for stage, text in dict.fromkeys(of_kind):
            if stage != place:
                place = stage
                yield f"\n### {place} {{ #{kind}-{re.sub('[^a-z0-9]+', '-', place)} }}\n"
            yield f"- {prose(text)}"
        yield ""


def _stage(path: str) -> str:
    """The command, or the folder of the code, that a file belongs to."""
    first, *more = path.removesuffix(".py").split("/")
    if first != "ordbench":
        return f"{first}: {more[-1].replace('_', '-')}"
    if more[0] == "cli":
        return f"ordbench {more[-1].replace('_', ' ')}"
    return STAGES.get(more[0], more[0]) if len(more) > 1 else f"ordbench.{more[0]}"
