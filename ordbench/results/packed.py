"""Rows as an index holds them: what they share once for all, and what is their own as bytes."""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from struct import pack
from typing import NamedTuple
from zlib import crc32

from ordbench.results.rows import SHARED, CellRuns, RunRow

_OWN = 3  # data seed, train seed, seconds of the fit; then the scores, then the time in ISO 8601
_WIDTH = 8  # bytes of each


class Columns(Mapping[str, Sequence[float]]):
    """Scores by name that stay packed until one is asked for: a table wants one of thirty.

    Args:
        places: Which number of each run it is.
        numbers: Those of one run after the other.
        stride: Numbers of a run.
    """

    def __init__(self, places: Mapping[str, int], numbers: array[float], stride: int) -> None:
        self._places = places
        self._numbers = numbers
        self._stride = stride

    def __getitem__(self, name: str) -> Sequence[float]:
        return self._numbers[self._places[name] :: self._stride]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class Shared(NamedTuple):
    """What the runs of a lot have in common.

    Attributes:
        fields: ``row[:SHARED]`` of each.
        error: Why they failed.
        metrics: Names of their scores.
        baseline: So for the scores of the baseline.
    """

    fields: tuple[object, ...]
    error: str | None
    metrics: tuple[str, ...]
    baseline: tuple[str, ...]


def key_of(text: str) -> int:
    """The key of a `Shared`: by content, so that two who write at once give it the same."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def check(key: int, packed: bytes) -> int:
    """A checksum of one row, as SQLite has none: a flipped bit must not become a score."""
    return crc32(packed, key & 0xFFFFFFFF)


def split(row: RunRow) -> tuple[str, bytes]:
    """A row as the text of its `Shared` and, packed, what is its own.

    Raises:
        struct.error: If a seed is beyond 64 bits.
    """
    text = json.dumps([row[:SHARED], row.error, list(row.metrics), list(row.baseline)])
    seconds = math.nan if row.seconds_fit is None else row.seconds_fit
    numbers = (seconds, *row.metrics.values(), *row.baseline.values())
    packed = pack(f"=qq{len(numbers)}d", row.data_seed, row.train_seed, *numbers)
    return text, packed + row.created.encode()


def shared(text: str) -> Shared:
    """Read the text that `split` made.

    Raises:
        ValueError: If it is not such a text.
    """
    fields, error, metrics, baseline = json.loads(text)
    if len(fields) != SHARED:
        raise ValueError(f"wanted {SHARED} fields, got {len(fields)}")
    return Shared(tuple(fields), error, tuple(metrics), tuple(baseline))


def join(common: Shared, run_ids: Sequence[str], packed: Sequence[bytes]) -> CellRuns:
    """The lot of rows that `split` took apart, at least one; their scores stay packed."""
    fields, error, metrics, baseline = common
    stride = _OWN + len(metrics) + len(baseline)
    end = stride * _WIDTH
    content = b"".join([row[:end] for row in packed])
    created = [row[end:].decode() for row in packed]
    whole, numbers = array("q", content), array("d", content)
    seeds = list(zip(whole[0::stride], whole[1::stride], strict=True))
    seconds = [None if math.isnan(value) else value for value in numbers[2::stride]]
    places = range(_OWN, stride)
    scores = (
        Columns(dict(zip(metrics, places, strict=False)), numbers, stride),
        Columns(dict(zip(baseline, places[len(metrics) :], strict=True)), numbers, stride),
    )
    own = (run_ids[0], created[0], *seeds[0], seconds[0], error)
    first = RunRow._make((*fields, *own, *({n: s[n][0] for n in s} for s in scores)))
    return CellRuns(first, run_ids, created, seeds, seconds, *scores)
