"""FairFace: faces in nine ranges of age, balanced over groups of race, with official parts.

Source: Karkkainen, Joo (2021). FairFace: face attribute dataset for balanced race, gender, and age.
WACV 2021. https://arxiv.org/abs/1908.04913
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Part, Sample, Samples
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench_datasets.families.listed import files_below, find_list, read_rows, tail, with_images

# As the lists write them.
RANGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
# The list of each part; the official validation images test, as there are no others.
LISTS: dict[Part, str] = {"train": "fairface_label_train.csv", "test": "fairface_label_val.csv"}


class FairFace(Dataset):
    """Faces in ``train`` and ``val``, listed in two files; those in ``val`` are the test images."""

    card: ClassVar[DatasetCard] = DatasetCard(
        title="FairFace",
        source="Karkkainen, Joo (2021). FairFace: face attribute dataset for balanced race, "
        "gender, and age. WACV 2021. https://arxiv.org/abs/1908.04913",
        licence="CC BY 4.0",
        how_to_get="download the images (padding 0.25 or 1.25) and both lists by the links of "
        "https://github.com/joojs/fairface and unpack them into its folder",
        layout="train/[number].jpg, val/[number].jpg, fairface_label_train.csv and "
        "fairface_label_val.csv, at any depth",
        ranks="nine ranges of age: " + ", ".join(RANGES),
    )

    def read(self) -> Samples:
        """List the faces by folder and name.

        Raises:
            DatasetError: If a list or all faces are missing, or if a list cannot be read.
        """
        files = files_below(self.root)
        rows: list[Sample] = []
        for part, name in LISTS.items():
            rows += labelled(find_list(self, files, name), part)
        samples, rejected = with_images(self, files, rows, tail(2))
        note = "the official validation images are the test images, as no others have labels"
        return Samples(task=_task(), samples=samples, rejected=rejected, notes=(note,))


def labelled(path: Path, part: Part) -> Iterator[Sample]:
    """What a list says of each face: a sample without its image.

    Raises:
        DatasetError: If the list cannot be read, as after Excel has made dates of ``3-9``.
    """
    for row in read_rows(path, ("file", "age", "gender", "race")):
        age = row.cells["age"]
        if age not in RANGES:
            raise DatasetError(
                f"{row.where}, column age: wanted one of {', '.join(RANGES)}, got {age!r}; take "
                "the list as it was published (Excel makes dates of 3-9 and 10-19)"
            )
        extra = {"gender": row.cells["gender"].lower(), "race": row.cells["race"]}
        yield Sample(row.cells["file"], None, RANGES.index(age), part=part, extra=extra)


def _task() -> Task:
    return Task(
        rank_names=RANGES,
        rank_values=tuple(map(float, range(len(RANGES)))),
        unit="ranks",
        context="age estimation: the age of the person is",
    )
