"""Rows as an index holds them: what they share once for all, and what is their own as bytes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from struct import Struct, pack
from typing import NamedTuple, TypeVar, overload
from zlib import crc32

from ordbench.flat import SHARED, FlatRecord

T = TypeVar("T")

_OWN = Struct("<qqd")  # data seed, train seed, seconds of the fit; then the scores, then the time
_SCORE = Struct("<d")


class Scores(Mapping[str, float]):
    """Scores by name that stay packed until one is asked for: a table wants one of thirty.

    Args:
        places: Where in ``packed`` each begins.
        packed: Little-endian doubles.
    """

    __slots__ = ("_packed", "_places")

    def __init__(self, places: Mapping[str, int], packed: bytes) -> None:
        self._places = places
        self._packed = packed

    def __getitem__(self, name: str) -> float:
        value: float = _SCORE.unpack_from(self._packed, self._places[name])[0]
        return value

    @overload
    def get(self, name: str, default: None = None, /) -> float | None: ...
    @overload
    def get(self, name: str, default: float | T, /) -> float | T: ...
    def get(self, name: str, default: object = None, /) -> object:
        """As of any mapping, in one step instead of three."""
        place = self._places.get(name)
        return default if place is None else _SCORE.unpack_from(self._packed, place)[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return repr(dict(self))


class Shared(NamedTuple):
    """What many rows have in common.

    Attributes:
        fields: ``row[:SHARED]`` of each.
        error: Why they failed.
        metrics: Where in the packed bytes each metric begins.
        baseline: So for the scores of the baseline.
        end: Where the scores end.
    """

    fields: tuple[object, ...]
    error: str | None
    metrics: Mapping[str, int]
    baseline: Mapping[str, int]
    end: int


def key_of(text: str) -> int:
    """The key of a `Shared`: by content, so that two who write at once give it the same."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def check(key: int, packed: bytes) -> int:
    """A checksum of one row, as SQLite has none: a flipped bit must not become a score."""
    return crc32(packed, key & 0xFFFFFFFF)


def split(row: FlatRecord) -> tuple[str, bytes]:
    """A row as the text of its `Shared` and, packed, what is its own.

    Raises:
        struct.error: If a seed is beyond 64 bits.
    """
    text = json.dumps([row[:SHARED], row.error, list(row.metrics), list(row.baseline)])
    seconds = math.nan if row.seconds_fit is None else row.seconds_fit
    scores = (*row.metrics.values(), *row.baseline.values())
    numbers = _OWN.pack(row.data_seed, row.train_seed, seconds) + pack(f"<{len(scores)}d", *scores)
    return text, numbers + row.created.encode()


def shared(text: str) -> Shared:
    """Read the text that `split` made.

    Raises:
        ValueError: If it is not such a text.
    """
    fields, error, metrics, baseline = json.loads(text)
    if len(fields) != SHARED:
        raise ValueError(f"wanted {SHARED} fields, got {len(fields)}")
    end = _OWN.size + _SCORE.size * (len(metrics) + len(baseline))
    places = range(_OWN.size, end, _SCORE.size)
    return Shared(
        tuple(fields),
        error,
        dict(zip(metrics, places, strict=False)),
        dict(zip(baseline, places[len(metrics) :], strict=True)),
        end,
    )


def join(run_id: str, common: Shared, packed: bytes) -> FlatRecord:
    """The row that `split` took apart; its scores stay packed."""
    data_seed, train_seed, seconds = _OWN.unpack_from(packed)
    own = (
        run_id,
        packed[common.end :].decode(),
        data_seed,
        train_seed,
        None if math.isnan(seconds) else seconds,
        common.error,
        Scores(common.metrics, packed),
        Scores(common.baseline, packed),
    )
    return FlatRecord._make(common.fields + own)
