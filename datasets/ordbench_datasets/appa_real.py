"""APPA-REAL: 7,591 faces with real and apparent ages, with official parts.

Source: Agustsson et al. (2017). Apparent and real age estimation in still images with deep residual
regressors on APPA-REAL database. FG 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from ordbench.dataset import Dataset, DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench_datasets.families.apparent import FOLDERS, apparent
from ordbench_datasets.families.faces import age_task, aged
from ordbench_datasets.families.listed import files_below, find_list, read_rows, tail, with_images

Target = Literal["apparent", "real"]
AGES = range(101)
_FACE = "_face.jpg"
_COLUMNS = ("file_name", "apparent_age_avg", "apparent_age_std", "real_age")


class AppaReal(Dataset):
    """Aligned faces in ``train``, ``valid`` and ``test``; the whole photographs are not read.

    Args:
        root: Folder of the images and lists.
        argument: Nothing.
        target: ``apparent``, the raters' mean to the nearest year, as in the challenge; or
            ``real``, the years lived, as in "A Call to Reflect".
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="APPA-REAL",
        source="Agustsson et al. (2017). Apparent and real age estimation in still images with "
        "deep residual regressors on APPA-REAL database. FG 2017",
        licence="states no licence; offered by ChaLearn Looking at People",
        how_to_get="download the APPA-REAL database from "
        "https://chalearnlap.cvc.uab.cat/dataset/26/description and unpack it into its folder",
        layout="train/, valid/ and test/ with faces named [number].jpg_face.jpg, and "
        "gt_avg_train.csv, gt_avg_valid.csv and gt_avg_test.csv",
        ranks="ages 0 to 100, in years",
    )

    def __init__(self, root: Path, argument: str = "", *, target: Target = "apparent") -> None:
        super().__init__(root, argument)
        self.target: Target = target

    def read(self) -> Samples:
        """List the faces by part and name.

        Raises:
            DatasetError: If a list or all faces are missing, or if a list cannot be read.
        """
        files = files_below(self.root)
        rows: list[Sample | SkippedFile] = []
        for part, folder in FOLDERS.items():
            rows += labelled(find_list(self, files, f"gt_avg_{folder}.csv"), part, self.target)
        faces = [file for file in files if file.name.endswith(_FACE)]
        samples, rejected = with_images(self, faces, rows, tail(2))
        return Samples(task=age_task(AGES), samples=samples, rejected=rejected)


def labelled(path: Path, part: Part, target: Target) -> Iterator[Sample | SkippedFile]:
    """What a list says of each face: a sample without its image, or why not.

    Raises:
        DatasetError: If the list cannot be read.
    """
    for row in read_rows(path, _COLUMNS):
        name = f"{FOLDERS[part]}/{row.cells['file_name']}{_FACE}"
        if target == "apparent":
            mean, stdv = row.number("apparent_age_avg"), row.number("apparent_age_std")
            yield apparent(name, mean, stdv, AGES, part)
        else:
            yield aged(name, row.number("real_age"), AGES, part)
