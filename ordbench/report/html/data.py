"""What the scripts of a page need to know, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ordbench.leaderboard.ranking import digits
from ordbench.report.html.boards import Board
from ordbench.report.html.content import FolderReport, Report, studied
from ordbench.report.html.study import HeadErrors, StudiedColumn
from ordbench.utils.text import printable

if TYPE_CHECKING:
    from ordbench.statistics.intervals import Interval
    from ordbench.statistics.paired import Paired

_SHOWN = 12  # digits of a run id
# What would end a script, or is no JavaScript, wherever it stands in JSON.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\N{LINE SEPARATOR}\u2029"}


def page_data(report: Report) -> str:
    r"""JSON that can stand inside a ``<script>``: no text in it can end that.

    >>> json.dumps("</script>").translate(_ESCAPES)
    '"\\u003c/script\\u003e"'
    """
    shown = [_board(folder, board) for folder in report.folders for board in folder.boards]
    text = json.dumps(shown, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def _board(folder: FolderReport, board: Board) -> dict[str, object]:
    table, images = board.table, folder.thumbnails.get(board.id, {})
    columns = studied(table)
    every = [image for one in columns for head in one.heads.values() for image in head.worst]
    names = list(dict.fromkeys(image.sample for image in every))
    places = {name: index for index, name in enumerate(names)}
    rows = {row.label: index for index, row in enumerate(board.rows)}
    return {
        "id": board.id,
        "title": printable(board.title),
        "columns": [*map(printable, table.columns)],
        "rows": [printable(row.label) for row in board.rows],
        "metric": table.metric.title,
        "unit": printable(table.unit),
        "higher": table.metric.higher_is_better,
        "decimals": digits(table.metric),
        "pairs": [_pairs(column, rows) for column in columns],
        "against": [[rows[label] for label in column.against] for column in columns],
        "heads": [
            {rows[label]: _head(head, places) for label, head in column.heads.items()}
            for column in columns
        ],
        "units": [printable(column.unit) for column in columns],
        "images": [*map(printable, names)],
        "thumbnails": {places[name]: uri for name, uri in images.items()},
    }


def _pairs(column: StudiedColumn, rows: Mapping[str, int]) -> list[list[float | None]]:
    """A row a pair: both heads, then the fields of `Paired`, intervals as two numbers."""
    return [
        [rows[first], rows[second], *_paired(pair)]
        for (first, second), pair in column.pairs.items()
    ]


def _paired(pair: Paired) -> Sequence[float | None]:
    return [
        *(_short(value) for value in (pair.first, pair.second, pair.difference)),
        *_ends(pair.interval),
        *_ends(pair.over_images),
        *(_short(value) for value in (pair.p, pair.p_holm, pair.effect)),
        pair.images,
        pair.units,
        pair.draws,
    ]


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (_short(interval.low), _short(interval.high)) if interval else (None, None)


def _head(head: HeadErrors, places: Mapping[str, int]) -> dict[str, object]:
    return {
        "ranks": [
            [one.low, one.high, one.images, _short(one.bias), _short(one.mae)]
            for one in head.by_rank
        ],
        "worst": [
            [places[one.sample], one.true, _short(one.estimate), _short(one.error)]
            for one in head.worst
        ],
        "runs": [run_id[:_SHOWN] for run_id in head.run_ids],
    }


def _short(value: float | None) -> float | None:
    """Six digits: more are shown nowhere."""
    return None if value is None else float(f"{value:.6g}")
