"""What the face-age datasets share: ages as ranks, and reading labels out of file names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from ordbench.data.folders import image_folder
from ordbench.dataset import Dataset, Part, Sample, SkippedFile, downloadable
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench.utils.text import counted
from ordbench_datasets.families.paths import read_paths


class Face(NamedTuple):
    """What a file name says.

    Attributes:
        name: The official name of the image, whatever folder or spelling it has here.
        age: In years.
        group: The person, where persons are known.
        fold: Official fold, where there is one.
        extra: What else the name says of the person, by name.
    """

    name: str
    age: int
    group: str | None = None
    fold: int | None = None
    extra: Mapping[str, str] = {}


def age_task(ages: range) -> Task:
    """Ages in years as ranks, with OrdinalCLIP's context sentence.

    >>> age_task(range(16, 78)).num_ranks
    62
    """
    return Task(
        rank_names=tuple(str(age) for age in ages),
        rank_values=tuple(float(age) for age in ages),
        unit="years",
        context="age estimation: the age of the person is",
    )


def read_faces(
    folder: Path, parse: Callable[[str], Face | str], ages: range, *, depth: int = 1
) -> tuple[list[Sample], list[SkippedFile]]:
    """List the faces below ``folder`` by their official names, and what is odd there.

    Args:
        folder: Searched to any depth; it may be a zip archive, or lie inside one.
        parse: From a file's name to what it says, or to the reason why it says nothing.
        ages: The ages that are ranks, each one rank.
        depth: How many of the last names of a path ``parse`` is given: 1 for the file's alone.
    """

    def sample(path: str) -> Sample | str:
        face = parse("/".join(path.split("/")[-depth:]))
        if isinstance(face, str):
            return face
        if face.age not in ages:
            return f"age {face.age} is not in {ages[0]}..{ages[-1]}"
        rank = ages.index(face.age)
        return Sample(face.name, None, rank, face.group, face.fold, extra=face.extra)

    found = image_folder(folder)
    return read_paths(found.files() if found else (), sample)


def aged(name: str, age: float, ages: range, part: Part | None = None) -> Sample | SkippedFile:
    """A listed image without its bytes: the rank is the nearest year, of halves the even one.

    >>> aged("a.jpg", 20.5, range(101)).rank
    20
    >>> aged("a.jpg", 2014, range(117))
    SkippedFile(name='a.jpg', reason='age 2014 is not in 0..116')
    """
    if round(age) not in ages:
        return SkippedFile(name, f"age {age:g} is not in {ages[0]}..{ages[-1]}")
    return Sample(name, None, ages.index(round(age)), part=part)


def not_found(dataset: Dataset, rejected: list[SkippedFile]) -> DatasetError:
    """The one line for a dataset of which nothing is there."""
    card = dataset.card
    if not dataset.root.is_dir():
        got = "there is no such folder"
    elif rejected:
        first = rejected[0]
        got = f"got {counted(len(rejected), 'other file')}, first {first.name!r} ({first.reason})"
    else:
        got = "it is empty"
    by_program = "add --download, or " if downloadable(type(dataset)) else ""
    return DatasetError(
        f"{card.title} not found in {dataset.root}: {got}; wanted {card.layout}; "
        f"{by_program}{card.how_to_get}; --dataset drawn-faces needs nothing"
    )
