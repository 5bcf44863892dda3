"""The standard protocol: official divisions win, else five folds; validation selects the step.

Source: min(shots, 4) validation images a rank as in Zhou et al. (2022). Learning to prompt for
vision-language models. https://doi.org/10.1007/s11263-022-01653-1
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from ordbench.dataset import Part, Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.protocol import Parts, SplitProtocol
from ordbench.splits import folds
from ordbench.utils.last_few import LastFew
from ordbench.utils.text import counted

MAX_VAL_SHOTS = 4  # a rank, as in CoOp
KEPT = 16  # orders of the samples, one a data seed, and what does not depend on it


class Standard(SplitProtocol):
    """Official draws win, then official parts, then official folds, then five folds by hash.

    Validation, where it is not official, is an eighth of what is not tested; it depends on no seed.
    These images, and the people in them, are kept out of every few-shot training set, so that at
    any number of shots there is something left to validate on, and few-shot sets lie within the
    training set of all images. In few-shot, validation is min(shots, 4) images a rank of what does
    not train, or of the official validation set, and shows nobody whom training shows. A rank that
    has too few images gives what it has. An image that validates at few shots may train at more.
    """

    title: ClassVar[str] = "official folds and parts, else five folds; selected on validation"
    source: ClassVar[str] = (
        "validation images: Zhou, Yang, Loy, Liu (2022). Learning to prompt for vision-language "
        "models. International Journal of Computer Vision 130. "
        "https://doi.org/10.1007/s11263-022-01653-1"
    )

    def parts(
        self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
    ) -> Parts:
        """See `SplitProtocol.parts`."""
        pools = test_pools(listing, dataset, fold)
        return Parts(*train_and_val(pools, dataset, fold, shots, data_seed), pools.test)

    def test_folds(self, listing: Samples, *, dataset: str) -> Sequence[int]:
        """See `SplitProtocol.test_folds`."""
        if listing.draws:
            return range(len(listing.draws))
        if any(sample.part for sample in listing.samples):
            return (0,)
        return _folds(listing, dataset)[1]

    def division(self, listing: Samples) -> str:
        """See `SplitProtocol.division`."""
        return official_division(listing) or f"{folds.NUM_FOLDS} folds by hash"


class Pools(Parts):
    """What of one fold may train, must validate (official images only) and is tested.

    All draws of a fold share one, and what they share besides is kept in it.
    """

    @cached_property
    def kept(self) -> LastFew:
        """What was worked out of these samples, by what it is."""
        return LastFew(KEPT)

    def in_order(self, part: Part, salt: tuple[str, ...]) -> Mapping[int, Sequence[Sample]]:
        """The samples of one part, as `folds.by_rank`."""
        return self.kept.get((part, salt), lambda: folds.by_rank(getattr(self, part), *salt))


def train_and_val(
    pools: Pools, dataset: str, fold: int, shots: int | None, data_seed: int
) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """The samples that train and those that validate, of what may do so."""
    if shots is None:
        return pools.kept.get("all", lambda: _all_images(pools, dataset))
    salt = (dataset, "shots", str(data_seed), str(fold))
    return _few_images(pools, dataset, shots, salt)


def official_division(listing: Samples) -> str:
    """Which official division `test_pools` uses, in words; empty where it makes folds by hash."""
    if listing.test_dataset:
        return f"all of {listing.test_dataset}"
    if listing.draws:
        return "official draws"
    if any(sample.part for sample in listing.samples):
        return "official parts"
    return "official folds" if any(s.fold is not None for s in listing.samples) else ""


def test_pools(listing: Samples, dataset: str, fold: int) -> Pools:
    """What may train, what must validate (official images only) and what is tested."""
    return listing.kept.get(("pools", dataset, fold), lambda: _test_pools(listing, dataset, fold))


def _test_pools(listing: Samples, dataset: str, fold: int) -> Pools:
    samples = listing.samples
    if listing.draws:
        _check_fold(dataset, fold, range(len(listing.draws)))
        chosen = listing.draws[fold]
        there = {sample.name: sample for sample in samples}
        named = (chosen.train, chosen.val, chosen.test)
        return Pools(*([there[name] for name in names if name in there] for names in named))
    if any(sample.part for sample in samples):
        _check_complete(dataset, "part", [s.name for s in samples if s.part is None])
        _check_fold(dataset, fold, (0,))
        for part in ("train", "test"):
            if all(sample.part != part for sample in samples):
                raise DatasetError(
                    f"{dataset}: its images have official parts, but none is for {part}; name "
                    "some, or, to divide your own images by fold, write part=-"
                )
        return Pools(*([s for s in samples if s.part == part] for part in Pools._fields))
    fold_of, known = _folds(listing, dataset)
    return fold_pools(listing, dataset, fold, fold_of, known)


def _folds(listing: Samples, dataset: str) -> tuple[list[int], Sequence[int]]:
    """The fold of each sample, the official one where there is one, and all folds."""
    return listing.kept.get(("folds", dataset), lambda: _found_folds(listing.samples, dataset))


def _found_folds(samples: Sequence[Sample], dataset: str) -> tuple[list[int], Sequence[int]]:
    official = [sample.fold for sample in samples if sample.fold is not None]
    if official:
        _check_complete(dataset, "fold", [s.name for s in samples if s.fold is None])
        return official, sorted(set(official))
    fold_of = folds.folds_by_hash(samples, dataset)
    return [fold_of[sample.name] for sample in samples], range(folds.NUM_FOLDS)


def fold_pools(
    listing: Samples, dataset: str, fold: int, fold_of: Sequence[int], known: Collection[int]
) -> Pools:
    """What may train and what is tested, where one fold is tested.

    Args:
        listing: The dataset as it was read.
        dataset: What an error names.
        fold: Which one is tested.
        fold_of: The fold of each sample.
        known: All folds.

    Raises:
        SpecError: If there is no such fold.
    """
    _check_fold(dataset, fold, known)
    placed = list(zip(listing.samples, fold_of, strict=True))
    test = [sample for sample, own in placed if own == fold]
    return Pools([sample for sample, own in placed if own != fold], [], test)


def _check_fold(dataset: str, fold: int, there: Collection[int]) -> None:
    if fold not in there:
        shown = [str(number) for number in there]
        shown = shown if len(shown) <= 10 else [*shown[:8], "...", shown[-1]]
        raise SpecError(f"{dataset} has no fold {fold}; available: {', '.join(shown)}")


def _check_complete(dataset: str, what: str, missing: Sequence[str]) -> None:
    if missing:
        raise DatasetError(
            f"{dataset}: {len(missing)} images have no {what}, first {missing[0]!r}, but others "
            f"have one; give every image a {what}, or none"
        )


def _all_images(pools: Pools, dataset: str) -> tuple[Sequence[Sample], Sequence[Sample]]:
    if pools.val:
        return pools.train, pools.val
    held_out = _held_out(pools, dataset)
    val = [sample for sample in pools.train if sample.name in held_out]
    return list(folds.without(pools.train, held_out, ())), val


def _few_images(
    pools: Pools, dataset: str, shots: int, salt: tuple[str, ...]
) -> tuple[Sequence[Sample], Sequence[Sample]]:
    if shots < 1:
        raise SpecError(f"shots must be at least 1 per rank, got {shots}; use 1, 2, 4 ... or all")
    reserved, most = pools.kept.get("reserved", lambda: _reserved(pools, dataset))
    if shots > most:
        raise SpecError(
            f"not enough images for {counted(shots, 'shot')}: no rank of {dataset} has more than "
            f"{counted(most, 'training image')}; use fewer shots, or all"
        )
    train = folds.first(pools.in_order("train", salt), shots, *reserved)
    rest = pools.in_order("val" if pools.val else "train", salt)
    shown = {sample.name for sample in train}, folds.groups_of(train)
    return train, folds.first(rest, min(shots, MAX_VAL_SHOTS), *shown)


def _reserved(pools: Pools, dataset: str) -> tuple[tuple[set[str], set[str]], int]:
    """Names and people that train at no number of shots, and the largest rank of what does."""
    names = set[str]() if pools.val else _held_out(pools, dataset)
    people = folds.groups_of(s for s in pools.train if s.name in names)
    return (names, people), folds.largest_rank(folds.without(pools.train, names, people))


def _held_out(pools: Pools, dataset: str) -> set[str]:
    return pools.kept.get("held out", lambda: folds.hold_out(pools.train, dataset))
