"""The standard protocol: official divisions win, else five folds; validation selects the step.

Source: min(shots, 4) validation images a rank as in Zhou et al. (2022). Learning to prompt for
vision-language models. https://doi.org/10.1007/s11263-022-01653-1
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from ordbench.dataset import Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.protocol import Parts, SplitProtocol
from ordbench.splits import folds
from ordbench.utils.text import counted

MAX_VAL_SHOTS = 4  # a rank, as in CoOp


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
        "validation images as in CoOp, https://doi.org/10.1007/s11263-022-01653-1"
    )

    def parts(
        self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
    ) -> Parts:
        """See `SplitProtocol.parts`."""
        pools = test_pools(listing, dataset, fold)
        return Parts(*train_and_val(pools, dataset, fold, shots, data_seed), pools.test)


def train_and_val(
    pools: Parts, dataset: str, fold: int, shots: int | None, data_seed: int
) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """The samples that train and those that validate, of what may do so."""
    if shots is None:
        return _all_images(pools, dataset)
    salt = (dataset, "shots", str(data_seed), str(fold))
    return _few_images(pools, dataset, shots, salt)


def test_pools(listing: Samples, dataset: str, fold: int) -> Parts:
    """What may train, what must validate (official images only) and what is tested."""
    samples = listing.samples
    if listing.draws:
        _check_fold(dataset, fold, range(len(listing.draws)))
        chosen = listing.draws[fold]
        there = {sample.name: sample for sample in samples}
        named = (chosen.train, chosen.val, chosen.test)
        return Parts(*([there[name] for name in names if name in there] for names in named))
    if any(sample.part for sample in samples):
        _check_complete(dataset, "part", [s.name for s in samples if s.part is None])
        _check_fold(dataset, fold, (0,))
        for part in ("train", "test"):
            if all(sample.part != part for sample in samples):
                raise DatasetError(
                    f"{dataset}: its images have official parts, but none is for {part}; name "
                    "some, or, to divide your own images by fold, write part=-"
                )
        return Parts(*([s for s in samples if s.part == part] for part in Parts._fields))
    fold_of = {sample.name: sample.fold for sample in samples if sample.fold is not None}
    if fold_of:
        _check_complete(dataset, "fold", [s.name for s in samples if s.fold is None])
        _check_fold(dataset, fold, sorted(set(fold_of.values())))
    else:
        _check_fold(dataset, fold, range(folds.NUM_FOLDS))
        fold_of = folds.five_folds(samples, dataset)
    test = [sample for sample in samples if fold_of[sample.name] == fold]
    return Parts([sample for sample in samples if fold_of[sample.name] != fold], [], test)


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


def _all_images(pools: Parts, dataset: str) -> tuple[Sequence[Sample], Sequence[Sample]]:
    if pools.val:
        return pools.train, pools.val
    held_out = folds.hold_out(pools.train, dataset)
    val = [sample for sample in pools.train if sample.name in held_out]
    return [sample for sample in pools.train if sample.name not in held_out], val


def _few_images(
    pools: Parts, dataset: str, shots: int, salt: Sequence[str]
) -> tuple[Sequence[Sample], Sequence[Sample]]:
    if shots < 1:
        raise SpecError(f"shots must be at least 1 per rank, got {shots}; use 1, 2, 4 ... or all")
    held_out = set[str]() if pools.val else folds.hold_out(pools.train, dataset)
    reserved = folds.groups_of(s for s in pools.train if s.name in held_out)
    may_train = folds.without(pools.train, held_out, reserved)
    most = folds.largest_rank(may_train)
    if shots > most:
        raise SpecError(
            f"not enough images for {counted(shots, 'shot')}: no rank of {dataset} has more than "
            f"{counted(most, 'training image')}; use fewer shots, or all"
        )
    train = folds.few_shot(may_train, shots, *salt)
    rest = folds.without(
        pools.val or pools.train, {sample.name for sample in train}, folds.groups_of(train)
    )
    return train, folds.few_shot(rest, min(shots, MAX_VAL_SHOTS), *salt)
