"""Leaderboards: heads in rows, shots or datasets in columns, mean and spread over seeds.

Only seeds are averaged: every dataset, backbone, feature setting, protocol and fold has a table of
its own, and a head whose options, recipe, text tower or source differ has a row for each. A cell
without runs stays empty; it is never filled and never counts as zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from typing import NamedTuple

from ordbench.errors import OrdbenchError, StoreError
from ordbench.leaderboard.across import across_datasets
from ordbench.leaderboard.grouping import (
    Facts,
    column_facts,
    fits_column,
    fits_row,
    fits_table,
    natural,
    newest,
    place,
    row_facts,
    table_facts,
    titles,
    under_last_names,
    worth_saying,
)
from ordbench.leaderboard.notes import (
    cell_notes,
    history_notes,
    interval_notes,
    score_notes,
    seed_notes,
    skip_notes,
    split_notes,
    standing_notes,
    test_notes,
    training_notes,
    unscored_notes,
)
from ordbench.leaderboard.query import TableQuery
from ordbench.leaderboard.ranking import Row, Score, aggregate, by_name, ranked
from ordbench.leaderboard.significance import ColumnTest, with_tests
from ordbench.leaderboard.table import Table
from ordbench.results.rows import CellRuns, RunRow, Seeds
from ordbench.statistics.intervals import draws_of, t_interval
from ordbench.utils.text import counted

REFERENCE = "train median"
_Scored = tuple[float, Seeds]
Test = Callable[[Mapping[str, Sequence[CellRuns]]], ColumnTest]


def build(
    cells: Iterable[CellRuns],
    asked: TableQuery,
    skipped: Sequence[RunRow] = (),
    test: Test | None = None,
) -> list[Table]:
    """Make the leaderboards that the runs allow, the ranked ones first.

    Args:
        cells: As `ordbench.results.loading.load_cells` gives them.
        asked: What to show, and how.
        skipped: As `ordbench.results.loading.load_skipped` gives them.
        test: Compares the heads of a column, as `ordbench.leaderboard.significance.Significance`;
            None for no tests.

    Raises:
        StoreError: If no run is done, or none has that score.
    """
    cells = under_last_names(cells)
    failed = [cell for cell in cells if cell.first.status == "failed"]
    current, older = newest(cell for cell in cells if cell.first.status == "done")
    groups = _groups(asked, current)
    if not groups:
        raise StoreError(_nothing(cells, failed, asked))
    others: defaultdict[object, list[CellRuns]] = defaultdict(list)
    for cell in (*older, *failed):
        others[place(cell.first, asked.columns)].append(cell)
    shown = worth_saying([facts for facts, _ in groups])
    return [
        _Draft(asked, group, skipped).table(facts, others, test)
        for facts, (_, group) in zip(shown, groups, strict=True)
    ]


class _Placed(NamedTuple):
    """A cell with its row, its column, and the scores of its runs by which decoding."""

    cell: CellRuns
    row: Facts
    column: Facts
    decoding: str
    values: Sequence[float]


def _groups(asked: TableQuery, cells: Iterable[CellRuns]) -> list[tuple[Facts, list[_Placed]]]:
    """The runs of each table, the ranked tables first; tables without a score are left out."""
    groups: defaultdict[tuple[bool, Facts], list[_Placed]] = defaultdict(list)
    for cell in cells:
        run = cell.first
        facts = table_facts(run, asked.columns, pool_folds=asked.pool_folds)
        place = (
            row_facts(run, asked.columns),
            column_facts(run, asked.columns, pool_folds=asked.pool_folds),
        )
        groups[not run.ranked, facts].append(_Placed(cell, *place, *asked.answer(cell)))
    keys = [key for key, group in groups.items() if any(placed.decoding for placed in group)]
    keys.sort(key=lambda key: (key[0], natural(key[1])))
    return [(key[1], groups[key]) for key in keys]


class _Draft:
    """One table in the making, from the runs that share its facts."""

    def __init__(
        self, asked: TableQuery, group: Sequence[_Placed], skipped: Iterable[RunRow]
    ) -> None:
        self.asked = asked
        self.group = group
        self.skipped = self._placed(skipped)
        rows = {placed.row for placed in group} | {row for row, _ in self.skipped}
        columns = {placed.column for placed in group} | {column for _, column in self.skipped}
        heads = sorted(rows, key=natural)
        self.names = dict(zip(heads, titles(heads), strict=True))
        self.columns = sorted(columns, key=natural)

    def _placed(self, skipped: Iterable[RunRow]) -> dict[tuple[Facts, Facts], str]:
        """The reason of each skipped cell, by row and column; some have no other cell in them."""
        columns, pool_folds = self.asked.columns, self.asked.pool_folds
        run = self.group[0].cell.first
        found: dict[tuple[Facts, Facts], str] = {}
        for skip in skipped:
            if fits_table(skip, run, columns, pool_folds=pool_folds):
                rows = {one.row for one in self.group if fits_row(skip, one.cell.first)}
                own = {one.column for one in self.group if fits_column(skip, one.column)}
                for row in rows or {row_facts(skip, columns)}:
                    for column in own or {column_facts(skip, columns, pool_folds=pool_folds)}:
                        found[row, column] = skip.error or ""
        return found

    def table(
        self,
        facts: dict[str, str],
        others: Mapping[object, list[CellRuns]],
        test: Test | None = None,
    ) -> Table:
        """Fill in everything; ``others`` are the runs that are in no table, by place."""
        cells = [placed.cell for placed in self.group]
        may_rank = all(cell.first.ranked for cell in cells)
        drawn, reference = self._rows(), self._reference()
        rows = ranked(drawn, self.asked.metric, reference) if may_rank else by_name(drawn)
        across = None
        if may_rank and self.asked.columns == "dataset":
            across = across_datasets(rows, self.asked.metric)
            rows = across.rows if across else rows
        tests = self._tests(test) if test and may_rank else ()
        rows = with_tests(rows, tests, self.asked.metric) if tests else rows
        columns = self._titles()
        runs = {score.runs for row in (*rows, reference) for score in row.cells if score}
        same = runs.pop() if len(runs) == 1 else None
        places = {place(cell.first, self.asked.columns) for cell in cells}
        untabled = [cell for key in places for cell in others.get(key, ())]
        named = [(self.names[placed.row], *placed[-2:]) for placed in self.group]
        return Table(
            metric=self.asked.metric,
            unit=self.asked.metric.unit.format(unit=" or ".join(_units(self.group))),
            decoding=self._decoding(),
            facts=facts | self._folds(),
            ranked=may_rank,
            columns=columns,
            rows=rows,
            reference=reference if any(reference.cells) else None,
            runs=same,
            expected=len({(cell.first.fold, seeds) for cell in cells for seeds in cell.seeds}),
            interval=self.asked.interval,
            tests=tests,
            dataset="" if self.asked.columns == "dataset" else cells[0].first.dataset,
            cells=self._cells(columns),
            per="run" if self.asked.pool_folds else "seed",
            notes=(
                *cell_notes(rows, same),
                *(interval_notes(rows) if self.asked.interval else ()),
                *test_notes(rows, columns, tests),
                *(standing_notes(across) if across else ()),
                *score_notes(named),
                *unscored_notes((self.names[placed.row], placed.cell) for placed in self.group),
                *training_notes((self.names[placed.row], placed.cell) for placed in self.group),
                *split_notes(cells),
                *seed_notes((one.row, one.column, one.cell) for one in self.group if one.decoding),
                *skip_notes(rows, columns),
                *history_notes(cells, untabled),
            ),
        )

    def _rows(self) -> list[Row]:
        cells: defaultdict[tuple[Facts, Facts], list[_Scored]] = defaultdict(list)
        decoding: dict[Facts, str] = {}
        plugins = {placed.row: placed.cell.first.head for placed in self.group}
        for placed in self.group:
            scored = zip(placed.values, placed.cell.seeds, strict=False)  # it may have no score
            cells[placed.row, placed.column] += scored
            decoding[placed.row] = placed.decoding or decoding.get(placed.row, "")
        rows: list[Row] = []
        for head, name in self.names.items():
            means = tuple(self._score(cells[head, column]) for column in self.columns)
            skipped = {
                index: self.skipped[head, column]
                for index, column in enumerate(self.columns)
                if means[index] is None and (head, column) in self.skipped
            }
            own = plugins.get(head, "")
            rows.append(Row(name, means, decoding.get(head, ""), skipped, head=own))
        return rows

    def _cells(self, columns: Sequence[str]) -> dict[tuple[str, str], list[CellRuns]]:
        titled = dict(zip(self.columns, columns, strict=True))
        found: defaultdict[tuple[str, str], list[CellRuns]] = defaultdict(list)
        for placed in self.group:
            found[self.names[placed.row], titled[placed.column]].append(placed.cell)
        return dict(found)

    def _tests(self, test: Test) -> tuple[ColumnTest, ...]:
        """The comparisons of each column's heads that have a score in it."""
        cells: dict[Facts, defaultdict[str, list[CellRuns]]]
        cells = {column: defaultdict(list) for column in self.columns}
        for placed in self.group:
            if placed.decoding:
                cells[placed.column][self.names[placed.row]].append(placed.cell)
        return tuple(test(found) for found in cells.values())

    def _reference(self) -> Row:
        """The baseline of each fold and pair of seeds once, however many heads had them."""
        known: dict[Facts, dict[tuple[int, Seeds], float]]
        known = {column: {} for column in self.columns}
        for cell, _, column, *_ in self.group:
            values = cell.baseline.get(self.asked.metric.name, ())
            fold = repeat(cell.first.fold)
            known[column].update(zip(zip(fold, cell.seeds, strict=False), values, strict=False))
        found = (
            self._score([(value, seeds) for (_, seeds), value in known[column].items()])
            for column in self.columns
        )
        return Row(REFERENCE, tuple(found))

    def _score(self, scored: Sequence[_Scored]) -> Score | None:
        values = [value for value, _ in scored]
        score = aggregate(values)
        if score is None or not self.asked.interval:
            return score
        return replace(score, interval=t_interval(values, draws_of([seeds for _, seeds in scored])))

    def _decoding(self) -> str:
        used = {placed.decoding for placed in self.group}
        if self.asked.decode in used:
            return self.asked.decode
        return "point" if "point" in used else ""

    def _titles(self) -> tuple[str, ...]:
        """Columns that are not measured in one unit say theirs."""
        names = titles(self.columns)
        if len(_units(self.group)) > 1 and "{unit}" in self.asked.metric.unit:
            for index, column in enumerate(self.columns):
                own = [placed for placed in self.group if placed.column == column]
                names[index] += f" [{' or '.join(_units(own))}]" if own else ""
        return tuple(names)

    def _folds(self) -> dict[str, str]:
        if not self.asked.pool_folds:
            return {}
        runs = [placed.cell.first for placed in self.group]
        folds = sorted({run.fold for run in runs})
        number = _number_of_folds(runs[0].protocol)
        of_all = f" ({len(folds)} of {number})" if number else ""
        return {"folds": ", ".join(map(str, folds)) + of_all}


def _number_of_folds(protocol: str) -> int | None:
    """How many folds a protocol makes, where it and its installation say so."""
    from ordbench.splits.draw import open_protocol  # pydantic

    try:
        return open_protocol(protocol).folds
    except OrdbenchError:
        return None


def _units(group: Iterable[_Placed]) -> list[str]:
    return sorted({placed.cell.first.unit for placed in group})


def _nothing(cells: Sequence[CellRuns], failed: Sequence[CellRuns], asked: TableQuery) -> str:
    if len(failed) == len(cells):
        if not failed:
            return "there are no runs to show; `ordbench run` makes some"
        number = counted(sum(map(len, failed)), "run")
        return (
            f"nothing to show: {number} failed, the first with: {failed[0].first.error}; "
            "`ordbench run --retry-failed` runs them again"
        )
    undecoded = asked.metric.of_posterior or asked.metric.of_head
    decoded = "" if undecoded else f" decoded by {asked.decode}"
    reasons = sorted({cell.unscored for cell in cells if cell.unscored}) or ["none was recorded"]
    return (
        f"no run has a score for {asked.metric.name}{decoded}: {', '.join(reasons)}; "
        "take another metric"
    )
