"""AADB: photographs of Flickr with mean scores of their aesthetics, 0 to 1, with official parts.

Source: Kong, Shen, Lin, Mech, Fowlkes (2016). Photo aesthetics ranking network with attributes and
content adaptation. ECCV 2016. https://arxiv.org/abs/1606.01621
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Part, Sample, Samples
from ordbench.errors import DatasetError
from ordbench_datasets.families.listed import files_below, find_list, read_words, with_images
from ordbench_datasets.families.ranks import Ranks, in_bins

LISTS: dict[Part, str] = {
    "train": "imgListTrainRegression_score.txt",
    "val": "imgListValidationRegression_score.txt",
    "test": "imgListTestNewRegression_score.txt",
}
# Copies of the test images may have their score before the name: 0.500_farm1_487_....jpg.
_SCORE = re.compile(r"[01]\.\d+_")


def official(path: str) -> str:
    """The name by which the lists know an image.

    >>> official("AADB_newtest/0.500_farm1_487_20167490236_ae920475e2_b.jpg")
    'farm1_487_20167490236_ae920475e2_b.jpg'
    """
    return _SCORE.sub("", path.rpartition("/")[2], count=1)


class Aadb(Dataset):
    """Photographs, listed with their scores in three files; the scores are cut into ranks.

    Args:
        root: Folder of the images and lists.
        argument: Nothing.
        bins: Numbers from lowest to highest, separated by ``;``, at which the scores are cut.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="AADB",
        source="Kong, Shen, Lin, Mech, Fowlkes (2016). Photo aesthetics ranking network with "
        "attributes and content adaptation. ECCV 2016. https://arxiv.org/abs/1606.01621",
        licence="research only",
        how_to_get="download datasetImages_warp256.zip (or the original sizes) and "
        "imgListFiles_label.zip by the links of "
        "https://github.com/aimerykong/deepImageAestheticsAnalysis and unpack them into "
        "its folder",
        layout=f"images named as in the lists, and {', '.join(LISTS.values())} of "
        "imgListFiles_label (lines of a name and a score of 0 to 1), at any depth",
        ranks="bins of the mean score, 0 (lowest) to 1 (highest)",
    )

    def __init__(self, root: Path, argument: str = "", *, bins: str = "0.2;0.4;0.6;0.8") -> None:
        super().__init__(root, argument)
        self.ranks = in_bins(bins)

    def read(self) -> Samples:
        """List the photographs by name.

        Raises:
            DatasetError: If a list or all photographs are missing, or if a list cannot be read.
        """
        files = files_below(self.root)
        rows: list[Sample] = []
        for part, name in LISTS.items():
            rows += labelled(find_list(self, files, name), part, self.ranks)
        samples, rejected = with_images(self, files, rows, official)
        task = self.ranks.task("", "the aesthetic score of the photo, from 0 to 1, is")
        return Samples(task=task, samples=samples, rejected=rejected, notes=(self.ranks.note(),))


def labelled(path: Path, part: Part, ranks: Ranks) -> Iterator[Sample]:
    """What a list says of each photograph: a sample without its image.

    Raises:
        DatasetError: If the list cannot be read, or if a score is not in 0..1.
    """
    for row in read_words(path, ("image", "score")):
        score = row.number("score")
        if not 0 <= score <= 1:
            raise DatasetError(f"{row.where}: wanted a score of 0 to 1, got {score:g}")
        name = official(row.cells["image"])
        yield Sample(name, None, ranks.rank(str(score)), part=part, extra={"mean": score})
