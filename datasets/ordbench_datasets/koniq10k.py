"""KonIQ-10k: 10,073 photographs with mean opinion scores of their quality, with official parts.

Source: Hosu, Lin, Sziranyi, Saupe (2020). KonIQ-10k: an ecologically valid database for deep
learning of blind image quality assessment. IEEE Transactions on Image Processing 29, 4041-4056.
https://doi.org/10.1109/TIP.2020.2967829
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench_datasets.families.listed import (
    Row,
    files_below,
    find_list,
    read_rows,
    stated_part,
    tail,
    with_images,
)

GRADES = (1, 2, 3, 4, 5)
_LIST = "koniq10k_distributions_sets.csv"
_SHARES = tuple(f"c{grade}" for grade in GRADES)


class Koniq10k(Dataset):
    """Photographs, listed with the share of raters who gave each grade; the mean is rounded.

    The column MOS of the list is on a scale of 0 to 100 and is not read: the mean grade, 1 to 5,
    is that of the shares, and the column SD is on its scale. The ranks are the words of the
    five-grade scale of ITU-R BT.500.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="KonIQ-10k",
        source="Hosu, Lin, Sziranyi, Saupe (2020). KonIQ-10k: an ecologically valid database for "
        "deep learning of blind image quality assessment. IEEE Transactions on Image Processing "
        "29, 4041-4056. https://doi.org/10.1109/TIP.2020.2967829",
        licence="as stated at https://database.mmsp-kn.de",
        how_to_get="download 1024x768 or 512x384 from https://database.mmsp-kn.de, and metadata/"
        f"{_LIST} from https://github.com/subpic/koniq, and put them into its folder",
        layout=f"images named as in {_LIST}, and that list, at any depth",
        ranks="grades of quality 1 (lowest) to 5 (highest)",
    )

    def read(self) -> Samples:
        """List the photographs by name.

        Raises:
            DatasetError: If the list or all photographs are missing, or if it cannot be read.
        """
        files = files_below(self.root)
        rows = labelled(find_list(self, files, _LIST))
        samples, rejected = with_images(self, files, rows, tail(1))
        return Samples(task=_task(), samples=samples, rejected=rejected)


def labelled(path: Path) -> Iterator[Sample]:
    """What the list says of each photograph: a sample without its image.

    Raises:
        DatasetError: If the list cannot be read.
    """
    for row in read_rows(path, ("image_name", *_SHARES, "SD", "set")):
        mean = _mean(row)
        yield Sample(
            row.cells["image_name"],
            None,
            round(mean) - GRADES[0],
            part=stated_part(row, "set"),
            extra={"mean": mean, "stdv": row.number("SD")},
        )


def _mean(row: Row) -> float:
    """The mean grade; shares or counts, they are divided by their sum."""
    shares = [row.number(column) for column in _SHARES]
    if min(shares) < 0 or not sum(shares):
        raise DatasetError(
            f"{row.where}: wanted the shares of the grades in c1 to c5, got {shares}; take the "
            "list as it was published"
        )
    weighted = sum(grade * share for grade, share in zip(GRADES, shares, strict=True))
    return weighted / sum(shares)


def _task() -> Task:
    return Task(
        rank_names=("bad", "poor", "fair", "good", "excellent"),
        rank_values=tuple(map(float, GRADES)),
        unit="grades",
        context="the quality of the photo is",
    )
