"""Leaderboards as text: for a terminal, Markdown and LaTeX, and for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ordbench.leaderboard.bibliography import to_bibtex
from ordbench.leaderboard.cell_texts import (
    cell_text,
    close_text,
    count_text,
    empty_text,
    rows_of,
    standing,
    standing_titles,
)
from ordbench.leaderboard.latex import to_latex
from ordbench.leaderboard.note_texts import note_text
from ordbench.leaderboard.ranking import Row, Score
from ordbench.leaderboard.table import Table
from ordbench.utils.text import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

NO_WRAP = 10_000  # characters a line: nothing is broken over lines
_NUMBERS = ("mean", "std", "low", "high", "runs", "expected", "mark", "distinguishable")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&$#!{}])")


def render(tables: Sequence[Table], format: str, *, console: Console | None = None) -> str:
    """Leaderboards in one of the formats of `FORMATS`; the text ends with a line feed.

    Args:
        tables: As `ordbench.leaderboard.build.build` makes them.
        format: ``csv`` and ``json`` hold full precision; ``bibtex`` the papers, and no
            scores.
        console: For ``rich``: decides about width and colours. By default the terminal, or wide
            plain text where there is none.
    """
    if format == "rich":
        return to_terminal(tables, console)
    return FORMATS[format](tables)


def to_rich(table: Table) -> RenderableType:
    """A leaderboard as wide as its cells, to print with ``crop=False``; names are no markup."""
    from rich import box
    from rich.console import Console, Group
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid("head", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for title in table.columns:
        grid.add_column(Text(printable(title)), justify="right")
    for title in standing_titles(table):
        grid.add_column(title, justify="right")
    for row in rows_of(table):
        if row is table.reference:
            grid.add_section()
        cells = [_rich_cell(row, index, table) for index in range(len(row.cells))]
        grid.add_row(Text(printable(row.label)), *cells, *standing(row, table))
    notes = [Text(printable(note_text(note)), style="dim") for note in table.notes]
    grid.width = Console(width=NO_WRAP).measure(grid).maximum
    return Group(Text(printable(table.caption)), "", grid, "", *notes)


def to_markdown(table: Table) -> str:
    """A leaderboard in GitHub's Markdown; names are code spans."""
    lines = [
        escape_markdown(table.caption),
        "",
        _markdown_line(["head", *map(escape_markdown, table.columns), *standing_titles(table)]),
        _markdown_line([":--", *["--:"] * (len(table.columns) + len(standing_titles(table)))]),
    ]
    for row in rows_of(table):
        name = f"*{row.label}*" if row is table.reference else _code_span(row.label)
        cells = _marked(row, table, "**{}**", "<ins>{}</ins>")
        lines.append(_markdown_line([name, *cells, *standing(row, table)]))
    notes = _notes(table)
    return "\n".join([*lines, *(["", escape_markdown(notes)] if notes else []), ""])


def to_csv(tables: Sequence[Table]) -> str:
    """One line a cell, with all that its number means; a missing cell has 0 runs and no mean."""
    facts = list(dict.fromkeys(name for table in tables for name in table.facts))
    names = ["metric", "unit", "decoding", "ranked", *facts, "head", "column"]
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([*names, *_NUMBERS])
    for table in tables:
        facts_of = [table.facts.get(name, "") for name in facts]
        for row in rows_of(table):
            about = [table.metric.name, table.unit, row.decoding, "yes" if table.ranked else "no"]
            about += facts_of
            for column, cell in zip(table.columns, row.cells, strict=True):
                numbers = _numbers(cell, table)
                lines.writerow([*map(printable, [*about, row.label, column]), *numbers])
    return text.getvalue()


def to_json(tables: Sequence[Table]) -> str:
    """A list of tables; a missing cell is null."""
    listed = [
        {
            "caption": table.caption,
            "metric": table.metric.name,
            "higher_is_better": table.metric.higher_is_better,
            "unit": table.unit,
            "decoding": table.decoding,
            "ranked": table.ranked,
            "facts": dict(table.facts),
            "columns": table.columns,
            "expected_runs": table.expected,
            "rows": [_json_row(row) for row in table.rows],
            "reference": _json_row(table.reference) if table.reference else None,
            "pairs": _json_pairs(table),
            "notes": [note_text(note) for note in table.notes],
        }
        for table in tables
    ]
    return json.dumps(listed, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def escape_markdown(text: str) -> str:
    """Text with escapes, so that Markdown shows it unchanged."""
    return _MARKDOWN.sub(r"\\\1", printable(text))


def _notes(table: Table) -> str:
    return "; ".join(map(note_text, table.notes))


def _marked(row: Row, table: Table, best: str, second: str) -> list[str]:
    forms = {"best": best, "second": second, "": "{}"}
    return [
        forms[cell.mark].format(cell_text(cell, table)) + count_text(cell, table) + close_text(cell)
        if cell
        else empty_text(row, index)
        for index, cell in enumerate(row.cells)
    ]


def _rich_cell(row: Row, index: int, table: Table) -> Text:
    from rich.text import Text

    cell = row.cells[index]
    if cell is None:
        return Text(empty_text(row, index), style="dim")
    style = {"best": "bold", "second": "underline", "": ""}[cell.mark]
    text = cell_text(cell, table).replace(" ± ", "±")
    return Text.assemble((text, style), count_text(cell, table), close_text(cell))


def to_terminal(tables: Sequence[Table], console: Console | None = None) -> str:
    """Leaderboards as a terminal shows them; plain text if there is none."""
    from rich.console import Console

    if console is None:
        console = Console()
        if not console.is_terminal:
            console.width = NO_WRAP
    with console.capture() as captured:
        for index, table in enumerate(tables):
            console.print(*([""] if index else []), to_rich(table), sep="\n", crop=False)
    return captured.get()


def _each(one: Callable[[Table], str], tables: Sequence[Table]) -> str:
    return "\n".join(map(one, tables))


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code_span(text: str) -> str:
    r"""A code span of any text; a table cell ends at a bar that has no backslash.

    >>> print(_code_span("a|b"), _code_span("`a`"))
    `a\|b` `` `a` ``
    """
    text = printable(text).replace("|", r"\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _numbers(cell: Score | None, table: Table) -> list[object]:
    if cell is None:
        return ["", "", "", "", 0, table.expected, "", ""]
    ends = cell.interval or ("", "")
    distinct = {True: "yes", False: "no", None: ""}[cell.distinguishable]
    return [cell.mean, cell.std, *ends, cell.runs, table.expected, cell.mark, distinct]


def _json_pairs(table: Table) -> list[dict[str, object]]:
    return [
        {"column": column, "heads": heads, **pair._asdict()}
        for column, test in zip(table.columns, table.tests, strict=False)  # there may be no tests
        for heads, pair in test.pairs.items()
    ]


def _json_row(row: Row) -> dict[str, object]:
    cells = [
        cell
        and {
            "mean": cell.mean,
            "std": cell.std,
            "interval": cell.interval,
            "runs": cell.runs,
            "mark": cell.mark,
            "distinguishable": cell.distinguishable,
        }
        for cell in row.cells
    ]
    standing = row.standing and row.standing._asdict()
    return {"head": row.label, "decoding": row.decoding, "cells": cells, "standing": standing}


FORMATS: dict[str, Callable[[Sequence[Table]], str]] = {
    "rich": to_terminal,
    "markdown": partial(_each, to_markdown),
    "latex": to_latex,
    "bibtex": to_bibtex,
    "csv": to_csv,
    "json": to_json,
}
