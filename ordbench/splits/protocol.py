"""Which images train, validate and test: drawn by rule, or read from a manifest.

Test images depend on the dataset and the fold alone, so that two runs of different seeds are tested
on the same images. In few-shot the training images of n shots lie within those of more shots.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ordbench.dataset import Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.splits import folds
from ordbench.splits.split import Parts, Protocol, Split, check, leaks, notes, short


def draw(
    listing: Samples,
    *,
    dataset: str,
    protocol: Protocol,
    fold: int,
    shots: int | None,
    data_seed: int,
) -> Split:
    """Draw the split of one run.

    Official draws win, then official parts, then official folds, then five folds by hash.
    Validation, where it is not official, is an eighth of what is not tested; it depends on no seed.
    These images, and the people in them, are kept out of every few-shot training set, so that at
    any number of shots there is something left to validate on, and few-shot sets lie within the
    training set of all images. In few-shot, validation is min(shots, 4) images a rank of what does
    not train, or of the official validation set, and shows nobody whom training shows. A rank that
    has too few images gives what it has. An image that validates at few shots may train at more.

    Args:
        listing: The dataset as it was read.
        dataset: Its registered name; it salts the draw.
        protocol: ``paper`` trains on all that is not tested and validates on the test images.
        fold: Which fold is tested.
        shots: Training images a rank; None for all.
        data_seed: Draws the few-shot set, another one in each fold; without shots nothing depends
            on it.

    Raises:
        SpecError: If there is no such fold, or if no rank has that many images.
        DatasetError: If a part is empty, or if a person stands in two parts.
    """
    pools = _pools(listing, dataset, fold)
    paper = protocol == "paper"
    if paper:  # it validates on the test images
        pools = Parts([*pools.train, *pools.val], pools.test, pools.test)
    if shots is None:
        train, val = _all_images(pools, dataset)
    else:
        salt = (dataset, "shots", str(data_seed), str(fold))
        train, val = _few_images(pools, dataset, shots, salt)
    parts = Parts(train, pools.test if paper else val, pools.test)
    check(parts, listing, where=f"{dataset}, fold {fold}", paper=paper)
    return Split(
        dataset=dataset,
        train=_names(parts.train),
        val=_names(parts.val),
        test=_names(parts.test),
        protocol=protocol,
        fold=fold,
        shots=shots,
        data_seed=data_seed,
        leaks=leaks(parts, paper=paper),
        short=short(parts.train, listing.task.num_ranks, shots),
        notes=notes(parts, listing, shots=shots, paper=paper),
    )


def _names(samples: Iterable[Sample]) -> tuple[str, ...]:
    return tuple(sorted(sample.name for sample in samples))


def _pools(listing: Samples, dataset: str, fold: int) -> Parts:
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
        raise SpecError(f"{dataset} has no fold {fold}; there is: {', '.join(shown)}")


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
        raise SpecError(f"shots must be at least 1 a rank, got {shots}; take 1, 2, 4 ... or all")
    held_out = set[str]() if pools.val else folds.hold_out(pools.train, dataset)
    reserved = folds.groups_of(s for s in pools.train if s.name in held_out)
    may_train = folds.without(pools.train, held_out, reserved)
    most = folds.largest_rank(may_train)
    if shots > most:
        raise SpecError(
            f"more shots than images: wanted {shots} a rank, but the largest rank of {dataset} has "
            f"{most} to train on; take fewer shots, or all"
        )
    train = folds.few_shot(may_train, shots, *salt)
    rest = folds.without(pools.val or pools.train, set(_names(train)), folds.groups_of(train))
    return train, folds.few_shot(rest, min(shots, folds.MAX_VAL_SHOTS), *salt)
