"""CLAP2015: 4,691 photographs with apparent ages 3 to 85, of ChaLearn Looking at People 2015.

Source: Escalera et al. (2015). ChaLearn Looking at People 2015: apparent age and cultural event
recognition datasets and results. ICCV workshops 2015.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples, SkippedFile
from ordbench_datasets.families.apparent import apparent
from ordbench_datasets.families.faces import age_task
from ordbench_datasets.families.listed import (
    files_below,
    find_list,
    read_rows,
    stated_part,
    tail,
    with_images,
)

AGES = range(3, 86)
_LIST = "total_2015.csv"


class Clap2015(Dataset):
    """Photographs, listed with raters' deviation and official part in ``total_2015.csv``.

    That list is the one that L2RCLIP publishes; the challenge's own lists are not read.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="CLAP2015",
        source="Escalera et al. (2015). ChaLearn Looking at People 2015: apparent age and cultural "
        "event recognition datasets and results. ICCV workshops 2015",
        licence="given to those who register with ChaLearn Looking at People",
        how_to_get="register at https://chalearnlap.cvc.uab.cat, unpack the images into its "
        "folder, and put total_2015.csv of datalist/clap2015 of "
        "https://github.com/raywang335/L2RCLIP beside them",
        layout=f"images named image_[number].jpg and {_LIST}, at any depth",
        ranks="ages 3 to 85, in years",
    )

    def read(self) -> Samples:
        """List the photographs by name.

        Raises:
            DatasetError: If the list or all photographs are missing, or if it cannot be read.
        """
        files = files_below(self.root)
        rows = labelled(find_list(self, files, _LIST))
        samples, rejected = with_images(self, files, rows, tail(1))
        return Samples(task=age_task(AGES), samples=samples, rejected=rejected)


def labelled(path: Path) -> Iterator[Sample | SkippedFile]:
    """What the list says of each photograph: a sample without its image, or why not.

    Raises:
        DatasetError: If the list cannot be read.
    """
    for row in read_rows(path, ("filename", "age", "stdv", "database")):
        part = stated_part(row, "database")
        name = row.cells["filename"]
        yield apparent(name, row.number("age"), row.number("stdv"), AGES, part)
