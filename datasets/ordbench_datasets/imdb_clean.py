"""IMDB-Clean: faces of IMDB-WIKI with cleaned ages, with official parts.

Source: Lin, Shen, Wang, Pantic (2021). FP-Age: leveraging face parsing attention for facial age
estimation in the wild. https://arxiv.org/abs/2106.11145
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench_datasets.families.apparent import FOLDERS
from ordbench_datasets.families.faces import age_task, aged
from ordbench_datasets.families.listed import files_below, find_list, read_rows, tail, with_images

AGES = range(117)
GENDERS = {"M": "male", "F": "female"}
_PERSON = re.compile(r"nm(\d+)_rm")


class ImdbClean(Dataset):
    """Faces, listed in ``imdb_train_new_1024.csv`` and so on; a group is a person of IMDb.

    The lists of the crops (``_1024``) and of the whole photographs have the same names and ages.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="IMDB-Clean",
        source="Lin, Shen, Wang, Pantic (2021). FP-Age: leveraging face parsing attention for "
        "facial age estimation in the wild. https://arxiv.org/abs/2106.11145",
        licence="the lists: MIT; the images are those of IMDB-WIKI, for academic research only",
        how_to_get="run run_all.sh of https://github.com/yiminglin-ai/imdb-clean and put its "
        "folders data/imdb-clean-1024 and csvs into its folder",
        layout="[00-99]/nm[person]_rm[photograph]_[dates].jpg and imdb_train_new_1024.csv, "
        "imdb_valid_new_1024.csv and imdb_test_new_1024.csv (or without _1024), at any depth",
        ranks="ages 0 to 116, in years",
        grouped=True,
    )

    def read(self) -> Samples:
        """List the faces by name.

        Raises:
            DatasetError: If a list or all faces are missing, or if a list cannot be read.
        """
        files = files_below(self.root)
        rows: list[Sample | SkippedFile] = []
        for part, folder in FOLDERS.items():
            names = (f"imdb_{folder}_new_1024.csv", f"imdb_{folder}_new.csv")
            rows += labelled(find_list(self, files, *names), part)
        samples, rejected = with_images(self, files, rows, tail(2))
        leaky = _parts_share_people(samples)
        return Samples(task=age_task(AGES), samples=samples, rejected=rejected, leaky=leaky)


def labelled(path: Path, part: Part) -> Iterator[Sample | SkippedFile]:
    """What a list says of each face: a sample without its image, or why not.

    Raises:
        DatasetError: If the list cannot be read.
    """
    for row in read_rows(path, ("filename", "age", "gender")):
        name, gender = row.cells["filename"], row.cells["gender"]
        sample = aged(name, row.number("age"), AGES, part)
        person = _PERSON.search(name)
        if isinstance(sample, SkippedFile):
            yield sample
        elif person is None:
            yield SkippedFile(name, "names no person as nm[digits]_rm")
        else:
            extra = {"gender": GENDERS[gender]} if gender in GENDERS else {}
            yield sample._replace(group=person[1], extra=extra)


def _parts_share_people(samples: Sequence[Sample]) -> bool:
    """Whether somebody is in two parts, as in the published training and validation lists."""
    return len({(s.group, s.part) for s in samples}) > len({s.group for s in samples})
