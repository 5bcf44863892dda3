"""Adience: faces from 168 Flickr albums in eight ranges of age, with five official folds.

Source: Eidinger, Enbar, Hassner (2014). Age and gender estimation of unfiltered faces. IEEE
Transactions on Information Forensics and Security 9(12). https://doi.org/10.1109/TIFS.2014.2359646
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples, SkippedFile
from ordbench.task import Task
from ordbench_datasets.families.listed import (
    files_below,
    find_list,
    read_rows,
    tail,
    with_images,
)

FOLDS = 5
# The range as the lists write it, and as the literature does.
RANGES = {
    "(0, 2)": "0-2",
    "(4, 6)": "4-6",
    "(8, 12)": "8-13",
    "(15, 20)": "15-20",
    "(25, 32)": "25-32",
    "(38, 43)": "38-43",
    "(48, 53)": "48-53",
    "(60, 100)": "60+",
}
_ORDER = tuple(RANGES)
GENDERS = {"m": "male", "f": "female"}
_COLUMNS = ("user_id", "original_image", "face_id", "age", "gender")


class Adience(Dataset):
    """Aligned faces, listed in ``fold_0_data.txt`` to ``fold_4_data.txt``; a group is an album.

    Only rows whose age is one of the eight ranges are used, as in the lists that POE and Ord2Seq
    use (17,424 of 19,487 rows); they show 17,321 faces, as some are listed twice.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="Adience",
        source="Eidinger, Enbar, Hassner (2014). Age and gender estimation of unfiltered faces. "
        "IEEE Transactions on Information Forensics and Security 9(12). "
        "https://doi.org/10.1109/TIFS.2014.2359646",
        licence="given to those who fill in the form of the Open University of Israel",
        how_to_get="fill in the form on the Adience page of the Open University of Israel and "
        "unpack aligned.tar.gz and put the five lists into its folder",
        layout="[user_id]/landmark_aligned_face.[face_id].[original_image] and "
        "fold_0_data.txt to fold_4_data.txt, at any depth",
        ranks="eight ranges of age: " + ", ".join(RANGES.values()),
        folds=FOLDS,
        grouped=True,
    )

    def read(self) -> Samples:
        """List the faces that have a range, by album and file.

        Raises:
            DatasetError: If a list or all faces are missing, or if a list cannot be read.
        """
        files = files_below(self.root)
        lists = [find_list(self, files, f"fold_{fold}_data.txt") for fold in range(FOLDS)]
        samples, rejected = with_images(self, files, labelled(lists), tail(2))
        return Samples(task=_task(), samples=samples, rejected=rejected)


def labelled(lists: Sequence[Path]) -> Iterator[Sample | SkippedFile]:
    """What the lists say of each row, fold by fold: a sample without its image, or why not.

    Raises:
        DatasetError: If a list cannot be read.
    """
    for fold, path in enumerate(lists):
        for row in read_rows(path, _COLUMNS, "\t"):
            user, image, face, age, gender = (row.cells[column] for column in _COLUMNS)
            extra = {"gender": GENDERS[gender]} if gender in GENDERS else {}
            name = f"{user}/landmark_aligned_face.{face}.{image}"
            if age in RANGES:
                yield Sample(name, None, _ORDER.index(age), user, fold, extra=extra)
            else:
                yield SkippedFile(name, f"age {age!r} is none of the eight ranges")


def _task() -> Task:
    return Task(
        rank_names=tuple(RANGES.values()),
        rank_values=tuple(map(float, range(len(RANGES)))),
        unit="ranks",
        context="age estimation: the age of the person is",
    )
