"""Identical pictures stay on one side of a split."""

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ordbench.dataset import Part, Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.splits.draw import draw
from ordbench.splits.pictures import join_identical
from ordbench.splits.split import Split
from ordbench.task import Task

K = 3
TASK = Task(rank_names=("a", "b", "c"), rank_values=(0, 1, 2), unit="ranks", context="it is")


def sample(n: int, group: str | None = None, part: Part | None = None, rank: int = -1) -> Sample:
    name = f"{n:03}.png"
    return Sample(name, Path(name), n % K if rank < 0 else rank, group=group, part=part)


def drawn(listing: Samples, shots: int | None = None) -> Split:
    return draw(listing, dataset="x", protocol="standard", fold=0, shots=shots, data_seed=0)


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.none() | st.integers(0, 12)), min_size=90, max_size=90
    ),
    st.sampled_from([None, 1, 4]),
)
def test_no_picture_and_no_person_is_on_two_sides(
    images: list[tuple[int, int | None]], shots: int | None
) -> None:
    people = [None if person is None else f"p{person}" for _, person in images]
    samples = tuple(sample(n, person) for n, person in enumerate(people))
    pixels = [f"pixels {picture}" for picture, _ in images]
    try:
        split = drawn(join_identical(Samples(task=TASK, samples=samples), pixels), shots)
    except (DatasetError, SpecError):  # nearly all are joined, so that nothing is left for a part
        assume(False)
        raise
    part_of = {name: part for part in ("train", "val", "test") for name in getattr(split, part)}
    seen: dict[str, set[str]] = {}
    for one, picture in zip(samples, pixels, strict=True):
        if one.name in part_of:
            for known in {picture, one.group} - {None}:
                seen.setdefault(str(known), set()).add(part_of[one.name])
    assert all(len(parts) == 1 for parts in seen.values())


def test_the_order_of_the_samples_does_not_matter() -> None:
    samples = [sample(n, f"p{n}" if n % 5 else None) for n in range(90)]
    pixels = {one.name: f"pixels {n // 2}" for n, one in enumerate(samples)}

    def joined(ordered: list[Sample]) -> Samples:
        listing = Samples(task=TASK, samples=tuple(ordered))
        return join_identical(listing, [pixels[one.name] for one in ordered])

    assert drawn(joined(samples[::-1])) == drawn(joined(samples))


def test_samples_of_unique_pictures_are_left_as_they_are() -> None:
    listing = Samples(task=TASK, samples=tuple(sample(n, "p" if n < 2 else None) for n in range(5)))
    assert join_identical(listing, list("abcde")) is listing


def test_people_of_one_picture_become_one_and_others_stay() -> None:
    people = ["p", "q", "r", "p", None]
    samples = tuple(sample(n, person) for n, person in enumerate(people))
    joined = join_identical(Samples(task=TASK, samples=samples), ["a", "a", "b", "c", "d"])
    groups = [one.group for one in joined.samples]
    assert groups[0] == groups[1] == groups[3] == "picture 000.png, also in 001.png"
    assert groups[2:] == ["r", groups[0], None]


def test_a_picture_in_two_official_parts_is_refused_by_name() -> None:
    parts: list[Part] = ["train", "train", "train", "test", "test", "val"]
    samples = tuple(sample(n, part=part) for n, part in enumerate(parts))
    joined = join_identical(Samples(task=TASK, samples=samples), ["a", "b", "c", "a", "d", "e"])
    with pytest.raises(DatasetError, match=r"picture 000.png, also in 003.png.*--allow-leak"):
        drawn(joined)


def test_two_labels_of_one_picture_are_named() -> None:
    samples = (sample(0, rank=0), sample(1, rank=2), sample(2, rank=1))
    joined = join_identical(Samples(task=TASK, samples=samples), ["a", "a", "b"])
    assert joined.notes == (
        "identical pictures: 2 files show 1; each stays on one side",
        "identical pictures with two labels: 1, first 000.png and 001.png",
    )
