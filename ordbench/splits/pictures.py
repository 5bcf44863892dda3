"""Identical pictures, in whatever files: they are kept on one side of a split, as a person is.

Identical rows of features are noted only.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from ordbench.dataset import Sample, Samples
from ordbench.splits.folds import groups_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def join_identical(listing: Samples, pixels: Sequence[str]) -> Samples:
    """Give samples that show one picture, or a person of such a sample, one group.

    Samples whose picture is unique keep their group. Pictures that stand under two ranks are named
    in a note.

    Args:
        listing: The samples of a dataset.
        pixels: Hash of each sample's decoded pixels.
    """
    alike: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample, picture in zip(listing.samples, pixels, strict=True):
        alike[picture].append(sample)
    repeated = {
        picture: sorted(same, key=attrgetter("name"))  # groups are named alike in any order
        for picture, same in alike.items()
        if len(same) > 1
    }
    if not repeated:
        return listing
    from scipy.cluster.hierarchy import DisjointSet  # takes long, and is seldom needed

    joined = DisjointSet()
    names: dict[tuple[str, str], str] = {}
    for same in repeated.values():
        shown = ("picture", same[0].name)
        joined.add(shown)
        names[shown] = f"picture {same[0].name}, also in {same[1].name}"
        for person in groups_of(same):
            joined.add(("person", person))
            joined.merge(shown, ("person", person))
    group_of = {
        member: names[min(member for member in members if member[0] == "picture")]
        for members in joined.subsets()
        for member in members
    }
    pictures = {sample.name: same[0].name for same in repeated.values() for sample in same}

    def grouped(sample: Sample) -> Sample:
        first = pictures.get(sample.name)
        member = ("picture", first) if first else ("person", sample.group)
        return sample._replace(group=group_of.get(member, sample.group))

    return replace(
        listing,
        samples=tuple(map(grouped, listing.samples)),
        notes=(*listing.notes, *_notes(list(repeated.values()))),
    )


def row_hashes(rows: NDArray[np.float32]) -> list[str]:
    """SHA-256 of each row's numbers; identical rows have the same."""
    return [hashlib.sha256(row.tobytes()).hexdigest() for row in rows]


def note_identical_rows(listing: Samples, rows: Sequence[str]) -> Samples:
    """Say how many samples have the features of another one.

    They may be different things, above all where there are few features, so that they stay in the
    folds that they have.

    Args:
        listing: The samples of a dataset that brings features.
        rows: Hash of each sample's features.
    """
    counts = [count for count in Counter(rows).values() if count > 1]
    if not counts:
        return listing
    note = (
        f"identical rows: {sum(counts)} samples have {len(counts)} rows of features; they may be "
        "on both sides of the split, unless a group keeps them together"
    )
    return replace(listing, notes=(*listing.notes, note))


def _notes(repeated: Sequence[Sequence[Sample]]) -> list[str]:
    files = sum(map(len, repeated))
    lines = [f"identical pictures: {files} files show {len(repeated)}; each stays on one side"]
    disputed = [same for same in repeated if len({sample.rank for sample in same}) > 1]
    if disputed:
        one, *others = disputed[0]
        other = next(sample for sample in others if sample.rank != one.rank)
        names = f"{one.name} and {other.name}"
        lines.append(f"identical pictures with two labels: {len(disputed)}, first {names}")
    return lines
