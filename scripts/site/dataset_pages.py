"""A page for each dataset: licence, how to get it, layout, ranks, protocol, published numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from prose import cell, options, paragraphs, prose, table
from sources import page_of, source_page, tests_of

from ordbench.dataset import DatasetCard, downloadable
from ordbench.plugins.registry import DATASETS
from ordbench.report.descriptions import describe
from ordbench.report.reproduction import Plan, plans

INTRODUCTION = """# Datasets

Find a dataset here: its licence, how to get it, and what the reader looks for.
`ordbench data howto NAME` says the same step by step, with the folder on your machine.
Each page is made from the dataset's own file.

"""


def own() -> list[str]:
    """The datasets that come with ordbench."""
    return [name for name in DATASETS if DATASETS.package(name).startswith("ordbench ")]


def navigation() -> list[str | dict[str, str]]:
    """The index, then a page a dataset."""
    return ["datasets/index.md", *({name: f"datasets/{name}.md"} for name in own())]


@cache
def published_of() -> Mapping[str, dict[str, Plan]]:
    """The published tables by dataset, then by name."""
    found: dict[str, dict[str, Plan]] = {}
    for key, plan in plans().items():
        found.setdefault(plan.dataset_name, {})[key] = plan
    return found


def pages(root: Path) -> dict[str, str]:
    """All pages by their path, with those of the tests that they link."""
    cards = {name: DATASETS[name].card for name in own()}
    rows = [
        (f"[`{name}`]({name}.md)", cell(card.title), cell(card.ranks), cell(card.licence))
        for name, card in cards.items()
    ]
    header = ("dataset", "title", "ranks", "licence")
    made = {"datasets/index.md": INTRODUCTION + table(header, rows)}
    for name, card in cards.items():
        module = DATASETS.offer(name).module
        tests = tests_of(root, module, "datasets")
        code = f"datasets/{module.replace('.', '/')}.py"
        made[f"datasets/{name}.md"] = "\n".join(_page(name, card, code, tests))
        made.update(source_page(root, path) for path in (code, *tests))
    return made


def _page(name: str, card: DatasetCard, code: str, tests: list[str]) -> Iterator[str]:
    found = describe("dataset", name)
    yield f"# {name}\n\n{prose(card.title)}.\n" if card.title != name else f"# {name}\n"
    yield f"{paragraphs(found.about)}\n"
    argument = f":{card.argument}" if card.argument else ""
    more = "[:KEY=VALUE...]" if found.options else ""
    facts = {
        "write": f"`--dataset {name}{argument}{more}`",
        "licence": cell(card.licence),
        "terms": cell(card.terms),
        "how to get it": cell(card.how_to_get),
        "by a program": f"`ordbench data get {name}`" if downloadable(DATASETS[name]) else "",
        "layout": cell(card.layout),
        "ranks": cell(card.ranks),
        "people": "repeat; all images of one stay on one side" if card.grouped else "",
        "protocol": f"`standard` uses the {card.folds} official folds" if card.folds else "",
        "source": cell(card.source),
        "code": f"[{code}](../{page_of(code)})",
        "tests": ", ".join(f"[{path}](../{page_of(path)})" for path in tests),
    }
    yield table(("", ""), ((key, value) for key, value in facts.items() if value))
    if found.argument_help:
        yield f"`{card.argument}`: {prose(found.argument_help)}\n"
    if found.options:
        yield "## Options\n"
        yield options(found.options)
    if published := published_of().get(name):
        yield "## Published numbers\n\nMAE on the test images, as the source prints it.\n"
        for key, plan in published.items():
            yield from _plan(key, plan)


def _plan(key: str, plan: Plan) -> Iterator[str]:
    shots = list(dict.fromkeys(shots for row in plan.rows for shots in row.mae))
    yield f"### {prose(plan.title)} {{ #{key} }}\n"
    yield f"{prose(plan.source)} ({prose(' '.join(plan.table.split()))})\n"
    header = [
        "in the source",
        "head",
        *("all images" if n == "all" else f"{n}-shot" for n in shots),
    ]
    rows = [
        [cell(row.published), f"`{row.head}`", *(_number(row.mae.get(n)) for n in shots)]
        for row in plan.rows
    ]
    yield table(header, rows)
    yield f"`ordbench reproduce {key}` runs the table with `{plan.backbone}`. What differs here:\n"
    yield "\n".join(f"- {prose(' '.join(one.split()))}" for one in plan.differs) + "\n"


def _number(mae: float | tuple[float, float] | None) -> str:
    if mae is None:
        return ""
    return f"{mae[0]:.2f} ± {mae[1]:.2f}" if isinstance(mae, tuple) else f"{mae:.2f}"
