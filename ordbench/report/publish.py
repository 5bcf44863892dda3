"""Published leaderboards: a file of records, and a README.md that is made of nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PureWindowsPath

from pydantic import BaseModel, ConfigDict

from ordbench.errors import StoreError
from ordbench.leaderboard.build import build
from ordbench.leaderboard.formats import escape_markdown, render
from ordbench.leaderboard.grouping import Columns
from ordbench.leaderboard.query import ask
from ordbench.plugins.registry import find_metric
from ordbench.report.origin import origin
from ordbench.results.archive import refuse_to_hide, write_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.rows import flatten, group_by_cell, without_paths
from ordbench.runs.record import Record
from ordbench.runs.spec import RunSpec
from ordbench.utils.files import cannot_read, write_atomic
from ordbench.utils.text import counted, printable

README = "README.md"
VIEWS = (("mae", "median"), ("accuracy", "argmax"), ("rps", "median"))


class PageSettings(BaseModel):
    """How records are shown; kept in the first line of the README.md.

    Attributes:
        title: Its heading.
        commands: What made the records, as typed; without paths of a machine.
        views: Metric and decoding of each section.
        columns: What the columns show.
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
        document: In which the first view is shown too; see `render_embedded`.
        mark: Where in that.

    Raises:
        StoreError: If no run is done, the folder is a store, or something cannot be written.
        UnknownPluginError: If a view asks for an unknown metric or decoding.
    """
    refuse_to_hide(folder / ARCHIVE)
    done = [
        record.model_copy(update={"spec": _without_folders(record.spec)})
        for record in records
        if record.status == "done"
    ]
    # All is rendered before anything is written: rendering may fail.
    pages = {folder / README: render_page(done, settings)}
    if document:
        pages[document] = render_embedded(document, mark, done, settings)
    write_archive(done, folder / ARCHIVE)
    for path, text in pages.items():
        write_atomic(path, text.encode())


def render_page(records: Sequence[Record], settings: PageSettings) -> str:
    """The README.md of these records.

    Raises:
        StoreError: If there is nothing to show.
        UnknownPluginError: If a view asks for an unknown metric or decoding.
    """
    # A ">" is written as its escape, so that it cannot end the comment.
    about = settings.model_dump_json().replace(">", r"\u003e")
    commands = "".join(f"$ {printable(command)}\n" for command in settings.commands)
    return "\n".join(
        [
            f"<!-- ordbench {about} -->\n# {escape_markdown(settings.title)}\n",
            f"Made from [{ARCHIVE}]({ARCHIVE}) by `ordbench results publish`; do not edit.\n",
            *([f"```console\n{commands}```\n"] if commands else []),
            _origin(records),
            *(
                f"## {find_metric(view[0]).title}\n\n{_tables(records, settings, view)}"
                for view in settings.views
            ),
        ]
    )


def render_embedded(
    document: Path, mark: str, records: Sequence[Record], settings: PageSettings
) -> str:
    """A document with the first view between ``<!-- mark: ... -->`` and ``<!-- /mark -->``.

    Raises:
        StoreError: If the document cannot be read, or does not hold both marks once.
    """
    try:
        text = document.read_text("utf-8")
    except OSError as error:
        raise cannot_read(document, error) from error
    except UnicodeDecodeError:
        raise StoreError(f"{document} is not text in UTF-8; save it so") from None
    name = re.escape(mark)
    between = re.compile(rf"(<!-- {name}\b[^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    shown = _tables(records, settings, settings.views[0])
    text, count = between.subn(lambda found: found[1] + shown + found[2], text)
    if count != 1:
        raise StoreError(
            f"{document} has {counted(count, 'pair')} of lines <!-- {mark} --> and "
            f"<!-- /{mark} -->; wanted one pair, between which the table goes"
        )
    return text


def read_settings(readme: str) -> PageSettings:
    """The settings in the first line of a page that `render_page` made.

    Raises:
        ValueError: If the line does not hold them.
    """
    found = re.match(r"<!-- ordbench (\{.*\}) -->", readme)
    return PageSettings.model_validate_json(found[1] if found else "")


def _without_folders(spec: RunSpec) -> RunSpec:
    """As `without_paths`, and the file name alone where only a path is possible.

    >>> spec = RunSpec(head="coral", dataset="csv", backbone="clip:RN50@w/me/a.pt")
    >>> _without_folders(spec).backbone
    'clip:RN50@a.pt'
    """
    changes = {"dataset_argument": PureWindowsPath(spec.dataset_argument).name}
    for field in ("backbone", "text"):
        name, at, path = getattr(spec, field).partition("@")
        changes[field] = name + at + PureWindowsPath(path).name
    return without_paths(spec).model_copy(update=changes)


def _tables(records: Iterable[Record], settings: PageSettings, view: tuple[str, str]) -> str:
    cells = group_by_cell(map(flatten, records))
    return render(build(cells, ask(*view, settings.columns)), "markdown")


def _origin(records: Sequence[Record]) -> str:
    runs, seconds, versions, machines = origin(records)
    made = [f"{name} {' and '.join(found)}" for name, found in versions.items()]
    return (
        f"{runs} runs, {seconds:.0f} s of training. "
        f"Versions: {escape_markdown(', '.join(made))}. "
        f"Machine: {escape_markdown('; '.join(machines))}.\n"
    )
