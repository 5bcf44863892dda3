"""BUS-BRA: breast ultrasound images in BI-RADS categories 2 to 5, with official folds.

Source: Gomez-Flores, Gregorio-Calas, Coelho de Albuquerque Pereira (2024). BUS-BRA: a breast
ultrasound dataset for assessing computer-aided diagnosis systems. Medical Physics.
https://doi.org/10.1002/mp.16812
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench_datasets.families.listed import files_below, find_list, read_rows, stem, with_images

Folds = Literal["5", "10"]
CATEGORIES = ("2", "3", "4", "5")
_LIST = "bus_data.csv"


class BusBra(Dataset):
    """Images, listed in ``bus_data.csv``; a group is a case, of which there are up to two views.

    Args:
        root: Folder of the images and lists.
        argument: Nothing.
        folds: Which of the official divisions is used.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="BUS-BRA",
        source="Gomez-Flores, Gregorio-Calas, Coelho de Albuquerque Pereira (2024). BUS-BRA: a "
        "breast ultrasound dataset for assessing computer-aided diagnosis systems. Medical "
        "Physics. https://doi.org/10.1002/mp.16812",
        licence="academic and research purposes, as stated at "
        "https://doi.org/10.5281/zenodo.8231412",
        how_to_get="download BUSBRA.zip of https://doi.org/10.5281/zenodo.8231412 and unpack it "
        "into its folder",
        layout=f"Images/bus_[case]-[side].png, {_LIST} (columns ID, Case and BIRADS) and "
        "5-fold-cv.csv or 10-fold-cv.csv (columns ID and kFold), at any depth",
        ranks="BI-RADS categories 2 to 5",
        folds=5,
        grouped=True,
    )

    def __init__(self, root: Path, argument: str = "", *, folds: Folds = "5") -> None:
        super().__init__(root, argument)
        self.folds: Folds = folds

    def read(self) -> Samples:
        """List the images by id; the masks are not read.

        Raises:
            DatasetError: If a list or all images are missing, or if a list cannot be read.
        """
        files = files_below(self.root)
        fold_of = _folds(find_list(self, files, f"{self.folds}-fold-cv.csv"), int(self.folds))
        rows = labelled(find_list(self, files, _LIST), fold_of)
        images = [file for file in files if not stem(file.name).startswith("mask_")]
        samples, rejected = with_images(self, images, rows, stem)
        return Samples(task=_task(), samples=samples, rejected=rejected)


def labelled(path: Path, fold_of: dict[str, int]) -> Iterator[Sample | SkippedFile]:
    """What the list says of each image: a sample without its image, or why not.

    Raises:
        DatasetError: If the list cannot be read, or if a category is not 2 to 5.
    """
    for row in read_rows(path, ("ID", "Case", "BIRADS")):
        name, case, category = stem(row.cells["ID"]), row.cells["Case"], row.cells["BIRADS"]
        if category not in CATEGORIES:
            raise DatasetError(
                f"{row.where}, column BIRADS: wanted a category of 2 to 5, got {category!r}; take "
                "the list as it was published"
            )
        if not case:
            yield SkippedFile(name, "of no case")
        elif name in fold_of:
            yield Sample(name, None, CATEGORIES.index(category), case, fold_of[name])
        else:
            yield SkippedFile(name, "in no official fold")


def _folds(path: Path, count: int) -> dict[str, int]:
    folds: dict[str, int] = {}
    for row in read_rows(path, ("ID", "kFold")):
        fold = row.number("kFold")
        if fold not in range(1, count + 1):
            raise DatasetError(
                f"{row.where}, column kFold: wanted a fold of 1 to {count}, got {fold:g}; take the "
                "list as it was published"
            )
        name = stem(row.cells["ID"])
        if folds.setdefault(name, int(fold) - 1) != fold - 1:
            raise DatasetError(
                f"{row.where}: {name} is in another fold, too; take the list as it was published"
            )
    return folds


def _task() -> Task:
    return Task(
        rank_names=CATEGORIES,
        rank_values=tuple(map(float, range(len(CATEGORIES)))),
        unit="ranks",
        context="the BI-RADS category of the breast ultrasound image is",
    )
