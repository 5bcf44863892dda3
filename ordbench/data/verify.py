"""What is wrong with a dataset: images that cannot be read, copies, two labels, leaks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Literal, NamedTuple, get_args

from ordbench.data.duplicates import Look, near_identical
from ordbench.data.image_files import has_image_name
from ordbench.dataset import Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError, SpecError
from ordbench.splits.draw import draw
from ordbench.splits.folds import groups_of
from ordbench.splits.pictures import join_identical, note_identical_rows, row_hashes
from ordbench.splits.split import Split

Kind = Literal[
    "unreadable", "left out", "identical files", "identical pictures", "near-identical", "split"
]

PARTS: tuple[Part, ...] = get_args(Part)
SHOWN = 10  # names in the text of a finding


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        kind: ``unreadable`` is an image that cannot be decoded, and ``left out`` one that the
            reader does not list; ``identical files`` have the same bytes, ``identical pictures``
            the same pixels, and ``near-identical`` ones look alike; ``split`` is what makes the
            standard split unusable, or shows a person on both sides.
        names: The samples, or the files that were left out.
        reason: In one line.
        differ: Of copies, what is not the same: their ``ranks``, ``people`` or ``parts`` of the
            standard split.
    """

    kind: Kind
    names: tuple[str, ...]
    reason: str
    differ: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = ", ".join(self.names[:SHOWN])
        if len(self.names) > SHOWN:
            names += f" and {len(self.names) - SHOWN} more"
        return f"{self.kind}: {names}{': ' if names and self.reason else ''}{self.reason}"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found in a dataset.

    Attributes:
        dataset: Its registered name.
        images: How many samples can be read.
        per_rank: How many of them each rank has, by its name.
        people: How many people or groups are known.
        folds: How many official folds there are.
        parts: How many samples train, validate and test in the first fold of the standard split.
        left_out: How many files the reader left out, by reason; findings are those of them that
            are called like images.
        notes: What the reader says.
        findings: All that is wrong.
    """

    dataset: str
    images: int
    per_rank: Mapping[str, int]
    people: int
    folds: int
    parts: Mapping[str, int]
    left_out: Mapping[str, int]
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]

    def by_kind(self) -> dict[Kind, list[Finding]]:
        """The findings of each kind; copies in two parts, of two ranks or people stand first."""
        kinds: dict[Kind, list[Finding]] = {}
        for finding in self.findings:
            kinds.setdefault(finding.kind, []).append(finding)
        order = ("parts", "ranks", "people")
        for found in kinds.values():
            found.sort(key=lambda finding: [what not in finding.differ for what in order])
        return kinds

    def as_json(self) -> dict[str, object]:
        """All of it."""
        return {**asdict(self), "findings": [finding._asdict() for finding in self.findings]}


def verify(name: str, listing: Samples, found: Sequence[Look | str]) -> Verification:
    """Judge a dataset.

    Args:
        name: Its registered name.
        listing: As it was read.
        found: What the image of each sample looks like, or why it cannot be read; empty for a
            dataset that brings features.
    """
    pairs = list(zip(listing.samples, found, strict=True)) if found else []
    lost = [Finding("unreadable", (s.name,), one) for s, one in pairs if isinstance(one, str)]
    seen = [(sample, one) for sample, one in pairs if isinstance(one, Look)]
    pictures = [one for _, one in seen]
    if listing.features is None:
        readable = replace(listing, samples=tuple(sample for sample, _ in seen))
        joined = join_identical(readable, [one.pixels for one in pictures])
    else:
        readable = listing
        joined = note_identical_rows(listing, row_hashes(listing.features))
    split, faults = _splits(name, joined)
    parts = {part: getattr(split, part) if split else () for part in PARTS}
    part_of = {sample: part for part, names in parts.items() for sample in names}
    tell = partial(_copies, listing.task.rank_names, part_of)
    copies = [
        tell(kind, [readable.samples[place] for place in same]) for kind, same in _alike(pictures)
    ]
    ranks = Counter(sample.rank for sample in readable.samples)
    return Verification(
        dataset=name,
        images=len(readable.samples),
        per_rank={rank: ranks[number] for number, rank in enumerate(listing.task.rank_names)},
        people=len(groups_of(readable.samples)),
        folds=len(_folds(listing)),
        parts={part: len(names) for part, names in parts.items()},
        left_out=dict(Counter(rejection.reason for rejection in listing.rejected)),
        notes=joined.notes,
        findings=(*lost, *_left_out(listing.rejected), *copies, *faults),
    )


def _left_out(rejected: Iterable[SkippedFile]) -> Iterator[Finding]:
    for name, reason in rejected:
        if has_image_name(name):
            yield Finding("left out", (name,), reason)


def _folds(listing: Samples) -> list[int]:
    """The official folds."""
    if listing.draws:
        return list(range(len(listing.draws)))
    return sorted({sample.fold for sample in listing.samples if sample.fold is not None})


def _splits(name: str, listing: Samples) -> tuple[Split | None, list[Finding]]:
    """The standard split of the first fold, and what is wrong with that of any official one."""
    first: Split | None = None
    faults: list[Finding] = []
    for fold in _folds(listing) or [0]:
        try:
            split = draw(
                listing, dataset=name, protocol="standard", fold=fold, shots=None, data_seed=0
            )
        except (DatasetError, SpecError) as error:
            faults.append(Finding("split", (), str(error)))
            continue
        first = first or split
        if split.leaks:
            faults.append(Finding("split", (), f"{name}, fold {fold}: {split.notes[0]}"))
    return first, faults


def _alike(pictures: Sequence[Look]) -> Iterator[tuple[Kind, Sequence[int]]]:
    """The places of identical pictures, and of those that look alike and are not all identical."""
    same: defaultdict[str, list[int]] = defaultdict(list)
    for place, picture in enumerate(pictures):
        same[picture.pixels].append(place)
    for places in same.values():
        if len(places) > 1:
            one_file = len({pictures[place].content for place in places}) == 1
            yield "identical files" if one_file else "identical pictures", places
    for places in near_identical(pictures):
        if len({pictures[place].pixels for place in places}) > 1:
            yield "near-identical", places


def _copies(
    rank_names: Sequence[str], part_of: Mapping[str, str], kind: Kind, alike: Sequence[Sample]
) -> Finding:
    """What is not the same of samples that look alike."""
    has: dict[str, Sequence[str]] = {
        "ranks": [rank_names[rank] for rank in sorted({sample.rank for sample in alike})],
        "people": sorted({sample.group or "unknown" for sample in alike}),
        "parts": [part for part in PARTS if part in {part_of.get(s.name) for s in alike}],
    }
    differ = {what: values for what, values in has.items() if len(values) > 1}
    said = "; ".join(f"{what} {', '.join(values)}" for what, values in differ.items())
    return Finding(kind, tuple(sample.name for sample in alike), said, tuple(differ))
