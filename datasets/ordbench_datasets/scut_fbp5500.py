"""SCUT-FBP5500: 5,500 faces with mean grades of beauty, 1 to 5, with five official folds.

Source: Liang, Lin, Jin, Xie, Li (2018). SCUT-FBP5500: a diverse benchmark dataset for
multi-paradigm facial beauty prediction. ICPR 2018. https://arxiv.org/abs/1801.06345
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench_datasets.families.listed import (
    files_below,
    find_list,
    read_words,
    tail,
    with_images,
)

FOLDS = 5
GRADES = (1, 2, 3, 4, 5)
RACES = {"A": "Asian", "C": "Caucasian"}
GENDERS = {"M": "male", "F": "female"}


class ScutFbp5500(Dataset):
    """Faces, listed with their mean grade in ``test_1.txt`` to ``test_5.txt``; it is rounded.

    Fold N tests what ``test_(N+1).txt`` lists. The mean itself is the extra value ``mean``.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="SCUT-FBP5500",
        source="Liang, Lin, Jin, Xie, Li (2018). SCUT-FBP5500: a diverse benchmark dataset for "
        "multi-paradigm facial beauty prediction. ICPR 2018. https://arxiv.org/abs/1801.06345",
        licence="non-commercial research only",
        how_to_get="download SCUT-FBP5500_v2 by the links of "
        "https://github.com/HCIILAB/SCUT-FBP5500-Database-Release and unpack it into its folder",
        layout="Images/AF1.jpg, and test_1.txt to test_5.txt of "
        "train_test_files/5_folders_cross_validations_files, at any depth",
        ranks="grades of beauty 1 (lowest) to 5 (highest)",
        folds=FOLDS,
    )

    def read(self) -> Samples:
        """List the faces by name.

        Raises:
            DatasetError: If a list or all faces are missing, or if a list cannot be read.
        """
        files = files_below(self.root)
        lists = [find_list(self, files, f"test_{fold + 1}.txt") for fold in range(FOLDS)]
        samples, rejected = with_images(self, files, labelled(lists), tail(1))
        return Samples(task=_task(), samples=samples, rejected=rejected)


def labelled(lists: Sequence[Path]) -> Iterator[Sample]:
    """What the lists say of each face, fold by fold: a sample without its image.

    Raises:
        DatasetError: If a list cannot be read, or if a grade is not in 1..5.
    """
    for fold, path in enumerate(lists):
        for row in read_words(path, ("image", "grade")):
            mean = row.number("grade")
            if not GRADES[0] <= mean <= GRADES[-1]:
                raise DatasetError(f"{row.where}: wanted a grade of 1 to 5, got {mean:g}")
            name, rank = row.cells["image"], GRADES.index(round(mean))
            yield Sample(name, None, rank, fold=fold, extra={"mean": mean, **_shown(name)})


def _shown(name: str) -> dict[str, str]:
    """Gender and race by the first two letters of a name.

    >>> _shown("CM148.jpg")
    {'gender': 'male', 'race': 'Caucasian'}
    """
    race, gender = RACES.get(name[:1]), GENDERS.get(name[1:2])
    return {"gender": gender, "race": race} if race and gender else {}


def _task() -> Task:
    return Task(
        rank_names=tuple(map(str, GRADES)),
        rank_values=tuple(map(float, GRADES)),
        unit="grades",
        context="the beauty of the face, from 1 to 5, is",
    )
