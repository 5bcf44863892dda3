"""What is installed, for `ordbench ls`: names, titles, sources and needs, without loading torch."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from ordbench.errors import BrokenPluginError, OrdbenchError
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS, PROTOCOLS

Kind = Literal["heads", "datasets", "backbones", "protocols"]


class Entry(NamedTuple):
    """One row: a plug-in, or why it cannot be used (``broken``)."""

    name: str
    title: str
    source: str
    needs: str
    broken: str = ""


def entries(kind: Kind) -> list[Entry]:
    """List the plug-ins of one kind by name; a broken one is a row, not an end."""
    describe = {
        "heads": _head,
        "datasets": _dataset,
        "backbones": _backbone,
        "protocols": _protocol,
    }[kind]
    names: dict[Kind, Iterable[str]] = {
        "heads": HEADS,
        "datasets": DATASETS,
        "backbones": BACKBONES,
        "protocols": PROTOCOLS,
    }
    return [_entry(describe, name) for name in names[kind]]


def _entry(describe: Callable[[str], Entry], name: str) -> Entry:
    try:
        return describe(name)
    except OrdbenchError as error:
        return Entry(name, "", "", "", broken=str(error))


def _dataset(name: str) -> Entry:
    card = DATASETS[name].card
    needs = "nothing" if card.embedded else f"{card.how_to_get}; licence: {card.licence}"
    return Entry(name, card.title, card.source, needs)


def _backbone(name: str) -> Entry:
    family = BACKBONES[name]
    return Entry(name, family.title, family.source, family.needs)


def _protocol(name: str) -> Entry:
    protocol = PROTOCOLS[name]
    return Entry(name, protocol.title, protocol.source, "nothing")


def _head(name: str) -> Entry:
    """Read the docstring of a head's module as text: importing it would load torch.

    A stranger's head is imported all the same, because only that tells whether it works.
    """
    offer = HEADS.offer(name)
    if offer.dist is None or offer.dist.name != "ordbench":
        HEADS[name]
    return Entry(name, *_facts(ast.get_docstring(ast.parse(_source(offer))) or ""))


def _source(offer: EntryPoint) -> str:
    spec = find_spec(offer.module)
    if spec is None or spec.origin is None:
        raise BrokenPluginError(f"head {offer.name!r}: there is no module {offer.module!r}")
    return Path(spec.origin).read_text(encoding="utf-8")


def _facts(docstring: str) -> tuple[str, str, str]:
    r"""Title, source and needs of a head, as its module's docstring says them.

    >>> _facts("CoOp: learned context.\n\nSource: Zhou et al.\n\nNeeds: a text tower.")
    ('CoOp: learned context', 'Zhou et al', 'a text tower')
    """
    title, *paragraphs = re.split(r"\n\s*\n", docstring.strip())
    said = {"Source": "", "Needs": "nothing"}
    for paragraph in paragraphs:
        key, _, text = paragraph.partition(":")
        if key in said:
            said[key] = " ".join(text.split()).rstrip(".")
    return " ".join(title.split()).rstrip("."), said["Source"], said["Needs"]
