"""`ordbench data ...`: what is here, how to get the rest, and whether it is sound."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import track

from ordbench.cli.run import DataRoot
from ordbench.errors import SpecError
from ordbench.utils.text import counted, printable

if TYPE_CHECKING:
    from ordbench.data.status import DatasetStatus
    from ordbench.data.verify import Verification
    from ordbench.dataset import DatasetCard

WIDTH = 80  # of prose
MOST = 10  # findings of a kind that are printed
T = TypeVar("T")

data_app = typer.Typer(no_args_is_help=True)
Choice = Annotated[str, typer.Argument(metavar="NAME", help="NAME[:ARGUMENT][:KEY=VALUE].")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Images read at once.", show_default="one per core"),
]


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
def howto(dataset: Choice, data_root: DataRoot = None) -> None:
    """Say how to get a dataset: its licence first, then step by step, with its folder here."""
    from ordbench.cli.facts import wrapped
    from ordbench.data.howto import steps
    from ordbench.data.status import status_of
    from ordbench.plugins.reference import PluginRef
    from ordbench.plugins.registry import DATASETS
    from ordbench.runs.spec import dataset_settings

    dataset_settings(dataset)
    choice = PluginRef.parse(dataset)
    _print_card(DATASETS[choice.name].card)
    width = min(WIDTH, Console().width)
    found = status_of(choice.name, data_root)
    typer.echo("\n".join(["", *wrapped(_said(found), width), ""]))
    here = found.images is not None
    todo = steps(choice.name, data_root, argument=choice.argument, here=here)
    for number, (text, command) in enumerate(todo, 1):
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
        "folds": f"{card.folds} official ones in the whole dataset" if card.folds else "",
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


@data_app.command()
def verify(
    dataset: Choice, data_root: DataRoot = None, jobs: Jobs = None, as_json: AsJson = False
) -> None:
    """Read every image and report what is wrong; exit 1 if anything is."""
    from ordbench.data.duplicates import looks
    from ordbench.data.loading import open_dataset
    from ordbench.data.verify import verify as verified
    from ordbench.plugins.reference import PluginRef

    choice = PluginRef.parse(dataset)
    listing = open_dataset(choice.name, choice.argument, choice.options, data_root=data_root)
    images = () if listing.features is not None else listing.samples
    found = list(_with_bar(looks(images, jobs), len(images)))
    result = verified(choice.name, listing, found)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2, ensure_ascii=False))
    else:
        for line in lines(result):
            typer.echo(line)
    if result.findings:
        raise typer.Exit(1)


def _with_bar(items: Iterable[T], total: int) -> Iterable[T]:
    """The items, counted on standard error where that is a terminal."""
    console = Console(stderr=True)
    return track(
        items,
        "reading images",
        total,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def lines(result: Verification) -> Iterator[str]:
    """What was found; of each kind the first few, those across parts of the split first."""
    counts = result.per_rank.values()
    some = sum(count > 0 for count in counts)
    samples = counted(result.images, "sample")
    yield (
        f"{result.dataset}: {samples} in {some} of {len(counts)} ranks, {min(counts)} to "
        f"{max(counts)} each"
    )
    known = {"people or groups": result.people, "official folds": result.folds}
    yield from (f"{count} {what}" for what, count in known.items() if count)
    parts = ", ".join(f"{count} {part}" for part, count in result.parts.items())
    yield f"standard split, first fold: {parts}"
    if result.left_out:
        reasons = ", ".join(f"{why} ({count})" for why, count in result.left_out.items())
        yield printable(f"{counted(sum(result.left_out.values()), 'file')} left out: {reasons}")
    yield from result.notes
    for kind, found in result.by_kind().items():
        yield from map(printable, map(str, found[:MOST]))
        if len(found) > MOST:
            yield f"{kind}: {len(found) - MOST} more, see --json"
    summary = ", ".join(f"{len(found)} {kind}" for kind, found in result.by_kind().items())
    across = sum("parts" in finding.differ for finding in result.findings)
    disputed = sum("ranks" in finding.differ for finding in result.findings)
    yield f"found: {summary}" if summary else "nothing is wrong"
    if across or disputed:
        yield f"sets of copies with two ranks: {disputed}; in two parts of the split: {across}"


@data_app.command()
def card(
    dataset: Choice,
    file: Annotated[
        Path | None, typer.Argument(help="File to write (JSON-LD).", show_default="printed")
    ] = None,
    data_root: DataRoot = None,
) -> None:
    """Describe a dataset in Croissant, the format of MLCommons, with ranks, groups and split."""
    from ordbench.cli.typed_split import draw_one
    from ordbench.data.croissant import croissant
    from ordbench.data.loading import open_dataset
    from ordbench.plugins.reference import PluginRef
    from ordbench.plugins.registry import DATASETS
    from ordbench.utils.files import write_atomic

    choice = PluginRef.parse(dataset)
    listing = open_dataset(choice.name, choice.argument, choice.options, data_root=data_root)
    split = draw_one(dataset, "all", 0, 0, "standard", data_root).split
    described = croissant(choice.name, DATASETS[choice.name].card, listing, split)
    text = json.dumps(described, indent=2, ensure_ascii=False)
    if file is None:
        typer.echo(text)
        return
    write_atomic(file, f"{text}\n".encode())
    typer.echo(f"{file}: {counted(len(listing.samples), 'sample')}")
