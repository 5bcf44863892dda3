"""The card of a head: what its docstring says of it, read without loading torch."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

from ordbench.errors import BrokenPluginError
from ordbench.plugins.registry import HEADS


@dataclass(frozen=True, kw_only=True)
class HeadCard:
    """What is to be known of a head, in one line each; empty where its author does not say.

    Attributes:
        title: The first line of the docstring.
        source: Its paragraph ``Source:``: paper (authors, year, title, DOI) or project.
        needs: Its paragraph ``Needs:``: what must be there besides features, or ``nothing``.
        parity: Its paragraph ``Parity:``: ``agrees with ...`` names the code or formula that the
            head is tested against, ``not official: ...`` what departs from the authors' code.
    """

    title: str
    source: str = ""
    needs: str = "nothing"
    parity: str = ""


def head_card(name: str) -> HeadCard:
    """Read the docstring of a head's module, or of its class where the module has none.

    The file is read as text, as importing it would load torch. A stranger's head is imported all
    the same, because only that tells whether it works.

    Raises:
        UnknownPluginError: If nobody offers ``name``.
        BrokenPluginError: If it cannot be imported or has no module.
    """
    offer = HEADS.offer(name)
    if offer.dist is None or offer.dist.name != "ordbench":
        HEADS[name]
    return _read(_docstring(offer).replace("`", ""))


def _docstring(offer: EntryPoint) -> str:
    spec = find_spec(offer.module)
    if spec is None or spec.origin is None:
        raise BrokenPluginError(f"head {offer.name!r}: there is no module {offer.module!r}")
    try:
        module = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):  # a compiled module has no text
        return ""
    named = [one for one in module.body if isinstance(one, ast.ClassDef) and one.name == offer.attr]
    texts = [ast.get_docstring(module), *map(ast.get_docstring, named)]
    return next(filter(None, texts), "")


def _read(docstring: str) -> HeadCard:
    r"""The card in a docstring.

    >>> _read("CoOp: learned context.\n\nSource: Zhou et al.\n\nNeeds: a text encoder.")
    HeadCard(title='CoOp: learned context', source='Zhou et al', needs='a text encoder', parity='')
    """
    title, *paragraphs = re.split(r"\n\s*\n", docstring.strip())
    said: dict[str, str] = {}
    for paragraph in paragraphs:
        key, _, text = paragraph.partition(":")
        if key in {"Source", "Needs", "Parity"}:
            said[key.lower()] = _line(text)
    return HeadCard(title=_line(title), **said)


def _line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
