r"""Leaderboards for a paper: LaTeX with the packages booktabs and siunitx (version 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ordbench.leaderboard.bibliography import ORDBENCH, Bibliography, cite, name_of
from ordbench.leaderboard.cell_texts import (
    count_text,
    empty_text,
    rows_of,
    standing,
    standing_titles,
)
from ordbench.leaderboard.note_texts import MISSING, note_text
from ordbench.leaderboard.ranking import Row, Score, digits
from ordbench.leaderboard.table import Table
from ordbench.plugins.catalog import Kind
from ordbench.results.rows import RunRow
from ordbench.utils.latex import escape_latex

# A column of siunitx would take an underlined number for text: the line is drawn afterwards.
_PREAMBLE = r"""% needs \usepackage{booktabs} and \usepackage{siunitx}
\providecommand{\runnerup}[1]{\llap{\underline{\phantom{$#1$}}}}
"""
_SETUP = (
    "detect-weight, mode=text, separate-uncertainty, retain-zero-uncertainty, "
    "table-align-text-after=false"
)


def to_latex(tables: Sequence[Table], bibliography: Bibliography | None = None) -> str:
    """Leaderboards as LaTeX tables with aligned numbers.

    Args:
        tables: As `ordbench.leaderboard.build.build` makes them.
        bibliography: Whose papers are cited; None for no citations.
    """
    labelled = zip(tables, labels_of(tables), strict=True)
    return "\n".join([_PREAMBLE, *(_table(*one, bibliography) for one in labelled)])


def labels_of(tables: Sequence[Table]) -> list[str]:
    """The label of each table: its metric and setting, and a number where that is not all."""
    names: list[str] = []
    for table in tables:
        facts = [table.facts.get(name, "") for name in ("shots", "backbone", "protocol", "fold")]
        text = "-".join(filter(None, [table.metric.name, table.dataset or "datasets", *facts]))
        name = "tab:" + re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        again = sum(re.fullmatch(rf"{name}(-no-\d+)?", other) is not None for other in names)
        names.append(f"{name}-no-{again + 1}" if again else name)
    return names


def _table(table: Table, label: str, bibliography: Bibliography | None) -> str:
    standings = standing_titles(table)
    columns = [_Column(table, index) for index in range(len(table.columns))]
    layout = "".join(["l", *(column.format for column in columns), "r" * len(standings)])
    titles = [_title(table, title, bibliography) for title in table.columns]
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{_caption(table, bibliography)}}}",
        rf"  \label{{{label}}}",
        rf"  \sisetup{{{_SETUP}}}",
        rf"  \begin{{tabular}}{{{layout}}}",
        r"    \toprule",
        _line(["head", *titles, *standings]),
        r"    \midrule",
    ]
    for row in rows_of(table):
        if row is table.reference:
            lines.append(r"    \midrule")
        cited = bibliography.cite("heads", [row.head]) if bibliography else ""
        cells = [column.cell(row) for column in columns]
        across = map(_signs, standing(row, table))
        lines.append(_line([escape_latex(row.label) + cited, *cells, *across]))
    lines += [r"    \bottomrule", r"  \end{tabular}"]
    if table.notes:
        notes = "; ".join(map(note_text, table.notes))
        lines.append(rf"  \par\smallskip\raggedright\footnotesize {escape_latex(notes)}.")
    return "\n".join([*lines, r"\end{table}", ""])


class _Column:
    """The cells of one column, of which siunitx must know the widest number and text."""

    def __init__(self, table: Table, index: int) -> None:
        self.table, self.index = table, index
        self.places = digits(table.metric)
        found = [cell for row in rows_of(table) if (cell := row.cells[index])]
        means = [f"{cell.mean:z.{self.places}f}" for cell in found]
        spreads = [] if table.interval else [cell.std for cell in found if cell.std is not None]
        self.spread = max((len(f"{spread:.{self.places}f}") for spread in spreads), default=0)
        texts = [text for cell in found if (text := self._after(cell))]
        sign = "-" if any(mean.startswith("-") for mean in means) else ""
        whole = max((len(mean.lstrip("-").partition(".")[0]) for mean in means), default=1)
        # In units of the last place; zeros in front do not count.
        last = max((len(str(round(spread * 10**self.places))) for spread in spreads), default=0)
        uncertain = f"({last})" if last else ""
        room = f", table-space-text-post={{{max(texts, key=len)}}}" if texts else ""
        self.format = f"S[table-format={sign}{whole}.{self.places}{uncertain}{room}]"

    def cell(self, row: Row) -> str:
        """What stands in the column; text is in braces."""
        cell = row.cells[self.index]
        if cell is None:
            return f"{{{escape_latex(empty_text(row, self.index))}}}"
        number = self._number(cell, "")
        bold = r"\bfseries " if cell.mark == "best" else ""
        line = rf"\runnerup{{{self._number(cell, '0')}}}" if cell.mark == "second" else ""
        after = line + self._after(cell)
        return f"{bold}{number}" + (f" {{{after}}}" if after else "")

    def _number(self, cell: Score, fill: str) -> str:
        """Mean and spread; ``fill`` makes spreads of one column equally wide, as siunitx does."""
        mean = f"{cell.mean:z.{self.places}f}"
        if cell.std is None or self.table.interval:
            return mean
        spread = f"{cell.std:.{self.places}f}"
        return rf"{mean} \pm {spread.rjust(self.spread, fill) if fill else spread}"

    def _after(self, cell: Score) -> str:
        ends = (
            [f"{end:z.{self.places}f}" for end in cell.interval or ()]
            if self.table.interval
            else []
        )
        interval = rf"\ {{[}}{_signs(', '.join(ends))}{{]}}" if ends else ""
        close = r"\,$\approx$" if cell.distinguishable is False else ""
        count = count_text(cell, self.table).strip()
        text = interval + (rf"\ {count}" if count else "") + close
        return rf"\mdseries{text}" if text else ""


_CITED: dict[str, tuple[Kind, Callable[[RunRow], str]]] = {
    "dataset": ("datasets", lambda run: run.dataset),
    "backbone": ("backbones", lambda run: name_of(run.backbone)),
    "protocol": ("protocols", lambda run: name_of(run.protocol)),
}


def _caption(table: Table, bibliography: Bibliography | None) -> str:
    """The caption of the table; what it names is cited."""
    parts = {name: escape_latex(text) for name, text in table.meanings.items()}
    if bibliography:
        for fact, (kind, name) in _CITED.items():
            if fact in parts:
                parts[fact] += bibliography.cite(kind, map(name, _runs(table)))
        parts["ordbench"] = f"measured by ordbench{cite([ORDBENCH])}"
    return "; ".join(parts.values()) + "."


def _title(table: Table, title: str, bibliography: Bibliography | None) -> str:
    """The title of a column, with the papers of the dataset or backbone that it shows."""
    cited = ""
    for fact, (kind, name) in _CITED.items():
        if bibliography and fact not in table.facts:
            cited += bibliography.cite(kind, map(name, _runs(table, column=title)))
    return f"{{{escape_latex(title)}{cited}}}"


def _runs(table: Table, *, row: str = "", column: str = "") -> Iterator[RunRow]:
    """A run of each cell of the table, of a row or of a column."""
    for (head, title), cells in table.cells.items():
        if row in {"", head} and column in {"", title}:
            yield from (cell.first for cell in cells)


def _line(cells: Sequence[str]) -> str:
    return rf"    {' & '.join(cells)} \\"


def _signs(text: str) -> str:
    r"""Numbers with signs as mathematics sets them.

    >>> print(_signs("-0.5, 0.1"))
    $-$0.5, 0.1
    """
    return escape_latex(text).replace("-", "$-$") if text != MISSING else "--"
