"""`ordbench data ...`: what is here, how to get the rest, and whether it is sound."""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ordbench.cli.run import DataRoot
from ordbench.errors import SpecError
from ordbench.utils.text import counted

if TYPE_CHECKING:
    from ordbench.data.status import DatasetStatus
    from ordbench.dataset import DatasetCard

WIDTH = 80  # of prose

data_app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="NAME, as ordbench ls datasets prints it.")]
Choice = Annotated[str, typer.Argument(metavar="NAME", help="NAME[:ARGUMENT][:KEY=VALUE].")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@data_app.command()
def status(data_root: DataRoot = None, as_json: AsJson = False) -> None:
    """List all datasets: which are here, and how many images and ranks they have."""
    from ordbench.cli.grids import print_grid
    from ordbench.data.paths import resolve_root
    from ordbench.data.status import statuses

    found = statuses(data_root)
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found], indent=2, default=str))
        return
    columns = ("dataset", "status", "folder", "licence", "images", "ranks")
    print_grid(columns, map(_cells, found), left=4)
    counts = Counter(one.state for one in found)
    typer.echo(f"{', '.join(f'{count} {state}' for state, count in counts.items())}")
    typer.echo(f"looked in {resolve_root(data_root)}; ordbench data howto NAME says how to get one")


def _cells(one: DatasetStatus) -> tuple[str, ...]:
    """A row of the table; the JSON has the whole reason."""
    reason = one.reason.partition("; ")[0]
    state = f"{one.state}: {reason}" if reason else one.state
    folder = one.folder.name if one.folder else ""
    numbers = ("" if number is None else str(number) for number in (one.images, one.ranks))
    return (one.name, state, folder, one.licence, *numbers)


@data_app.command()
def howto(name: Name, data_root: DataRoot = None) -> None:
    """Say how to get a dataset: its licence first, then step by step, with its folder here."""
    from ordbench.cli.facts import wrapped
    from ordbench.data.howto import steps
    from ordbench.data.status import status_of
    from ordbench.plugins.reference import PluginRef
    from ordbench.plugins.registry import DATASETS

    name = PluginRef.parse(name).name
    card = DATASETS[name].card
    _print_card(card)
    width = min(WIDTH, Console().width)
    typer.echo("\n".join(["", *wrapped(_said(status_of(name, data_root)), width), ""]))
    for number, (text, command) in enumerate(steps(name, data_root), 1):
        typer.echo("\n".join(wrapped(text, width, "   ", first=f"{number}. ")))
        if command:
            typer.echo(f"   $ {command}")


def _said(one: DatasetStatus) -> str:
    """Where a dataset is, in a line."""
    if one.images is not None:
        return f"here: {counted(one.images, 'image')}, {one.ranks} ranks, in {one.folder}"
    where = f" in {one.folder}" if one.folder else ""
    return f"{one.state}{where}{': ' if one.reason else ''}{one.reason}"


def _print_card(card: DatasetCard) -> None:
    """Print the licence, and what a dataset is."""
    from ordbench.cli.facts import fact_lines

    about = {
        "licence": card.licence,
        "terms": card.terms,
        "title": card.title,
        "source": card.source,
        "ranks": card.ranks,
        "people": "repeat; all images of one stay on one side" if card.grouped else "",
        "folds": f"{card.folds} official ones" if card.folds else "",
    }
    for line in fact_lines(about, min(WIDTH, Console().width)):
        typer.echo(line)


@data_app.command()
def get(
    dataset: Choice,
    data_root: DataRoot = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Agree to its terms without being asked.")
    ] = False,
) -> None:
    """Download a dataset, where a program may; a download that broke off goes on."""
    from ordbench.data.loading import open_dataset
    from ordbench.dataset import downloadable
    from ordbench.errors import DatasetError
    from ordbench.plugins.reference import PluginRef
    from ordbench.plugins.registry import DATASETS

    choice = PluginRef.parse(dataset)
    plugin = DATASETS[choice.name]
    _print_card(plugin.card)
    read = partial(open_dataset, choice.name, choice.argument, choice.options, data_root=data_root)
    try:
        listing = read()
    except DatasetError as error:
        if not downloadable(plugin):
            raise DatasetError(
                f"{plugin.card.title} cannot be downloaded by a program; "
                f"ordbench data howto {choice.name} says how to get it"
            ) from error
        if plugin.card.terms and not accept_licence:
            _ask(plugin.card)
        listing = read(download=True, agreed=True)
    images = counted(len(listing.samples), "image")
    typer.echo(f"{choice.name}: {images}, {listing.task.num_ranks} ranks")


def at_terminal() -> bool:
    """Whether somebody can answer a question."""
    return sys.stdin.isatty()


def _ask(card: DatasetCard) -> None:
    """Go on only with those who type that they agree."""
    if not at_terminal():
        raise SpecError(
            f"{card.title} is downloaded only for those who agree to its terms ({card.terms}); "
            "if you do, add --accept-licence"
        )
    if typer.prompt("Do you agree to these terms? Type yes or no").strip().lower() != "yes":
        raise SpecError(f"{card.title} is not downloaded, as its terms are not agreed to")
