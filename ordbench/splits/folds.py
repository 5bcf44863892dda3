"""Which image goes where, by hash alone: the same on every machine, in every order of the files.

Each choice sorts names (or people) by SHA-256 of a salt and the name. No random generator takes
part, so that nothing depends on library versions, on the order of calls or on the train seed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import heapreplace
from itertools import islice

from ordbench.dataset import Sample

VERSION = "ordbench-split-1"  # part of every salt; new folds need a new number
NUM_FOLDS = 5
VAL_SHARE = 8  # one of 8 images that are not test images


def digests(names: Iterable[str], *salt: str) -> list[bytes]:
    """SHA-256 of a salt and each name; NUL keeps ("ab", "c") and ("a", "bc") apart."""
    salted = "\0".join((VERSION, *salt, "")).encode()
    return [hashlib.sha256(salted + name.encode()).digest() for name in names]


def by_hash(samples: Iterable[Sample], *salt: str) -> list[Sample]:
    """Samples in an order that only the salt and their names decide."""
    samples = list(samples)
    hashed = digests((sample.name for sample in samples), *salt)
    return [samples[place] for place in sorted(range(len(samples)), key=hashed.__getitem__)]


def by_rank(samples: Iterable[Sample], *salt: str) -> dict[int, list[Sample]]:
    """Samples of each rank, ranks rising, each rank in the order of `by_hash`."""
    ranks: dict[int, list[Sample]] = {}
    for sample in by_hash(samples, *salt):
        ranks.setdefault(sample.rank, []).append(sample)
    return dict(sorted(ranks.items()))


def groups_of(samples: Iterable[Sample]) -> set[str]:
    """The people that are known in samples."""
    return {sample.group for sample in samples if sample.group is not None}


def folds_by_hash(
    samples: Sequence[Sample], dataset: str, num_folds: int = NUM_FOLDS
) -> dict[str, int]:
    """Assign each name to one of ``num_folds`` folds, where no official ones are used.

    People go, in the order of their hashes, to the fold with the fewest images so far (the first of
    several). Images of nobody known go round the folds, rank by rank, each rank in the order of its
    hashes; rank r begins at fold r modulo ``num_folds``, so that small ranks do not pile up in
    fold 0.

    >>> from pathlib import Path
    >>> samples = [Sample(f"{n}.png", Path(f"{n}.png"), rank=0) for n in range(10)]
    >>> Counter(folds_by_hash(samples, "x").values()) == {0: 2, 1: 2, 2: 2, 3: 2, 4: 2}
    True
    """
    folds: dict[str, int] = {}
    for rank, members in by_rank(_alone(samples), dataset, "fold").items():
        for place, sample in enumerate(members):
            folds[sample.name] = (place + rank) % num_folds
    sizes = [(0, fold) for fold in range(num_folds)]  # a heap: the smallest fold stands first
    group_sizes = _group_sizes(samples)
    fold_of: dict[str, int] = {}
    for group in _groups_by_hash(group_sizes, dataset, "fold"):
        size, fold_of[group] = sizes[0]
        heapreplace(sizes, (size + group_sizes[group], fold_of[group]))
    folds.update((s.name, fold_of[s.group]) for s in samples if s.group is not None)
    return folds


def hold_out(samples: Sequence[Sample], dataset: str) -> set[str]:
    """Names of about one image in eight, for validation: whole people, or a share of each rank.

    Of a rank with n images of nobody known, n/8 are taken, rounded. If neither people nor these
    bring an image, one of each rank that has two or more is taken.
    """
    taken = _people_held_out(_group_sizes(samples), dataset)
    names = {s.name for s in samples if s.group in taken}
    ranks = by_rank(_alone(samples), dataset, "val").values()
    quotas = [(len(members) + VAL_SHARE // 2) // VAL_SHARE for members in ranks]
    if not any(quotas) and not names:
        quotas = [int(len(members) > 1) for members in ranks]
    for members, quota in zip(ranks, quotas, strict=True):
        names.update(sample.name for sample in members[:quota])
    return names


def _people_held_out(sizes: Counter[str], dataset: str) -> set[str]:
    """People who together have about an eighth of all images, and less than a quarter.

    In the order of their hashes, a person is taken whose images bring the share closer to an
    eighth. Where each person has a quarter or more, the one with the fewest images is taken, but
    never the only one.
    """
    groups = _groups_by_hash(sizes, dataset, "val")
    taken: set[str] = set()
    size, total = 0, sizes.total()
    for group in groups:
        if VAL_SHARE * (2 * size + sizes[group]) < 2 * total:
            taken.add(group)
            size += sizes[group]
    if not taken and len(groups) > 1:
        taken.add(min(groups, key=lambda group: sizes[group]))
    return taken


def few_shot(samples: Sequence[Sample], shots: int, *salt: str) -> list[Sample]:
    """The first ``shots`` samples of each rank, or all where there are fewer.

    One salt gives nested sets: 1 shot lies within 2, 2 within 4.

    >>> from pathlib import Path
    >>> samples = [Sample(f"{n}.png", Path(f"{n}.png"), rank=n % 2) for n in range(10)]
    >>> one, two = few_shot(samples, 1, "0"), few_shot(samples, 2, "0")
    >>> len(one), len(two), all(sample in two for sample in one)
    (2, 4, True)
    """
    return first(by_rank(samples, *salt), shots)


def first(
    ranks: Mapping[int, Iterable[Sample]],
    number: int,
    names: Collection[str] = (),
    people: Collection[str] = (),
) -> list[Sample]:
    """The first samples of each rank that bear none of the names and show none of the people."""
    return [s for one in ranks.values() for s in islice(without(one, names, people), number)]


def largest_rank(samples: Iterable[Sample]) -> int:
    """Number of images of the rank that has most of them; 0 for no image."""
    return max(Counter(sample.rank for sample in samples).values(), default=0)


def without(
    samples: Iterable[Sample], names: Collection[str], people: Collection[str]
) -> Iterator[Sample]:
    """Samples that bear none of the names and show none of the people."""
    return (s for s in samples if s.name not in names and s.group not in people)


def _alone(samples: Iterable[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.group is None]


def _group_sizes(samples: Iterable[Sample]) -> Counter[str]:
    return Counter(sample.group for sample in samples if sample.group is not None)


def _groups_by_hash(groups: Iterable[str], *salt: str) -> list[str]:
    groups = list(groups)
    return [name for _, name in sorted(zip(digests(groups, *salt, "group"), groups, strict=True))]
