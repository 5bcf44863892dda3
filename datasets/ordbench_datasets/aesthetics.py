"""Image aesthetics: photographs of Flickr in four categories with grades of beauty, 1 to 5.

Source: Schifanella, Redi, Aiello (2015). An image is worth more than a thousand favorites:
surfacing the hidden beauty of Flickr pictures. ICWSM 2015.
https://doi.org/10.1609/icwsm.v9i1.14612
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from typing import ClassVar, Literal

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench.utils.text import counted
from ordbench_datasets.families.listed import (
    Row,
    files_below,
    find_list,
    read_rows,
    stem,
    with_images,
)

Category = Literal["all", "animals", "nature", "people", "urban"]
Label = Literal["median", "mean"]
GRADES = ("unacceptable", "flawed", "ordinary", "professional", "exceptional")
_LISTS = ("beauty-icwsm15-dataset.tsv", "beauty.tsv")
_COLUMNS = ("#flickr_photo_id", "category", "beauty_scores")


class Aesthetics(Dataset):
    """Photographs named by their Flickr id, with the grades of at least five raters.

    Args:
        root: Folder of the images and the list.
        argument: Nothing.
        category: One of the four, as the tables of the field have them, or all in one.
        label: ``median`` of the grades, of two the lower one, as in Ord2Seq; or the rounded
            ``mean``, of halves the even one, as in the lists of L2RCLIP.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="Image aesthetics",
        source="Schifanella, Redi, Aiello (2015). An image is worth more than a thousand "
        "favorites: surfacing the hidden beauty of Flickr pictures. ICWSM 2015. "
        "https://doi.org/10.1609/icwsm.v9i1.14612",
        licence="the list states no licence; the photographs belong to their owners",
        how_to_get="download beauty-icwsm15-dataset.tsv from the University of Turin and the "
        "photographs from Flickr by their ids, and put them into its folder",
        layout="images named [Flickr id].jpg or .png and beauty-icwsm15-dataset.tsv (or "
        "beauty.tsv), at any depth",
        ranks="grades of beauty: " + ", ".join(GRADES),
    )

    def __init__(
        self,
        root: Path,
        argument: str = "",
        *,
        category: Category = "all",
        label: Label = "median",
    ) -> None:
        super().__init__(root, argument)
        self.category: Category = category
        self.label: Label = label

    def read(self) -> Samples:
        """List the photographs by id.

        Raises:
            DatasetError: If the list or all photographs are missing, or if it cannot be read.
        """
        files = files_below(self.root)
        rows = labelled(find_list(self, files, *_LISTS), self.label)
        every, rejected = with_images(self, files, rows, stem)
        samples = tuple(s for s in every if self.category in ("all", s.extra["category"]))
        if not samples:
            raise DatasetError(f"{self.root} holds no photograph of category {self.category}")
        others = len(every) - len(samples)
        left = f"{counted(others, 'photograph')} of other categories left out"
        return Samples(
            task=_task(), samples=samples, rejected=rejected, notes=(left,) if others else ()
        )


def labelled(path: Path, label: Label) -> Iterator[Sample]:
    """What the list says of each photograph: a sample without its image.

    Raises:
        DatasetError: If the list cannot be read.
    """
    for row in read_rows(path, _COLUMNS, "\t"):
        name, of, scores = (row.cells[column] for column in _COLUMNS)
        grades = _grades(scores, row)
        grade = int(median(grades)) if label == "median" else round(mean(grades))
        yield Sample(name, None, grade - 1, extra={"category": of})


def _grades(scores: str, row: Row) -> list[int]:
    grades = [int(score) for score in scores.split(",") if score.strip() in {*"12345"}]
    if len(grades) != len(scores.split(",")):
        raise DatasetError(
            f"{row.where}, column {_COLUMNS[2]}: wanted grades of 1 to 5 separated by commas, got "
            f"{scores!r}; take the list as it was published"
        )
    return grades


def _task() -> Task:
    return Task(
        rank_names=GRADES,
        rank_values=tuple(map(float, range(len(GRADES)))),
        unit="ranks",
        context="aesthetics assessment: the quality of the photo is",
    )
