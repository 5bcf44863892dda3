"""What a leaderboard is asked for: which score, by which decoding, of which runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from ordbench.errors import SpecError
from ordbench.flat import FlatRecord
from ordbench.grouping import Columns
from ordbench.metrics import DECODES, METRICS, Metric


class Question(NamedTuple):
    """A score to be tabled; see `ordbench.leaderboard.build`."""

    metric: Metric
    decode: str
    columns: Columns
    pool_folds: bool

    def answer(self, record: FlatRecord) -> tuple[str, float] | None:
        """Decoding and value; a head without a posterior answers with its point estimate."""
        for decoding in (self.decode, "point", "posterior"):
            value = record.metrics.get(f"{self.metric.name}_{decoding}")
            if value is not None:
                return decoding, value
        return None


def ask(metric: str, decode: str, columns: Columns, *, pool_folds: bool) -> Question:
    """Check what a user asked for.

    Raises:
        SpecError: If there is no such metric or decoding; near names are suggested.
    """
    _check("metric", metric, METRICS)
    _check("decode", decode, DECODES)
    return Question(METRICS[metric], decode, columns, pool_folds)


def select(
    records: Sequence[FlatRecord],
    *,
    head: Iterable[str] = (),
    dataset: Iterable[str] = (),
    backbone: Iterable[str] = (),
    shots: Iterable[int | None] = (),
) -> list[FlatRecord]:
    """Keep the runs of the given heads, datasets, backbones and shots; nothing given keeps all.

    Args:
        records: Runs.
        head: Names ("coral") or whole labels ("ordinalclip:base_ranks=5").
        dataset: Names.
        backbone: ``FAMILY:ARGUMENT``, without a path.
        shots: Images a rank; None for all images.

    Raises:
        SpecError: If a value is that of no run; near ones are suggested.
    """
    names = [{record.head, record.label} for record in records]
    kept = [
        _matching("head", head, names),
        _matching("dataset", dataset, [{record.dataset} for record in records]),
        _matching("backbone", backbone, [{record.backbone} for record in records]),
        _matching("shots", map(_shots, shots), [{_shots(record.shots)} for record in records]),
    ]
    return [record for record, *wanted in zip(records, *kept, strict=True) if all(wanted)]


def _matching(what: str, wanted: Iterable[str], found: Sequence[set[str]]) -> list[bool]:
    chosen = set(wanted)
    for value in sorted(chosen):
        _check(what, value, set[str]().union(*found), where=" among the records")
    return [not chosen or bool(chosen & names) for names in found]


def _check(what: str, name: str, known: Iterable[str], where: str = "") -> None:
    names = sorted(known)
    if name not in names:
        near = get_close_matches(name, names) or names or ["none"]
        raise SpecError(f"no {what} {name!r}{where}; there is: {', '.join(near)}")


def _shots(shots: int | None) -> str:
    return "all" if shots is None else str(shots)
