"""The result of a draw: which samples train, validate and test, and what to know of it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from ordbench.dataset import Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.protocol import Parts
from ordbench.utils.text import counted

Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what every generator of random numbers takes
Count = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]

PAPER_NOTE = "validation images are the test images (protocol paper)"


class Indices(NamedTuple):
    """Positions in the samples of a listing, in the order of the split's names."""

    train: tuple[int, ...]
    val: tuple[int, ...]
    test: tuple[int, ...]


class Split(BaseModel):
    """Names of the samples that train, validate and test, each part sorted.

    Attributes:
        dataset: Registered name of the dataset.
        train: Names of the training samples.
        val: Names of the samples that select the step; the test samples under ``paper``.
        test: Names of the test samples.
        protocol: As typed, ``NAME[:KEY=VALUE]``.
        fold: Which fold is tested.
        shots: Training images a rank; None for all.
        data_seed: What drew the few-shot set.
        leaks: Test images that show a person also in training or validation.
        short: Ranks with fewer training images than ``shots``.
        notes: What a reader of the results must know, one line each.
        division: Where the test images come from, as in "official folds"; empty if unknown.
        train_ranks: The ranks of training samples that are given another one than their own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(min_length=1)
    train: Names
    val: Names
    test: Names
    protocol: str = "standard"
    fold: Count = 0
    shots: Annotated[Count, Field(ge=1)] | None = None
    data_seed: Count = 0
    leaks: Count = 0
    short: Count = 0
    notes: tuple[str, ...] = ()
    division: str = ""
    train_ranks: dict[str, Count] = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def _without_unused(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what few splits have."""
        described: dict[str, object] = dump(self)
        unused = [name for name in ("division", "train_ranks") if not getattr(self, name)]
        return {name: value for name, value in described.items() if name not in unused}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the dataset's name and the three sets of names, however they came about.

        Changed training ranks are in it where there are any.
        """
        names = (self.dataset, sorted(self.train), sorted(self.val), sorted(self.test))
        content = (*names, sorted(self.train_ranks.items())) if self.train_ranks else names
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def indices(self, listing: Samples) -> Indices:
        """Where the samples stand in a listing; a name meets its other Unicode forms.

        Raises:
            DatasetError: If the listing lacks one of them.
        """
        parts = (self.train, self.val, self.test)
        places = listing.places
        if any(name not in places for part in parts for name in part):
            places = self._places_in_other_forms(listing, {name for part in parts for name in part})
        return Indices(*(tuple(places[name] for name in part) for part in parts))

    def _places_in_other_forms(self, listing: Samples, names: Iterable[str]) -> dict[str, int]:
        exact = listing.places
        places = {_composed(name): place for name, place in exact.items()} | dict(exact)
        spelled = {name: name if name in places else _composed(name) for name in names}
        if missing := sorted(n for n, composed in spelled.items() if composed not in places):
            raise DatasetError(
                f"the split names {counted(len(missing), 'image')} that {self.dataset} does not "
                f"have or cannot read, first {missing[0]!r}, while its first image is called "
                f"{listing.samples[0].name!r}; restore them, correct the names, or draw or write "
                "a new split"
            )
        return {name: places[composed] for name, composed in spelled.items()}


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def check(parts: Parts, listing: Samples, *, where: str, paper: bool) -> None:
    """Refuse a split that cannot be trusted.

    Args:
        parts: The samples.
        listing: Where they come from; a leaky one may show a person in two parts.
        where: What an error names ("fgnet, fold 3").
        paper: Whether validation is meant to be the test set.

    Raises:
        DatasetError: If a part is empty, or an image or a person stands in two parts.
    """
    for part, samples in parts._asdict().items():
        if not samples:
            raise DatasetError(
                f"{where}: no image is left for {part} ({len(parts.train)} train, "
                f"{len(parts.val)} val, {len(parts.test)} test); take fewer shots or another fold, "
                "add images, or name the images of each part in a file (--split FILE)"
            )
    for part, samples in parts._asdict().items():
        if twice := _twice([sample.name for sample in samples]):
            raise DatasetError(
                f"{where}: image {_and_others(twice)} is twice in {part}; name it once"
            )
    apart = Parts(parts.train, () if paper else parts.val, parts.test)
    _refuse_shared(
        [s.name for part in apart for s in part], f"{where}: image", "keep it in one part"
    )
    if not listing.leaky:
        groups = [group for part in apart for group in {s.group for s in part} - {None}]
        advice = "keep each group in one part, or add --allow-leak"
        _refuse_shared(groups, f"{where}: group", advice)


def check_tested(parts: Parts, listing: Samples, *, protocol: str) -> None:
    """Refuse a split that does not test on the other dataset, where there is one.

    Raises:
        SpecError: If it tests on anything but all samples of it.
    """
    other = listing.test_dataset
    if not other:
        return
    names = {s.name for s in listing.samples if s.name.startswith(f"{other}:")}
    if {sample.name for sample in parts.test} != names:
        raise SpecError(
            f"--protocol {protocol} chooses the test images itself, but --test-dataset {other} "
            "means all of that dataset; leave one of the two out"
        )


def check_shots(train: Sequence[Sample], listing: Samples, shots: int | None) -> None:
    """Refuse a split that trains on more images of a rank than it says.

    Raises:
        DatasetError: Naming the rank that has the most.
    """
    rank, most = Counter(sample.rank for sample in train).most_common(1)[0]
    if shots is not None and most > shots:
        raise DatasetError(
            f"the split says shots: {shots}, but rank {listing.task.rank_names[rank]!r} has {most} "
            "training images; correct its shots (null for all) or its train"
        )


def _refuse_shared(names: Sequence[str | None], what: str, advice: str) -> None:
    if twice := _twice(names):
        raise DatasetError(
            f"{what} {_and_others(twice)} is in two parts of the split, but what is tested must "
            f"not be seen in training: {advice}"
        )


def _twice(names: Sequence[str | None]) -> list[str]:
    if len(set(names)) == len(names):
        return []
    return sorted(str(name) for name, count in Counter(names).items() if count > 1)


def _and_others(names: Sequence[str]) -> str:
    others = f" (and {len(names) - 1} others)" if len(names) > 1 else ""
    return f"{names[0]!r}{others}"


def leaks(parts: Parts, *, paper: bool) -> int:
    """Test images that show a person also in training or, if it is not the test set, validation."""
    known = {s.group for part in parts[: 1 if paper else 2] for s in part} - {None}
    return sum(sample.group in known for sample in parts.test)


def short(train: Iterable[Sample], num_ranks: int, shots: int | None) -> int:
    """Ranks with fewer training images than shots."""
    counts = Counter(sample.rank for sample in train)
    return sum(counts[rank] < (shots or 0) for rank in range(num_ranks))


def with_own_ranks(parts: Parts, listing: Samples, *, where: str) -> tuple[Parts, dict[str, int]]:
    """The samples as the dataset labels them, and the ranks that training samples bore instead.

    Raises:
        DatasetError: If a validation or test sample bore another rank, or one is none of the
            task's.
    """

    def own(sample: Sample) -> Sample:
        place = listing.places.get(sample.name)
        return sample if place is None else listing.samples[place]

    given = {s.name: s.rank for s in parts.train if s.rank != own(s).rank}
    if changed := [s.name for s in (*parts.val, *parts.test) if s.rank != own(s).rank]:
        raise DatasetError(
            f"{where}: image {changed[0]!r} is not given its own rank, but only the ranks of "
            "training images may be changed"
        )
    check_ranks(given, listing, where=where)
    if not given:
        return parts, given
    train = [own(sample) if sample.name in given else sample for sample in parts.train]
    return parts._replace(train=train), given


def check_ranks(ranks: Mapping[str, int], listing: Samples, *, where: str) -> None:
    """Refuse ranks that are none of the task's.

    Raises:
        DatasetError: Naming the first one.
    """
    for name, rank in ranks.items():
        if not 0 <= rank < listing.task.num_ranks:
            raise DatasetError(
                f"{where}: image {name!r} is given rank {rank}; "
                f"wanted 0..{listing.task.num_ranks - 1}"
            )


def notes(
    parts: Parts, listing: Samples, *, shots: int | None, paper: bool, changed: int = 0
) -> tuple[str, ...]:
    """What a reader of the results must know of a split, one line each.

    Args:
        parts: The samples.
        listing: Where they come from.
        shots: Training images a rank; None for all.
        paper: Whether validation is the test set.
        changed: How many training samples are given another rank than their own.
    """
    lines = [PAPER_NOTE] if paper else []
    if leaked := leaks(parts, paper=paper):
        seen = "train" if paper else "train or validation"
        lines.append(
            f"{leaked} of {len(parts.test)} test images show a person or picture also in {seen}"
        )
    counts = Counter(sample.rank for sample in parts.train)
    num_ranks = listing.task.num_ranks
    if few := num_ranks - len(counts):
        lines.append(f"{few} of {num_ranks} ranks have no training image")
    if not paper and (unseen := len(counts.keys() - {sample.rank for sample in parts.val})):
        lines.append(f"{unseen} of {num_ranks} ranks train but have no validation image")
    if shots and (short := sum(count < shots for count in counts.values())):
        lines.append(f"{short} of {num_ranks} ranks have fewer than {shots} training images")
    if changed:
        lines.append(f"{changed} of {len(parts.train)} training images are given a wrong rank")
    return tuple(lines)


def summary(split: Split) -> str:
    """A split in a few words: sizes, hash and notes."""
    sizes = f"{len(split.train)} train, {len(split.val)} val, {len(split.test)} test"
    shots = "all images" if split.shots is None else counted(split.shots, "shot")
    drawn = f"fold {split.fold}, {shots}, data seed {split.data_seed}"
    protocol = "" if split.protocol == "standard" else f"protocol {split.protocol}, "
    head = f"{split.dataset}, {protocol}{drawn}: {sizes}"
    division = [f"test images: {split.division}"] if split.division else []
    return "\n".join([head, f"sha256 {split.hash}", *division, *split.notes])
