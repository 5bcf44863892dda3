"""A dataset of people and of images of nobody known, and the order of a draw, written again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ordbench.dataset import Sample, Samples
from ordbench.splits.draw import draw
from ordbench.splits.split import Split
from ordbench.task import Task

SIZES = (150, 20, 260, 90, 40, 90, 13)  # images of each rank; two are as large as another
RANKS = {
    f"{n:03}.png": rank for n, rank in enumerate(r for r, s in enumerate(SIZES) for _ in range(s))
}
TASK = Task(
    rank_names=tuple(f"{rank}0" for rank in range(len(SIZES))),
    rank_values=tuple(10.0 * rank for rank in range(len(SIZES))),
    unit="years",
    context="it is",
)
LISTING = Samples(
    task=TASK,
    samples=tuple(  # every third image shows one of 40 people
        Sample(name, Path(name), rank, None if n % 3 else f"p{n * 7 % 40:02}")
        for n, (name, rank) in enumerate(RANKS.items())
    ),
)


def counts(names: Iterable[str]) -> dict[int, int]:
    """Images of each rank."""
    ranks = [RANKS[name] for name in names]
    return {rank: ranks.count(rank) for rank in sorted(set(ranks))}


def drawn(
    protocol: str,
    listing: Samples = LISTING,
    *,
    fold: int = 0,
    shots: int | None = None,
    data_seed: int = 0,
) -> Split:
    """Draw a split."""
    return draw(
        listing, dataset="x", protocol=protocol, fold=fold, shots=shots, data_seed=data_seed
    )


def ordered(names: Iterable[str], *salt: str) -> list[str]:
    """Names in the order of SHA-256 over version, salt and name."""

    def key(name: str) -> bytes:
        return hashlib.sha256("\0".join(["ordbench-split-1", *salt, name]).encode()).digest()

    return sorted(names, key=key)
