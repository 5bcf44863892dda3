"""All that a page shows of some folders of records, gathered once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ordbench.errors import SpecError, StoreError
from ordbench.leaderboard.build import build
from ordbench.leaderboard.query import TableQuery, select, select_skipped
from ordbench.leaderboard.table import Table
from ordbench.report.commands import commands
from ordbench.report.html.boards import Board, boards
from ordbench.report.html.datasets import DatasetSection, dataset_sections
from ordbench.report.html.heads import HeadSection, head_sections
from ordbench.report.html.study import ColumnStudy, StudiedColumn
from ordbench.report.html.thumbnails import AT_MOST, ImagePlaces, thumbnails
from ordbench.report.origin import Origin, origin
from ordbench.results.loading import load_skipped, read_records
from ordbench.results.rescoring import rescore
from ordbench.results.rows import flatten, group_by_cell
from ordbench.runs.record import Record
from ordbench.utils.environment import version_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReportQuery:
    """What a report is asked for.

    Attributes:
        table: Which score, by which decoding.
        selection: The runs and skipped cells to show: arguments of
            `ordbench.leaderboard.query.select`.
        reference: Head that is compared with all others, even where not all pairs are.
        images: Where images lie that are shown small; None for no images.
    """

    table: TableQuery
    selection: Mapping[str, Iterable[str] | None] = field(
        default_factory=dict[str, Iterable[str] | None]
    )
    reference: str = ""
    images: ImagePlaces | None = None


class StudiedCell(NamedTuple):
    """A cell of a leaderboard whose errors are known: its places, and what it is."""

    board: str
    column: int
    row: int
    title: str


@dataclass(frozen=True, kw_only=True)
class FolderReport:
    """What is known of one folder of records.

    Attributes:
        name: Of the folder.
        boards: Its leaderboards, those of `ordbench table`.
        unstudied: Why heads are not compared and errors not shown; empty if they are.
        heads: One section a head.
        datasets: One section a dataset.
        origin: What made the records.
        commands: What makes them again.
        thumbnails: Data URIs by board id and name of an image.
    """

    name: str
    boards: Sequence[Board]
    unstudied: str
    heads: Sequence[HeadSection]
    datasets: Sequence[DatasetSection]
    origin: Origin
    commands: Sequence[str]
    thumbnails: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict[str, Mapping[str, str]]
    )

    @cached_property
    def places(self) -> dict[str, str]:
        """The id of each head's section."""
        prefix = self.boards[0].id
        return {head.name: f"{prefix}-head{at}" for at, head in enumerate(self.heads)}

    @cached_property
    def settings(self) -> dict[str, list[StudiedCell]]:
        """The cells of each head whose errors are known, by name of the head."""
        found: defaultdict[str, list[StudiedCell]] = defaultdict(list)
        for board in self.boards:
            for column, study in enumerate(studied(board.table)):
                for at, row in enumerate(board.rows):
                    if row.label in study.heads:
                        facts = [board.title, board.table.columns[column], row.label]
                        cell = StudiedCell(board.id, column, at, ", ".join(facts))
                        found[row.head].append(cell)
        return found


@dataclass(frozen=True, kw_only=True)
class Report:
    """A page.

    Attributes:
        title: Its heading.
        created: When it was made, in UTC.
        version: Of ordbench.
        folders: One a folder of records.
        message: Why there are none; empty if there are.
    """

    title: str
    folders: Sequence[FolderReport]
    message: str = ""
    created: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    version: str = field(default_factory=lambda: version_of("ordbench"))


def gather(folders: Iterable[Path], asked: ReportQuery, title: str) -> Report:
    """Read folders of records and gather all that a page shows.

    Args:
        folders: Stores or archives.
        asked: What to show.
        title: Of the page.

    Raises:
        OrdbenchError: If there is nothing to show, or something that was asked for does not exist.
    """
    found = [_folder(path, asked, f"b{number}-") for number, path in enumerate(folders)]
    return Report(title=title, folders=found)


def _folder(path: Path, asked: ReportQuery, prefix: str) -> FolderReport:
    query = asked.table
    records = {record.run_id: record for record in read_records(path)}
    cells = select(group_by_cell(map(flatten, records.values())), **asked.selection)
    cells = rescore(path, cells, query.metric, query.decode)
    study, unstudied = _study(path, asked)
    skipped = select_skipped(load_skipped(path), **asked.selection)
    tables = build(cells, query, skipped, study)
    kept = sorted(run_id for cell in cells for run_id in cell.run_ids)
    done = [records[run_id] for run_id in kept if records[run_id].status == "done"]
    shown = boards(tables, prefix)
    return FolderReport(
        name=path.resolve().name,
        boards=shown,
        unstudied=unstudied,
        heads=head_sections(done),
        datasets=dataset_sections(done),
        origin=origin(done),
        commands=commands(done),
        thumbnails=_thumbnails(shown, records, asked.images) if asked.images else {},
    )


def _study(path: Path, asked: ReportQuery) -> tuple[ColumnStudy | None, str]:
    query = asked.table
    try:
        return ColumnStudy(path, query.metric, query.decode, asked.reference), ""
    except (SpecError, StoreError) as error:
        return None, str(error)


def _thumbnails(
    shown: Sequence[Board], records: Mapping[str, Record], places: ImagePlaces
) -> dict[str, dict[str, str]]:
    """Images of each board, those that most heads get wrong first."""
    found: dict[str, dict[str, str]] = {}
    for board in shown:
        heads = [head for column in studied(board.table) for head in column.heads.values()]
        if not heads:
            continue
        counts: dict[str, int] = {}
        for image in (image for head in heads for image in head.worst):
            counts[image.sample] = counts.get(image.sample, 0) + 1
        names = sorted(counts, key=lambda name: (-counts[name], name))
        spec = records[heads[0].run_ids[0]].spec
        found[board.id] = thumbnails(islice(names, AT_MOST // len(shown)), spec, places)
    return found


def studied(table: Table) -> list[StudiedColumn]:
    """What is known of the heads of each column; empty where they were not studied."""
    return [column for column in table.tests if isinstance(column, StudiedColumn)]
