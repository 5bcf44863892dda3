"""Published leaderboards: a file of records, and a README.md that is made of nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import fsum
from pathlib import Path, PureWindowsPath

from pydantic import BaseModel, ConfigDict, ValidationError

from ordbench.errors import StoreError
from ordbench.leaderboard.build import build
from ordbench.leaderboard.formats import escape_markdown, render
from ordbench.leaderboard.grouping import Columns
from ordbench.leaderboard.query import ask
from ordbench.plugins.registry import find_metric
from ordbench.results.archive import read_archive, refuse_to_hide, write_archive
from ordbench.results.layout import COMPACT
from ordbench.results.rows import flatten, group_by_cell, without_paths
from ordbench.runs.record import Record
from ordbench.runs.spec import RunSpec
from ordbench.utils.files import cannot_read, write_atomic
from ordbench.utils.text import printable

README = "README.md"
VIEWS = (("mae", "median"), ("accuracy", "argmax"), ("rps", "median"))
_SETTINGS = re.compile(r"<!-- ordbench (\{.*\}) -->")


class PageSettings(BaseModel):
    """How records are shown; stands in the first line of the README.md.

    Attributes:
        title: Its heading.
        commands: What made the records, as typed; without paths of a machine.
        views: Metric and decoding of each section.
        columns: What stands in the columns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    commands: tuple[str, ...] = ()
    views: tuple[tuple[str, str], ...] = VIEWS
    columns: Columns = "shots"


def publish(
    records: Iterable[Record],
    folder: Path,
    settings: PageSettings,
    *,
    document: Path | None = None,
    mark: str = "demo",
) -> None:
    """Write the records that are done to ``folder``, and the README.md that shows them.

    Paths are cut down to file names: they say nothing to others, and no run id depends on them.
    An option of a dataset counts as one if it begins at a root, a home or a folder's parent.

    Args:
        records: Of which those that are done are published.
        folder: Where they go; not a store, which they would hide.
        settings: How they are shown.
        document: In which the first view is shown too; see `embed`.
        mark: Where in that.

    Raises:
        StoreError: If no run is done, the folder is a store, or something cannot be written.
        SpecError: If a view asks for an unknown metric or decoding.
    """
    refuse_to_hide(folder / COMPACT)
    done = [
        record.model_copy(update={"spec": _without_folders(record.spec)})
        for record in records
        if record.status == "done"
    ]
    # Before anything is written: either may be refused.
    text = page(done, settings)
    if document:
        _around(document, mark)
    write_archive(done, folder / COMPACT)
    write_atomic(folder / README, text.encode())
    if document:
        embed(document, mark, folder)


def check(folder: Path) -> None:
    """Hold the README.md to its records.

    Raises:
        StoreError: If it says anything else, or one of the two files cannot be read.
    """
    wanted = page(list(read_archive(folder / COMPACT)), _settings(folder / README))
    _compare(folder / README, wanted, folder / COMPACT)


def embed(document: Path, mark: str, folder: Path) -> None:
    """Write the first view of ``folder`` between ``<!-- mark: ... -->`` and ``<!-- /mark -->``.

    Raises:
        StoreError: If the document does not hold both marks once, or cannot be written.
    """
    write_atomic(document, _embedded(document, mark, folder).encode())


def check_embedded(document: Path, mark: str, folder: Path) -> None:
    """Hold what `embed` wrote to the records in ``folder``.

    Raises:
        StoreError: If the document says anything else there.
    """
    _compare(document, _embedded(document, mark, folder), folder / COMPACT)


def page(records: Sequence[Record], settings: PageSettings) -> str:
    """The README.md of these records.

    Raises:
        StoreError: If there is nothing to show.
        SpecError: If a view asks for an unknown metric or decoding.
    """
    # No comment ends early: a ">" is written as its escape.
    about = settings.model_dump_json().replace(">", r"\u003e")
    pieces = [
        f"<!-- ordbench {about} -->\n# {escape_markdown(settings.title)}\n",
        f"Made from [{COMPACT}]({COMPACT}) by `ordbench results publish`; "
        "not to be edited by hand.\n",
        *(
            ["```console\n" + "".join(f"$ {printable(c)}\n" for c in settings.commands) + "```\n"]
            if settings.commands
            else []
        ),
        _origin(records),
        *(_section(records, settings, metric, decode) for metric, decode in settings.views),
    ]
    return "\n".join(pieces)


def _without_folders(spec: RunSpec) -> RunSpec:
    """As `without_paths`, and the file name alone where nothing but a path can stand.

    >>> spec = RunSpec(head="coral", dataset="csv", backbone="clip:RN50@w/me/a.pt")
    >>> _without_folders(spec).backbone
    'clip:RN50@a.pt'
    """
    changes = {"dataset_argument": PureWindowsPath(spec.dataset_argument).name}
    for field in ("backbone", "text"):
        name, at, path = getattr(spec, field).partition("@")
        changes[field] = name + at + PureWindowsPath(path).name
    return without_paths(spec).model_copy(update=changes)


def _section(records: Sequence[Record], settings: PageSettings, metric: str, decode: str) -> str:
    shown = _tables(records, settings, metric, decode)
    return f"## {find_metric(metric).title}\n\n{shown}"


def _tables(records: Iterable[Record], settings: PageSettings, metric: str, decode: str) -> str:
    lots = group_by_cell(map(flatten, records))
    return render(build(lots, ask(metric, decode, settings.columns)), "markdown")


def _origin(records: Sequence[Record]) -> str:
    machines = {
        ", ".join(f"{name} {value}" for name, value in sorted(record.machine.items()))
        for record in records
    }
    versions: dict[str, set[str]] = {}
    for record in records:
        for name, version in record.versions.items():
            versions.setdefault(name, set()).add(version)
    made = [f"{name} {' and '.join(sorted(found))}" for name, found in sorted(versions.items())]
    seconds = fsum(record.seconds.get("fit", 0.0) for record in records)
    return (
        f"{len(records)} runs, {seconds:.0f} s of training. "
        f"Versions: {escape_markdown(', '.join(made))}. "
        f"Machine: {escape_markdown('; '.join(sorted(machines)))}.\n"
    )


def _settings(readme: Path) -> PageSettings:
    found = _SETTINGS.match(_read(readme))
    try:
        return PageSettings.model_validate_json(found[1] if found else "")
    except ValidationError:
        raise StoreError(
            f"{readme}: its first line does not say how it was made; "
            "`ordbench results publish` makes it"
        ) from None


def _embedded(document: Path, mark: str, folder: Path) -> str:
    settings = _settings(folder / README)
    metric, decode = settings.views[0]
    shown = _tables(read_archive(folder / COMPACT), settings, metric, decode)
    before, after = _around(document, mark)
    return before + shown + after


def _around(document: Path, mark: str) -> tuple[str, str]:
    """What stands before a table in a document, and after it."""
    text = _read(document)
    name = re.escape(mark)
    found = list(re.finditer(rf"(<!-- {name}\b[^\n]*-->\n).*?(<!-- /{name} -->)", text, re.DOTALL))
    if len(found) != 1:
        raise StoreError(
            f"{document} must hold <!-- {mark} --> and <!-- /{mark} --> once, got {len(found)}"
        )
    start, end = found[0].end(1), found[0].start(2)
    return text[:start], text[end:]


def _compare(document: Path, wanted: str, records: Path) -> None:
    got = _read(document)
    if got == wanted:
        return
    lines = zip([*got.splitlines(), ""], [*wanted.splitlines(), ""], strict=False)
    number = next((n for n, (a, b) in enumerate(lines, start=1) if a != b), 1)
    raise StoreError(
        f"{document} line {number} is not what {records} says; "
        "`ordbench results publish` makes it again"
    )


def _read(document: Path) -> str:
    try:
        return document.read_text("utf-8")
    except OSError as error:
        raise cannot_read(document, error) from error
    except UnicodeDecodeError as error:
        raise StoreError(f"{document} is not UTF-8: {error}; save it as UTF-8") from None
