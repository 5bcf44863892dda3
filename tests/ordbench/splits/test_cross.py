"""One dataset trains, another one is tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ordbench.dataset import OfficialSplit, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError, SpecError
from ordbench.splits.cross import with_test_dataset
from ordbench.splits.draw import draw
from ordbench.splits.split import Split
from ordbench.task import Task


def ages(values: Sequence[float], unit: str = "years") -> Task:
    names = tuple(f"{value:g}" for value in values)
    return Task(rank_names=names, rank_values=tuple(values), unit=unit, context="it is")


def sample(name: str, rank: int, group: str | None = None, part: Part | None = None) -> Sample:
    return Sample(name, Path(name), rank, group, part=part)


TRAIN = Samples(
    task=ages([10, 20, 30]), samples=tuple(sample(f"{n:02}.png", n % 3) for n in range(48))
)
TEST = Samples(
    task=ages([5, 20, 30, 40]),
    samples=tuple(sample(f"{n:02}.png", n % 4) for n in range(12)),
    rejected=(SkippedFile("x.png", "empty file"),),
    notes=("12 pictures",),
)


def joined(train: Samples = TRAIN, test: Samples = TEST, names: str = "here there") -> Samples:
    train_name, test_name = names.split()
    return with_test_dataset(train, test, train_name=train_name, test_name=test_name)


def drawn(listing: Samples, **changes: object) -> Split:
    asked = {"protocol": "standard", "fold": 0, "shots": None, "data_seed": 0, **changes}
    return draw(listing, dataset="here", **asked)  # type: ignore[arg-type]


def test_ranks_meet_by_value_and_the_others_are_left_out_and_counted() -> None:
    listing = joined()
    split = drawn(listing)
    assert listing.task == TRAIN.task
    rank_of = {s.name: listing.task.rank_values[s.rank] for s in listing.samples}
    assert {name: rank_of[name] for name in split.test} == {
        f"there:{n:02}.png": value
        for n in range(12)
        if (value := [5, 20, 30, 40][n % 4]) in (20, 30)
    }
    assert listing.notes == (
        "there: 12 pictures",
        "tested on 6 of 12 samples of there; 6 have a rank that here does not have",
    )
    assert listing.rejected == (("there:x.png", "empty file"),)


def test_all_images_of_the_one_train_or_validate_and_none_of_the_other() -> None:
    for shots in (None, 2):
        split = drawn(joined(), shots=shots)
        assert not any(name.startswith("there:") for name in (*split.train, *split.val))
        assert all(name.startswith("there:") for name in split.test)
    whole = drawn(joined())
    assert {*whole.train, *whole.val} == {s.name for s in TRAIN.samples}
    with pytest.raises(SpecError, match="here has no fold 1; available: 0"):
        drawn(joined(), fold=1)


def test_the_official_test_part_of_the_one_is_left_out_and_parts_of_the_other_do_not_count() -> (
    None
):
    parts: tuple[Part, ...] = ("train", "train", "val", "test")
    here = replace(
        TRAIN,
        samples=tuple(s._replace(part=parts[n % 4]) for n, s in enumerate(TRAIN.samples)),
    )
    there = replace(TEST, samples=tuple(s._replace(part="train", fold=3) for s in TEST.samples))
    split = drawn(joined(here, there))
    assert split.val == tuple(f"{n:02}.png" for n in range(48) if n % 4 == 2)
    assert split.train == tuple(f"{n:02}.png" for n in range(48) if n % 4 < 2)
    assert len(split.test) == 6


def test_official_draws_train_as_they_say_and_test_on_the_other() -> None:
    names = [s.name for s in TRAIN.samples]
    draws = (
        OfficialSplit(tuple(names[:30]), tuple(names[30:])),
        OfficialSplit(tuple(names[10:40]), tuple(names[:10]), tuple(names[40:])),
    )
    split = drawn(joined(replace(TRAIN, draws=draws)), fold=1)
    assert (split.train, split.val) == (tuple(names[10:40]), tuple(names[40:]))
    assert len(split.test) == 6
    assert all(name.startswith("there:") for name in split.test)


def test_people_of_two_datasets_are_others_unless_the_datasets_have_one_name() -> None:
    here = replace(TRAIN, samples=tuple(s._replace(group=s.name[:1]) for s in TRAIN.samples))
    there = replace(TEST, samples=tuple(s._replace(group="0") for s in TEST.samples))
    assert drawn(joined(here, there)).leaks == 0
    with pytest.raises(DatasetError, match="group '0' is in two parts"):
        drawn(joined(here, there, "csv csv"))


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (ages([10, 20], "months"), "in months, those of here in years; give .* as by unit=years$"),
        (ages([1, 2]), "there: no sample has a rank that here has"),
    ],
)
def test_ranks_that_cannot_meet_are_refused(task: Task, said: str) -> None:
    test = Samples(task=task, samples=(sample("a.png", 0), sample("b.png", 1)))
    with pytest.raises(DatasetError, match=said):
        joined(test=test)


def test_ranks_known_by_order_only_must_have_the_same_names() -> None:
    words = Task(rank_names=("mild", "bad"), rank_values=(0, 1), unit="ranks", context="it is")
    here = Samples(task=words, samples=tuple(sample(f"{n}.png", n % 2) for n in range(20)))
    assert len(drawn(joined(here, here, "folder folder")).test) == 20
    others = replace(here, task=replace(words, rank_names=("low", "high")))
    with pytest.raises(DatasetError, match="known by their order only, and are not those of here"):
        joined(here, others)


def test_features_stand_beside_their_samples() -> None:
    def given(listing: Samples, start: int) -> Samples:
        rows = start + np.arange(2 * len(listing.samples), dtype=np.float32).reshape(-1, 2)
        samples = tuple(s._replace(image=None) for s in listing.samples)
        return replace(listing, samples=samples, features=rows)

    here, there = given(TRAIN, 0), given(TEST, 1000)
    listing = joined(here, there)
    assert listing.features is not None
    for one, row in zip(listing.samples, listing.features, strict=True):
        start, number = (1000, one.name[6:8]) if one.part == "test" else (0, one.name[:2])
        assert row.tolist() == [start + 2 * int(number), start + 2 * int(number) + 1]
    with pytest.raises(DatasetError, match="one dataset has images, the other features"):
        joined(here, TEST)
    assert there.features is not None
    with pytest.raises(DatasetError, match="it has 1 features a sample, and 2 are trained on"):
        joined(here, replace(there, features=there.features[:, :1]))


def test_features_meet_by_name_where_they_have_names() -> None:
    def given(listing: Samples, *names: str) -> Samples:
        rows = np.ones((len(listing.samples), 2), dtype=np.float32)
        return replace(listing, features=rows, feature_names=names)

    for names in (("x", "y"), ()):
        assert joined(given(TRAIN, "x", "y"), given(TEST, *names)).features is not None
    said = "there: its feature 1 is 'y', and 'x' is trained on; give both the same columns"
    with pytest.raises(DatasetError, match=said):
        joined(given(TRAIN, "x", "y"), given(TEST, "y", "x"))
