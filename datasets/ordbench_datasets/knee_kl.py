"""Knee KL: X-rays of knees in the five Kellgren-Lawrence grades, with official parts.

Source: Chen (2018). Knee osteoarthritis severity grading dataset. Mendeley Data, V1.
https://doi.org/10.17632/56rmx5bjcr.1
"""

from __future__ import annotations

import re
from typing import ClassVar, cast

from ordbench.dataset import Dataset, DatasetCard, Part, Sample, Samples
from ordbench.task import Task
from ordbench_datasets.families.faces import not_found
from ordbench_datasets.families.listed import files_below
from ordbench_datasets.families.paths import read_paths

GRADES = ("0", "1", "2", "3", "4")
SIDES = {"L": "left", "R": "right"}
_PATH = re.compile(r"(?:.*/)?(train|val|test)/(([0-4])/(?:(\d+)([LR])\.png|[^/]*))")


def parse(path: str) -> Sample | str | None:
    """Read part, grade, person and side out of a path, or say what is odd; None elsewhere.

    >>> sample = parse("kneeKL224/train/3/9003175R.png")
    >>> sample.name, sample.rank, sample.group, sample.part, sample.extra
    ('3/9003175R.png', 3, '9003175', 'train', {'side': 'right'})
    """
    match = _PATH.fullmatch(path)
    if not match:
        return None
    part, name, grade, person, side = match.groups()
    if not person:
        return "not named [person][L or R].png"
    rank, extra = GRADES.index(grade), {"side": SIDES[side]}
    return Sample(name, None, rank, person, part=cast(Part, part), extra=extra)


class KneeKL(Dataset):
    """Knees in ``train``, ``val`` and ``test``, in a folder for each grade; a group is a person.

    ``auto_test`` shows the knees of ``test``, as a program found them, and is not read.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="Knee KL",
        source="Chen (2018). Knee osteoarthritis severity grading dataset. Mendeley Data, V1. "
        "https://doi.org/10.17632/56rmx5bjcr.1",
        licence="CC BY 4.0, as stated at https://doi.org/10.17632/56rmx5bjcr.1",
        how_to_get="download https://doi.org/10.17632/56rmx5bjcr.1 and unpack it into its folder",
        layout="train/, val/ and test/ with X-rays at [grade 0-4]/[person][L or R].png, at any "
        "depth (such as kneeKL224)",
        ranks="Kellgren-Lawrence grades 0 (healthy) to 4 (severe)",
        grouped=True,
    )

    def read(self) -> Samples:
        """List the knees by grade and name.

        Raises:
            DatasetError: If there is no knee below the root.
        """
        samples, rejected = read_paths(files_below(self.root), parse)
        if not samples:
            raise not_found(self, rejected)
        return Samples(task=_task(), samples=tuple(samples), rejected=tuple(rejected))


def _task() -> Task:
    return Task(
        rank_names=GRADES,
        rank_values=tuple(map(float, range(len(GRADES)))),
        unit="ranks",
        context="the Kellgren-Lawrence grade of the knee is",
    )
