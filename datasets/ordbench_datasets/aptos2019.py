"""APTOS2019: 3,662 retinal photographs in five grades of diabetic retinopathy.

Source: Asia Pacific Tele-Ophthalmology Society (2019). APTOS 2019 blindness detection. Kaggle.
https://www.kaggle.com/c/aptos2019-blindness-detection
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples
from ordbench.errors import DatasetError
from ordbench_datasets.families.listed import files_below, find_list, read_rows, stem, with_images
from ordbench_datasets.families.retinopathy import GRADES, retinopathy_task

_LIST = "train.csv"


class Aptos2019(Dataset):
    """The labelled photographs, listed in ``train.csv``; those of the hidden test are left out."""

    card: ClassVar[DatasetCard] = DatasetCard(
        title="APTOS2019",
        source="Asia Pacific Tele-Ophthalmology Society (2019). APTOS 2019 blindness detection. "
        "Kaggle. https://www.kaggle.com/c/aptos2019-blindness-detection",
        licence="the rules of the competition, which must be accepted",
        how_to_get="accept the rules at "
        "https://www.kaggle.com/c/aptos2019-blindness-detection and unpack the "
        "training images and train.csv into its folder",
        layout="images named [id_code].png and train.csv, at any depth",
        ranks=f"grades {', '.join(GRADES)}",
    )

    def read(self) -> Samples:
        """List the photographs by id.

        Raises:
            DatasetError: If the list or all photographs are missing, or if it cannot be read.
        """
        files = files_below(self.root)
        rows = labelled(find_list(self, files, _LIST))
        samples, rejected = with_images(self, files, rows, stem)
        return Samples(task=retinopathy_task(), samples=samples, rejected=rejected)


def labelled(path: Path) -> Iterator[Sample]:
    """What the list says of each photograph: a sample without its image.

    Raises:
        DatasetError: If the list cannot be read, or if a grade is not 0 to 4.
    """
    for row in read_rows(path, ("id_code", "diagnosis")):
        grade = row.cells["diagnosis"]
        if grade not in {*"01234"}:
            raise DatasetError(
                f"{row.where}, column diagnosis: wanted a grade of 0 to 4, got {grade!r}; take the "
                "list as it was published"
            )
        yield Sample(row.cells["id_code"], None, int(grade))
