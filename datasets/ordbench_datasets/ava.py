"""AVA: photographs of DPChallenge with counts of ratings 1 to 10, with an official test list.

Source: Murray, Marchesotti, Perronnin (2012). AVA: a large-scale database for aesthetic visual
analysis. CVPR 2012. https://doi.org/10.1109/CVPR.2012.6247954
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import ClassVar, Literal

from ordbench.data.image_files import FoundImage
from ordbench.dataset import Dataset, DatasetCard, Sample, Samples
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench.utils.text import counted
from ordbench_datasets.families.listed import (
    Row,
    files_below,
    find_list,
    read_words,
    stem,
    with_images,
)

Category = Literal[
    "all",
    "animal",
    "architecture",
    "cityscape",
    "floral",
    "fooddrink",
    "landscape",
    "portrait",
    "stilllife",
]
Label = Literal["mean", "median"]
RATINGS = range(1, 11)
_LIST = "AVA.txt"
_COUNTS = tuple(f"ratings of {rating}" for rating in RATINGS)
_COLUMNS = ("index", "image ID", *_COUNTS, "tag 1", "tag 2", "challenge ID")


class Ava(Dataset):
    """Photographs named by their id, with the mean and the deviation of their ratings.

    Args:
        root: Folder of the images and lists.
        argument: Nothing.
        category: ``all``, of which ``generic_test.jpgl`` are tested and all others train, as is
            usual; or one of the eight that have a training and a test list of their own.
        label: The rounded ``mean`` of the ratings, of halves the even one; or their ``median``,
            of two the lower one.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="AVA",
        source="Murray, Marchesotti, Perronnin (2012). AVA: a large-scale database for aesthetic "
        "visual analysis. CVPR 2012. https://doi.org/10.1109/CVPR.2012.6247954",
        licence="the lists state none; rights to the images are with the photographers and "
        "DPChallenge",
        how_to_get="download the images and the lists by the links of "
        "https://github.com/imfing/ava_downloader and unpack them into its folder",
        layout="images named [id].jpg, AVA.txt and generic_test.jpgl (of "
        "aesthetics_image_lists), at any depth",
        ranks="mean ratings 1 (lowest) to 10 (highest)",
    )

    def __init__(
        self,
        root: Path,
        argument: str = "",
        *,
        category: Category = "all",
        label: Label = "mean",
    ) -> None:
        super().__init__(root, argument)
        self.category: Category = category
        self.label: Label = label

    def read(self) -> Samples:
        """List the photographs by id.

        Raises:
            DatasetError: If a list or all photographs are missing, or if a list cannot be read.
        """
        files = files_below(self.root)
        rows = labelled(find_list(self, files, _LIST), self.label)
        train, test = self._lists(files)
        every, rejected = with_images(self, files, rows, stem)
        chosen = [s for s in every if s.name in test or train is None or s.name in train]
        if not chosen:
            raise DatasetError(f"{self.root} holds no photograph of category {self.category}")
        samples = tuple(s._replace(part="test" if s.name in test else "train") for s in chosen)
        notes: list[str] = []
        if others := len(every) - len(samples):
            notes.append(f"{counted(others, 'photograph')} of other categories left out")
        if both := len(test & (train or set())):
            notes.append(f"{both} of the training list are in the test list, too, and only tested")
        return Samples(task=_task(), samples=samples, rejected=rejected, notes=tuple(notes))

    def _lists(self, files: list[FoundImage]) -> tuple[set[str] | None, set[str]]:
        """The ids that train, None for all others, and those that are tested."""
        if self.category == "all":
            return None, _ids(find_list(self, files, "generic_test.jpgl"))
        parts = ("train", "test")
        train, test = (find_list(self, files, f"{self.category}_{part}.jpgl") for part in parts)
        return _ids(train), _ids(test)


def labelled(path: Path, label: Label) -> Iterator[Sample]:
    """What the list says of each photograph: a sample without its image.

    Raises:
        DatasetError: If the list cannot be read, or if a photograph has no ratings.
    """
    for row in read_words(path, _COLUMNS):
        counts = _counts(row)
        total = sum(counts)
        mean = sum(r * count for r, count in zip(RATINGS, counts, strict=True)) / total
        squares = ((r - mean) ** 2 * count for r, count in zip(RATINGS, counts, strict=True))
        below = (2 * count < total for count in accumulate(counts))
        rank = RATINGS.index(round(mean)) if label == "mean" else sum(below)
        extra = {"mean": mean, "stdv": (sum(squares) / total) ** 0.5}
        yield Sample(row.cells["image ID"], None, rank, extra=extra)


def _counts(row: Row) -> list[int]:
    cells = [row.cells[column] for column in _COUNTS]
    counts = [int(cell) if cell.isdecimal() and len(cell) < 10 else -1 for cell in cells]
    if min(counts) < 0 or not any(counts):
        raise DatasetError(
            f"{row.where}: wanted the counts of the ratings 1 to 10 in columns 3 to 12, got "
            f"{' '.join(cells)}; take the list as it was published"
        )
    return counts


def _ids(path: Path) -> set[str]:
    return {row.cells["image ID"] for row in read_words(path, ("image ID",))}


def _task() -> Task:
    return Task(
        rank_names=tuple(map(str, RATINGS)),
        rank_values=tuple(map(float, RATINGS)),
        unit="ratings",
        context="the aesthetic rating of the photo, from 1 to 10, is",
    )
