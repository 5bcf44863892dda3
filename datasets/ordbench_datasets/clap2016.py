"""CLAP2016: 7,591 photographs with apparent ages 1 to 96, of ChaLearn Looking at People 2016.

Source: Escalera et al. (2016). ChaLearn Looking at People and Faces of the World: face analysis
workshop and challenge 2016. CVPR workshops 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench_datasets.families.apparent import FOLDERS, apparent
from ordbench_datasets.families.faces import age_task
from ordbench_datasets.families.listed import files_below, find_list, read_rows, tail, with_images

AGES = range(1, 97)


class Clap2016(Dataset):
    """Photographs in ``train``, ``valid`` and ``test``, listed in ``train_gt.csv`` and so on.

    They are those of APPA-REAL, whole; ``appa-real`` has aligned faces, and real ages as well.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="CLAP2016",
        source="Escalera et al. (2016). ChaLearn Looking at People and Faces of the World: face "
        "analysis workshop and challenge 2016. CVPR workshops 2016",
        licence="given to those who register with ChaLearn Looking at People",
        how_to_get="register at https://chalearnlap.cvc.uab.cat and unpack the images and the "
        "three lists into its folder",
        layout="train/, valid/ and test/ with images, and train_gt.csv, valid_gt.csv and "
        "test_gt.csv with the columns image, mean and stdv",
        ranks="ages 1 to 96, in years",
    )

    def read(self) -> Samples:
        """List the photographs by part and name.

        Raises:
            DatasetError: If a list or all photographs are missing, or if a list cannot be read.
        """
        files = files_below(self.root)
        rows: list[Sample | SkippedFile] = []
        for part, folder in FOLDERS.items():
            rows += labelled(find_list(self, files, f"{folder}_gt.csv"), part)
        samples, rejected = with_images(self, files, rows, tail(2))
        return Samples(task=age_task(AGES), samples=samples, rejected=rejected)


def labelled(path: Path, part: Part) -> Iterator[Sample | SkippedFile]:
    """What a list says of each photograph: a sample without its image, or why not.

    Raises:
        DatasetError: If the list cannot be read.
    """
    for row in read_rows(path, ("image", "mean", "stdv")):
        name = f"{FOLDERS[part]}/{row.cells['image']}"
        yield apparent(name, row.number("mean"), row.number("stdv"), AGES, part)
