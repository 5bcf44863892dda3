"""A dataset divided by lists from elsewhere: their paths and labels are held to its samples."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import isfinite
from typing import NamedTuple

from ordbench.dataset import OfficialSplit, Part, Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.splits.draw import draw, open_protocol
from ordbench.splits.list_files import Draw, Line, SplitLists
from ordbench.splits.split import Split
from ordbench.task import Task
from ordbench.utils.text import counted

HELD_OUT = "the lists name no validation images: they are held out of train"


class Divided(NamedTuple):
    """A dataset whose official draws are those of the lists, for one protocol; and what to know."""

    listing: Samples
    protocol: str
    notes: tuple[str, ...]


def divide(listing: Samples, lists: SplitLists, *, dataset: str, protocol: str) -> Divided:
    """Find the samples that lists name, and compare the labels with their ranks.

    A path means the sample of that name, else the only one whose name has the longest tail of the
    path, in whatever Unicode form and case, else the same without the ending of the file. Labels
    are names or values of ranks, or numbers that differ from these, or from the ranks counted from
    0, by one constant. An image that is listed for train and for val only validates.

    Raises:
        DatasetError: If a path means no sample or several, if a label is not that of its sample, or
            if the validation list repeats another one.
    """
    finder = _Finder(listing)
    places: dict[str, int] = {}
    missing: dict[str, Line] = {}
    lines = {line.path: line for one in lists.draws for part in one.values() for line in part}
    for path, line in lines.items():
        place = finder.find(line)
        if place is None:
            missing[path] = line
        else:
            places[path] = place
    if missing:
        first = min(missing)
        raise DatasetError(
            f"the lists name {counted(len(missing), 'image')} that {dataset} does not have or "
            f"cannot read, first {first!r} ({_why_missing(missing[first], listing)}), while its "
            f"first image is called {listing.samples[0].name!r}; restore them, or remove their "
            "lines"
        )
    _refuse_aliases(places, lines, listing.samples)
    found = {path: listing.samples[place] for path, place in places.items()}
    notes = [*lists.notes, *_label_note(lists, found, listing.task)]
    named = len(set(places.values()))
    if unnamed := len(listing.samples) - named:
        notes.append(f"{counted(unnamed, 'image')} in no list: not used")
    if elsewhere := [p for p, one in found.items() if p != one.name and not _agree(p, one.name)]:
        notes.append(
            f"{counted(len(elsewhere), 'image')} of the lists found in another folder, first "
            f"{elsewhere[0]!r} as {found[elsewhere[0]].name!r}"
        )
    if repeated := max(map(_repeated, lists.draws)):
        notes.append(f"{counted(repeated, 'line')} of the lists repeat an image of the same part")
    paper = open_protocol(protocol).validates_on_test
    draws = [
        _with_own_val(
            OfficialSplit(*(_names(one, part, found) for part in ("train", "test", "val"))),
            paper=paper,
        )
        for one in lists.draws
    ]
    if both := max(len(set(draw.train) & set(draw.val)) for draw in draws):
        notes.append(f"{counted(both, 'image')} listed for train and val: in val only")
    apart = tuple(_without_val(draw) for draw in draws)
    return Divided(replace(listing, draws=apart), protocol, tuple(notes))


def _why_missing(line: Line, listing: Samples) -> str:
    """Where an image is listed, and why the dataset left it out, if it did."""
    reasons = {rejected.name: rejected.reason for rejected in listing.rejected}
    reason = reasons.get(line.path)
    return f"{line.where}: {reason}" if reason else line.where


def _names(draw: Draw, part: Part, found: Mapping[str, Sample]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found[line.path].name for line in draw.get(part, ())))


def _without_val(draw: OfficialSplit) -> OfficialSplit:
    val = set(draw.val)
    return draw._replace(train=tuple(name for name in draw.train if name not in val))


def _repeated(draw: Draw) -> int:
    return sum(len(lines) - len({line.path for line in lines}) for lines in draw.values())


class _Finder:
    """Finds the sample that a path from elsewhere means."""

    def __init__(self, listing: Samples) -> None:
        self._samples = listing.samples
        self._exact = {sample.name: place for place, sample in enumerate(listing.samples)}
        self._left_out = {"/".join(_tails(one.name)[:1]) for one in listing.rejected}

    def find(self, line: Line) -> int | None:
        """Its place among the samples.

        Raises:
            DatasetError: If it may be several.
        """
        if (exact := self._exact.get(line.path)) is not None:
            return exact
        tails = _tails(line.path)
        found = _first(self._by_tail, tails) or _first(self._by_stem, map(_stem, tails))
        if len(found) > 1:
            one, other = (self._samples[place].name for place in found[:2])
            raise DatasetError(
                f"{line.where}: {line.path!r} may be {one!r} or {other!r}; write the whole name"
            )
        if not found or self._is_left_out(line.path, self._samples[found[0]].name):
            return None
        return found[0]

    def _is_left_out(self, path: str, name: str) -> bool:
        """Whether a path means a file that is left out: b/1.jpg, and not the sample a/1.jpg."""
        return not self._left_out.isdisjoint(_tails(path)) and not _agree(path, name)

    @cached_property
    def _by_tail(self) -> dict[str, list[int]]:
        """The samples whose names have each tail."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, sample in enumerate(self._samples):
            for tail in _tails(sample.name):
                places[tail].append(place)
        return dict(places)

    @cached_property
    def _by_stem(self) -> dict[str, list[int]]:
        """The samples whose names have each tail but for the ending of the file."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for tail, ones in self._by_tail.items():
            places[_stem(tail)] += ones
        return dict(places)


def _first(places: Mapping[str, Sequence[int]], tails: Iterable[str]) -> Sequence[int]:
    return next((places[tail] for tail in tails if tail in places), ())


def _stem(name: str) -> str:
    """A name without what looks like the ending of an image file."""
    return re.sub(r"\.[a-z]{3,4}$", "", name)


def _agree(path: str, name: str) -> bool:
    """Whether all folders that both say are the same.

    >>> _agree("/data/a/1.jpg", "a/1.png"), _agree("1.jpg", "a/1.jpg"), _agree("b/1.jpg", "a/1.jpg")
    (True, True, False)
    """
    words, others = (_stem(_tails(one)[0]).split("/")[::-1] for one in (path, name))
    return all(one == other for one, other in zip(words, others, strict=False))


def _tails(path: str) -> list[str]:
    r"""A path without its first folders, longest first, as paths are compared.

    >>> _tails("../Album2\\A.JPG")
    ['album2/a.jpg', 'a.jpg']
    """
    composed = unicodedata.normalize("NFC", path.replace("\\", "/")).casefold()
    words = [word for word in composed.split("/") if word not in {"", ".", ".."}]
    return ["/".join(words[start:]) for start in range(len(words))]


def _refuse_aliases(
    places: Mapping[str, int], lines: Mapping[str, Line], samples: Sequence[Sample]
) -> None:
    first: dict[int, str] = {}
    for path, place in places.items():
        other = first.setdefault(place, path)
        if other != path:
            raise DatasetError(
                f"{lines[path].where}: {path!r} and {other!r} are both taken for "
                f"{samples[place].name!r}; write the names of the dataset"
            )


def _label_note(lists: SplitLists, found: Mapping[str, Sample], task: Task) -> list[str]:
    """What the labels are, where they are not those of the dataset.

    Raises:
        DatasetError: Naming the first label that disagrees.
    """
    # Of several draws, each may have other labels for an image.
    unique = {line[:2]: line for one in lists.draws for part in one.values() for line in part}
    lines = list(unique.values())
    if not any(line.label for line in lines):
        return ["the lists have no labels: names were compared, ranks were not"]
    ranks = [found[line.path].rank for line in lines]
    if all(line.label == task.rank_names[rank] for line, rank in zip(lines, ranks, strict=True)):
        return []
    numbers = [_number(line) for line in lines]
    best: tuple[int, int] = (-1, 0)
    for what, values in (
        (task.unit, task.rank_values),
        ("ranks counted from 0", range(task.num_ranks)),
    ):
        pairs = zip(numbers, ranks, strict=True)
        offsets = [round(number - values[rank], 9) for number, rank in pairs]
        (offset, most), *_ = Counter(offsets).most_common(1)
        # One rank alone agrees with any number.
        if most == len(lines) and (not offset or len(set(ranks)) > 1):
            return _offset_note(what, offset, exact=values is task.rank_values)
        wrong = next((place for place, one in enumerate(offsets) if one != offset), 0)
        best = max(best, (most, wrong))
    most, wrong = best
    rank = task.rank_names[ranks[wrong]]
    raise DatasetError(
        f"{lines[wrong].where}: label {lines[wrong].label!r} is not that of "
        f"{found[lines[wrong].path].name!r}, whose rank is {rank!r} ({task.unit}); "
        f"{most} of {len(lines)} labels agree with each other; correct the lists, or take the "
        "dataset that they were made for"
    )


def _number(line: Line) -> float:
    try:
        number = float(line.label)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise DatasetError(
            f"{line.where}: label {line.label!r} is neither the name of a rank nor a number"
        )
    return number


def _offset_note(what: str, offset: float, *, exact: bool) -> list[str]:
    if not offset:
        return [] if exact else [f"labels of the lists are {what}"]
    return [f"labels of the lists are {what} {'-' if offset < 0 else '+'} {abs(offset):g}"]


def draw_divided(
    divided: Divided, *, dataset: str, fold: int, shots: int | None, data_seed: int
) -> Split:
    """Draw the split of one run within the parts of the lists.

    Where they name no validation images, these are held out of train as the protocol does. For the
    arguments see `ordbench.splits.draw.draw`.

    Raises:
        SpecError: If there is no such fold, if the protocol does not keep to official draws, or if
            no rank has that many images.
        DatasetError: If a part is empty, or a person or a picture is in two parts.
    """
    listing, protocol, notes = divided
    split = draw(
        listing,
        dataset=dataset,
        protocol=protocol,
        fold=fold,
        shots=shots,
        data_seed=data_seed,
    )
    listed = listing.draws[fold]
    trained = {*listed.train, *listed.val}
    if set(split.test) != set(listed.test) or not trained.issuperset(split.train):
        raise SpecError(
            f"--protocol {protocol} does not keep to given lists; use --protocol standard"
        )
    if not listed.val and not open_protocol(protocol).validates_on_test:
        notes = (*notes, HELD_OUT)
    return split.model_copy(update={"notes": (*notes, *split.notes), "division": "given lists"})


def _with_own_val(draw: OfficialSplit, *, paper: bool) -> OfficialSplit:
    """A draw whose validation images are its own, or none where the protocol takes the test images.

    Raises:
        DatasetError: If they are those of another part.
    """
    val = set(draw.val)
    if val and val == set(draw.test):
        if paper:
            return draw._replace(val=())
        raise DatasetError(
            "the validation list names the test images, on which no step may be selected; remove "
            "it, so that validation is held out of train, or add --protocol paper"
        )
    if val and val == set(draw.train):
        raise DatasetError(
            "the validation list names the training images, which select nothing; remove it, so "
            "that validation is held out of train"
        )
    return draw
