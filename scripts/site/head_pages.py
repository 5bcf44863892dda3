"""A page for each head: its card, options, recipe, published numbers and test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from inspect import getdoc, getmodule
from pathlib import Path

from dataset_pages import published_of
from prose import cell, options, paragraphs, prose, table
from sources import page_of, source_page, tests_of

from ordbench.plugins.head_card import head_card
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import HEADS
from ordbench.report.descriptions import Description, describe

_CARD = re.compile(r"^(Source|Needs|Parity):")
INTRODUCTION = """# Heads

Find a head here, with what it needs and what it was checked against.
`ordbench show head NAME` prints the same. Each page is made from the head's own file.

"""


def own() -> list[str]:
    """The heads that come with ordbench."""
    return [name for name in HEADS if HEADS.package(name).startswith("ordbench ")]


def navigation() -> list[str | dict[str, str]]:
    """The index, then a page a head."""
    return ["heads/index.md", *({name: f"heads/{name}.md"} for name in own())]


def pages(root: Path) -> dict[str, str]:
    """All pages by their path, with those of the tests that they link."""
    cards = {name: head_card(name) for name in own()}
    rows = [
        (f"[`{name}`]({name}.md)", cell(card.title), cell(card.needs))
        for name, card in cards.items()
    ]
    made = {"heads/index.md": INTRODUCTION + table(("head", "title", "needs"), rows)}
    for name in own():
        module = HEADS.offer(name).module
        tests = tests_of(root, module, "heads")
        code = f"heads/{module.replace('.', '/')}.py"
        made[f"heads/{name}.md"] = "\n".join(_page(describe("head", name), code, tests))
        made.update(source_page(root, path) for path in (code, *tests))
    return made


def _page(found: Description, code: str, tests: list[str]) -> Iterator[str]:
    yield f"# {found.name}\n\n{prose(found.title)}.\n"
    yield f"{_idea(found.name)}\n\n{paragraphs(found.about)}\n"
    argument = f":{found.argument}" if found.argument else ""
    more = "[:KEY=VALUE...]" if found.options else ""
    links = ", ".join(f"[{path}](../{page_of(path)})" for path in tests)
    facts = {
        "write": f"`--head {found.name}{argument}{more}`",
        **{key: cell(str(value)) for key, value in found.facts.items() if value},
        "code": f"[{code}](../{page_of(code)})",
        "golden values and tests": links,
    }
    yield table(("", ""), facts.items())
    if found.argument_help:
        yield f"`{found.argument}`: {prose(found.argument_help)}\n"
    if found.options:
        yield "## Options\n"
        yield options(found.options)
    if found.recipe:
        yield "## Recipe\n\nChange it with `--recipe KEY=VALUE`.\n"
        yield table(("key", "value"), _said(found.recipe))
    if found.tuning:
        yield "## Tuning\n\nWhat `--tune N` varies.\n"
        yield table(("key", "values"), _said(found.tuning))
    yield from _published(found.name)


def _idea(name: str) -> str:
    """What the docstring of the module says besides its title and card."""
    _, *others = re.split(r"\n\s*\n", (getdoc(getmodule(HEADS[name])) or "").strip())
    return "\n\n".join(prose(one) for one in others if not _CARD.match(one))


def _said(facts: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        if isinstance(value, dict):
            yield f"`{key}`", f"{value['low']:.2g} to {value['high']:.2g}, by its logarithm"
        else:
            values = value if isinstance(value, tuple | list) else [value]
            yield f"`{key}`", ", ".join(f"`{one}`" for one in values)


def _published(name: str) -> Iterator[str]:
    links = [
        f"- [{plan.title}](../datasets/{dataset}.md#{key})"
        for dataset, found in published_of().items()
        for key, plan in found.items()
        if any(PluginRef.parse(row.head).name == name for row in plan.rows)
    ]
    if links:
        yield "## Published numbers\n"
        yield "\n".join(links) + "\n"
