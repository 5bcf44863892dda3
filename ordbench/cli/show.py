"""`ordbench show`: parse, call, print."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from ordbench.cli.facts import fact_lines, wrapped
from ordbench.errors import SpecError
from ordbench.plugins.option_docs import OptionDoc
from ordbench.plugins.reference import PluginRef
from ordbench.report.descriptions import Description, Kind, describe

WIDTH = 80  # of prose; a wider terminal does not make it easier to read

# How the facts of cards are called, where a card's own names are not said so.
_LABELS = {
    "how_to_get": "get it",
    "grouped": "people repeat",
    "embedded": "comes with ordbench",
    "brings_features": "features, no images",
    "folds": "official folds",
    "cs_thresholds": "CS@k for k",
    "ranked": "in leaderboards",
    "validates_on_test": "selects on test",
}


def show(
    kind: Annotated[Literal[Kind, "run"], typer.Argument(help="What to show.")],
    name: Annotated[
        str, typer.Argument(help="Its name, as ordbench ls prints it; of a run the id's beginning.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    results: Annotated[
        Path | None, typer.Option(help="Of a run: folder of the records.", show_default="results")
    ] = None,
    worst: Annotated[
        int | None,
        typer.Option(min=0, help="Of a run: how many of the worst images.", show_default="10"),
    ] = None,
) -> None:
    """Show one head, dataset, backbone or protocol, or a run: its scores and where it errs."""
    width = min(WIDTH, Console().width)
    if kind == "run":
        from ordbench.cli.show_run import print_run
        from ordbench.report.run_report import report_run
        from ordbench.results.lookup import find_run

        folder, worst = results or Path("results"), 10 if worst is None else worst
        report = report_run(folder, find_run(folder, name))
        if as_json:
            typer.echo(json.dumps(report.as_json(worst=worst), indent=2, ensure_ascii=False))
        else:
            print_run(report, width, worst=worst)
        return
    if results is not None or worst is not None:
        raise SpecError(f"--results and --worst are of show run, not of show {kind}")
    found = describe(kind, PluginRef.parse(name).name)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
        return
    for line in lines(found, width):
        typer.echo(line)


def lines(found: Description, width: int) -> Iterator[str]:
    """A description in lines of ``width`` characters; only a longer word makes a longer line.

    Args:
        found: What to print.
        width: Characters a line.
    """
    yield f"{found.kind} {found.name}, of {found.package}"
    for paragraph in filter(None, [found.title, *found.about.split("\n\n")]):
        yield ""
        yield from _paragraph(paragraph, width)
    yield ""
    yield from _facts(found, width)
    described = {_head_of(option): option.help for option in found.options}
    if found.argument_help:
        described = {found.argument: found.argument_help} | described
    if described:
        yield from ("", "options")
    for option, text in described.items():
        yield from wrapped(option, width, "  ")
        yield from wrapped(text, width, "      ")
    if found.recipe:
        yield from ("", "recipe (--recipe KEY=VALUE)")
        said = ", ".join(f"{key}={value}" for key, value in found.recipe.items())
        yield from wrapped(said, width, "  ")
    if found.tuning:
        yield from ("", "tuning (--tune N)")
        for name, axis in found.axes.items():
            yield from wrapped(f"{name}: {axis}", width, "  ")


def _facts(found: Description, width: int) -> Iterator[str]:
    typed = found.name + (f":{found.argument}" if found.argument else "")
    facts = {"write": typed + ("[:KEY=VALUE...]" if found.options else ""), **found.facts}
    rows = {_LABELS.get(name, name): _words(value) for name, value in facts.items()}
    yield from fact_lines(rows, width)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "none" if value == 0 else str(value or "")


def _head_of(option: OptionDoc) -> str:
    value = "VALUE" if option.default is None else option.default or '""'
    required = ", required" if option.default is None and option.name != "KEY" else ""
    return f"{option.name}={value} ({option.type}{required})"


def _paragraph(text: str, width: int) -> Iterator[str]:
    """A paragraph of a docstring; the items of a list stay apart."""
    if not text.startswith("- "):
        yield from wrapped(text, width)
        return
    for item in f"\n{text}".split("\n- ")[1:]:
        yield from wrapped(item, width, "  ", first="- ")
