"""Leaderboards: heads in rows, shots or datasets in columns, mean and spread over seeds.

Only seeds are averaged: every dataset, backbone, feature setting, protocol and fold has a table of
its own, and a head whose options, recipe, text tower or source differ has a row for each. A cell
without runs stays empty; it is never filled and never counts as zero.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, NamedTuple

from ordbench.errors import StoreError
from ordbench.flat import FlatRecord
from ordbench.grouping import (
    Columns,
    Facts,
    Lot,
    alike,
    column_facts,
    newest,
    row_facts,
    setting,
    table_facts,
    titles,
    worth_saying,
)
from ordbench.metric_names import Metric
from ordbench.question import Answer, Question, ask
from ordbench.remarks import on_cells, on_history, on_scores
from ordbench.standing import Row, aggregate, by_name, ranked

REFERENCE = "median of train"


@dataclass(frozen=True, kw_only=True)
class Table:
    """One leaderboard.

    Attributes:
        metric: What is shown.
        unit: What it is measured in.
        decoding: How posteriors became estimates: ``argmax``, ``mean``, ``median``; ``point`` if no
            head has a posterior; empty for a score that needs no decoding.
        facts: What all runs share, by name: dataset, backbone, protocol ...
        ranked: Whether rows may be compared; if not, they stand by name and nothing is marked.
        columns: Their titles.
        rows: One a head; see `ordbench.standing.ranked`.
        reference: The median of the training ranks, never marked; None where it has no score.
        runs: Runs behind every cell; None where that differs.
        per: What tells the runs of a cell apart: their seed, or seed and fold ("run").
        notes: What a reader must know besides.
    """

    metric: Metric
    unit: str
    decoding: str
    facts: Mapping[str, str]
    ranked: bool
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    reference: Row | None
    runs: int | None
    per: Literal["seed", "run"]
    notes: tuple[str, ...]

    @property
    def caption(self) -> str:
        """All that the numbers mean, in one line."""
        better = "higher" if self.metric.higher_is_better else "lower"
        over = f"{self.per}s in parentheses" if self.runs is None else f"{self.runs} {self.per}s"
        pieces = [
            f"{self.metric.title} [{self.unit}], {better} is better",
            {"": "", "point": "point estimates"}.get(self.decoding, f"decoded by {self.decoding}"),
            f"one {self.per}" if self.runs == 1 else f"mean ± standard deviation over {over}",
            *(f"{name} {value}" for name, value in self.facts.items()),
            "" if self.ranked else "selected on the test images, so not ranked",
        ]
        return "; ".join(piece for piece in pieces if piece)


def build(
    records: Iterable[FlatRecord],
    *,
    metric: str = "mae",
    decode: str = "median",
    columns: Columns = "shots",
    pool_folds: bool = False,
) -> list[Table]:
    """Make the leaderboards that the records allow, the ranked ones first.

    Args:
        records: As `ordbench.store.load_flat` gives them.
        metric: A name in `ordbench.metrics.METRICS`.
        decode: ``argmax``, ``mean`` or ``median``.
        columns: ``shots``, or ``dataset``: then each number of shots has a table of its own.
        pool_folds: Whether a cell holds the runs of all folds; if not, each fold has a table.

    Raises:
        SpecError: If there is no such metric or decoding.
        StoreError: If no run is done, or none has that score.
    """
    asked = ask(metric, decode, columns, pool_folds=pool_folds)
    records = list(records)
    lots = alike(records)
    current, older = newest(lot for lot in lots if lot[0].status == "done")
    groups = _groups(asked, current)
    if not groups:
        raise StoreError(_nothing(records, asked))
    others: defaultdict[object, list[FlatRecord]] = defaultdict(list)
    for record in chain(older, *(lot for lot in lots if lot[0].status == "failed")):
        others[setting(record)].append(record)
    shown = worth_saying([facts for facts, _ in groups])
    return [
        _Draft(asked, lots).table(facts, others)
        for facts, (_, lots) in zip(shown, groups, strict=True)
    ]


class _Placed(NamedTuple):
    """A lot with its row, its column and the scores of its runs."""

    head: Facts
    column: Facts
    runs: Lot
    answers: list[Answer]


def _groups(asked: Question, lots: Iterable[Lot]) -> list[tuple[Facts, list[_Placed]]]:
    """The runs of each table, the ranked tables first; tables without a score are left out."""
    groups: defaultdict[tuple[bool, Facts], list[_Placed]] = defaultdict(list)
    for lot in lots:
        facts = table_facts(lot[0], asked.columns, pool_folds=asked.pool_folds)
        answers = [answer for answer in map(asked.answer, lot) if answer]
        placed = _Placed(row_facts(lot[0]), column_facts(lot[0], asked.columns), lot, answers)
        groups[not lot[0].ranked, facts].append(placed)
    keys = [key for key, group in groups.items() if any(lot.answers for lot in group)]
    keys.sort(key=lambda key: (key[0], _natural(key[1])))
    return [(key[1], groups[key]) for key in keys]


class _Draft:
    """One table in the making, from the runs that share its facts."""

    def __init__(self, asked: Question, lots: Sequence[_Placed]) -> None:
        self.asked = asked
        self.lots = lots
        self.columns = sorted({lot.column for lot in lots}, key=_natural)
        heads = sorted({lot.head for lot in lots}, key=_natural)
        self.names = dict(zip(heads, titles(heads), strict=True))

    def table(self, facts: dict[str, str], others: Mapping[object, list[FlatRecord]]) -> Table:
        """Fill in everything; ``others`` are the runs that are in no table, by setting."""
        may_rank = all(lot.runs[0].ranked for lot in self.lots)
        drawn = self._rows()
        rows = ranked(drawn, self.asked.metric) if may_rank else by_name(drawn)
        reference = self._reference()
        cells = [cell for row in (*rows, reference) for cell in row.cells if cell]
        runs = {cell.runs for cell in cells}
        same = runs.pop() if len(runs) == 1 else None
        settings = {setting(lot.runs[0]) for lot in self.lots}
        untabled = [record for key in settings for record in others.get(key, ())]
        named = ((self.names[lot.head], answer) for lot in self.lots for answer in lot.answers)
        return Table(
            metric=self.asked.metric,
            unit=self.asked.metric.unit.format(unit=" or ".join(_units(self.lots))),
            decoding=self._decoding(),
            facts=facts | self._folds(),
            ranked=may_rank,
            columns=self._titles(),
            rows=rows,
            reference=reference if any(reference.cells) else None,
            runs=same,
            per="run" if self.asked.pool_folds else "seed",
            notes=(
                *on_cells(rows, same),
                *on_scores(named),
                *on_history([lot.runs for lot in self.lots], untabled),
            ),
        )

    def _rows(self) -> list[Row]:
        cells: defaultdict[tuple[Facts, Facts], list[float]] = defaultdict(list)
        for lot in self.lots:
            cells[lot.head, lot.column].extend(value for _, value in lot.answers)
        return [
            Row(name, tuple(aggregate(cells[head, column]) for column in self.columns))
            for head, name in self.names.items()
        ]

    def _reference(self) -> Row:
        """The baseline of each draw of images once, however many heads were trained on it."""
        draws: dict[Facts, dict[tuple[int, int, int], float]] = {c: {} for c in self.columns}
        name = self.asked.metric.name
        for lot in self.lots:
            fold, drawn = lot.runs[0].fold, draws[lot.column]
            for run in lot.runs:
                if (value := run.baseline.get(name)) is not None:
                    drawn[fold, run.data_seed, run.train_seed] = value
        return Row(REFERENCE, tuple(aggregate(draws[c].values()) for c in self.columns))

    def _decoding(self) -> str:
        used = {decoding for lot in self.lots for decoding, _ in lot.answers}
        if self.asked.decode in used:
            return self.asked.decode
        return "point" if "point" in used else ""

    def _titles(self) -> tuple[str, ...]:
        """Columns that are not measured in one unit say theirs."""
        names = titles(self.columns)
        if len(_units(self.lots)) > 1 and "{unit}" in self.asked.metric.unit:
            for index, column in enumerate(self.columns):
                own = [lot for lot in self.lots if lot.column == column]
                names[index] += f" [{' or '.join(_units(own))}]"
        return tuple(names)

    def _folds(self) -> dict[str, str]:
        folds = sorted({lot.runs[0].fold for lot in self.lots})
        return {"folds": ", ".join(map(str, folds))} if self.asked.pool_folds else {}


def _units(lots: Iterable[_Placed]) -> list[str]:
    return sorted({lot.runs[0].unit for lot in lots})


def _natural(facts: Facts) -> list[tuple[str, list[str | int]]]:
    """A key by which 2-shot stands before 16-shot, and numbers before ``all``."""
    return [
        (name, [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", value)])
        for name, value in facts
    ]


def _nothing(records: Sequence[FlatRecord], asked: Question) -> str:
    errors = [record.error or "" for record in records if record.status == "failed"]
    if len(errors) == len(records):
        first = f", the first because: {errors[0]}" if errors else ""
        return f"no run to table; {len(errors)} failed{first}; `ordbench run` makes runs"
    known = sorted({name for record in records for name in record.metrics})
    wanted = f"{asked.metric.name} decoded by {asked.decode}"
    return f"no run has a score for {wanted}; the records hold: {', '.join(known)}"
