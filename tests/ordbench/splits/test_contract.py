"""What holds for every protocol, on imagined datasets."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ordbench.dataset import OfficialSplit, Part, Sample, Samples
from ordbench.errors import DatasetError, OrdbenchError, SpecError
from ordbench.plugins.registry import PROTOCOLS
from ordbench.splits.cross import with_test_dataset
from ordbench.splits.draw import open_protocol
from ordbench.splits.split import Split
from ordbench.task import Task
from tests.reference.photos import RANKS, drawn, ordered

OPTIONS = {
    "budget": "images=24",
    "kfold": "folds=3",
    "label-noise": "share=0.4:kind=neighbours",
    "long-tail": "ratio=4",
    "shift": "classes=2:samples=0.5",
}
TYPED = [f"{name}:{OPTIONS[name]}" if name in OPTIONS else name for name in sorted(PROTOCOLS)]
FEW_SHOT = [name for name in TYPED if not name.startswith("budget")]  # a budget has no shots
TEST_CHOOSERS = {"kfold", "leave-one-group-out"}
K = 3
TASK = Task(rank_names=("a", "b", "c"), rank_values=(0, 1, 2), unit="ranks", context="it is")
PARTS: tuple[Part, ...] = ("train", "train", "train", "val", "test")


def listing(samples: Sequence[Sample]) -> Samples:
    return Samples(task=TASK, samples=tuple(samples))


def officially(there: Samples, how: str) -> Samples:
    """The same dataset with an official division that keeps people whole."""
    bins = [hash_free(sample.group or sample.name) for sample in there.samples]
    pairs = list(zip(there.samples, bins, strict=True))
    if how == "folds":
        return listing([s._replace(fold=n) for s, n in pairs])
    if how == "parts":
        return listing([s._replace(part=PARTS[n]) for s, n in pairs])
    if how == "draws":
        names = [[s.name for s, n in pairs if n == bin_] for bin_ in range(5)]
        rest = [[n for step in (1, 2, 3) for n in names[(at + step) % 5]] for at in range(5)]
        return replace(
            there,
            draws=tuple(
                OfficialSplit(tuple(rest[at]), tuple(names[at]), tuple(names[(at + 4) % 5]))
                for at in range(5)
            ),
        )
    return there


def hash_free(text: str) -> int:
    return sum(map(ord, text)) % 5


@st.composite
def datasets(draw_: st.DrawFn) -> Samples:
    """40 to 120 images, of people or not, with an official division or without."""
    shown = draw_(st.sampled_from(["nobody", "some", "everybody"]))
    people = {"nobody": st.none(), "some": st.none() | st.integers(0, 15)}.get(
        shown, st.integers(0, 15)
    )
    images = draw_(st.lists(st.tuples(st.integers(0, K - 1), people), min_size=40, max_size=120))
    samples = [
        Sample(f"{n:03}.png", Path("x"), rank, None if who is None else f"p{who}")
        for n, (rank, who) in enumerate(images)
    ]
    how = draw_(st.sampled_from(["nothing", "folds", "parts", "draws"]))
    return officially(listing(samples), how)


def check_apart(there: Samples, split: Split) -> None:
    """No image and no person is in two parts."""
    group_of = {sample.name: sample.group for sample in there.samples}
    apart = [set(split.train), set(split.val), set(split.test)]
    if open_protocol(split.protocol).validates_on_test:
        assert apart[1] == apart[2]
        del apart[1]
    groups = [{group_of[name] for name in names} - {None} for names in apart]
    for sides in (apart, groups):
        assert sum(map(len, sides)) == len(set().union(*sides))  # type: ignore[arg-type]


@pytest.mark.parametrize("protocol", TYPED)
@settings(max_examples=25)
@given(there=datasets(), seed=st.integers(0, 2), shuffle=st.randoms())
def test_every_protocol_keeps_its_promises(
    protocol: str, there: Samples, seed: int, shuffle: random.Random
) -> None:
    numbers = (1, 2, 4, None) if protocol in FEW_SHOT else (None,)
    try:
        splits = [drawn(protocol, there, shots=n, data_seed=seed) for n in numbers]
    except (DatasetError, SpecError):  # nothing is left for a part
        assume(False)
        raise
    for split in splits:
        check_apart(there, split)
    assert len({split.test for split in splits}) == 1
    for fewer, more in pairwise(splits):
        assert set(fewer.train) <= set(more.train)
        assert fewer.train_ranks.items() <= more.train_ranks.items()
    shuffled = list(there.samples)
    shuffle.shuffle(shuffled)
    again = replace(there, samples=tuple(shuffled))
    for n, split in zip(numbers, splits, strict=True):
        assert drawn(protocol, again, shots=n, data_seed=seed) == split
    other = drawn(protocol, there, data_seed=seed + 1)
    assert other.test == splits[-1].test
    if not open_protocol(protocol).seeded:
        assert other.hash == splits[-1].hash


def everybody(per_person: int = 12, how: str = "nothing") -> Samples:
    """900 images of 75 people."""
    samples = [
        Sample(f"{n:03}.png", Path("x"), n % K, f"p{n // per_person:02}") for n in range(900)
    ]
    return officially(listing(samples), how)


@pytest.mark.parametrize("protocol", FEW_SHOT)
def test_sets_of_1_to_64_shots_are_nested(protocol: str) -> None:
    sets = [set(drawn(protocol, everybody(), shots=2**n).train) for n in range(7)]
    assert all(fewer < more for fewer, more in pairwise(sets))
    assert sets[-1] < set(drawn(protocol, everybody()).train)
    if not protocol.startswith("long-tail"):
        assert [len(few) for few in sets] == [K * 2**n for n in range(7)]


@pytest.mark.parametrize("protocol", TYPED)
@pytest.mark.parametrize("how", ["nothing", "folds", "parts", "draws"])
def test_another_test_dataset_is_tested_whole_or_refused(protocol: str, how: str) -> None:
    train, test = everybody(how=how), officially(everybody(9), "folds")
    there = with_test_dataset(train, test, train_name="x", test_name="y")
    for shots in (None, 4) if protocol in FEW_SHOT else (None,):
        if protocol.partition(":")[0] in TEST_CHOOSERS:
            with pytest.raises(SpecError, match="but --test-dataset y means all of that dataset"):
                drawn(protocol, there, shots=shots)
            continue
        split = drawn(protocol, there, shots=shots)
        check_apart(there, split)
        assert split.test == tuple(sorted(f"y:{sample.name}" for sample in test.samples))
        assert not any(name.startswith("y:") for name in split.train)
        assert split.division == "all of y"


@pytest.mark.parametrize("protocol", [name for name in TYPED if "standard" in name or ":" in name])
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("nothing", "5 folds by hash"),
        ("folds", "official folds"),
        ("parts", "official parts"),
        ("draws", "official draws"),
    ],
)
def test_official_divisions_are_told_from_folds_by_hash(protocol: str, how: str, said: str) -> None:
    split = drawn(protocol, everybody(how=how))
    assert split.division == ("3 folds by hash" if "kfold" in protocol else said)


@pytest.mark.parametrize("protocol", TYPED)
@pytest.mark.parametrize("how", ["nothing", "folds", "parts", "draws"])
def test_all_folds_are_those_that_can_be_drawn(protocol: str, how: str) -> None:
    there = everybody(how=how)
    folds = open_protocol(protocol).test_folds(there, dataset="x")
    tests = [drawn(protocol, there, fold=fold).test for fold in folds]
    assert len({name for test in tests for name in test}) == sum(map(len, tests))
    with pytest.raises(SpecError, match=f"x has no fold {max(folds) + 1}; available: "):
        drawn(protocol, there, fold=max(folds) + 1)


@pytest.mark.parametrize("data_seed", [0, 1, 2])
@pytest.mark.parametrize("shots", [1, 8, 64])
def test_few_shots_are_those_of_a_slow_drawing(
    shots: int,
    data_seed: int,
) -> None:
    every = drawn("standard", fold=1)
    chosen: list[str] = []
    for rank in range(7):
        images = [name for name in every.train if RANKS[name] == rank]
        chosen += ordered(images, "x", "shots", str(data_seed), "1")[:shots]
    split = drawn("standard", fold=1, shots=shots, data_seed=data_seed)
    assert split.train == tuple(sorted(chosen))


def test_every_protocol_says_what_it_is() -> None:
    for name in PROTOCOLS:
        assert PROTOCOLS[name].title
        assert "https://" in PROTOCOLS[name].source, name


def test_options_that_a_caption_must_state_have_no_default() -> None:
    for name in OPTIONS:
        said = f"protocol '{name}' needs option .*; {name}: .*=.*"
        with pytest.raises(OrdbenchError, match=said):
            open_protocol(name)
