"""CACD2000: photographs of 2,000 celebrities, ages 14 to 62, with parts by celebrity rank.

Source: Chen, Chen, Hsu (2014). Cross-age reference coding for age-invariant face recognition and
retrieval. ECCV 2014. https://doi.org/10.1007/978-3-319-10599-4_49
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench.utils.text import one_line
from ordbench_datasets.families.faces import age_task
from ordbench_datasets.families.listed import files_below, find_list, tail, with_images

AGES = range(14, 63)
_LIST = "celebrity2000_meta.mat"
_FIELDS = ("name", "identity", "age", "rank")


class Cacd2000(Dataset):
    """Photographs, listed in ``celebrity2000_meta.mat``; a group is a celebrity.

    Celebrities of rank 6 and more train, 3 to 5 test, 1 and 2 validate.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="CACD2000",
        source="Chen, Chen, Hsu (2014). Cross-age reference coding for age-invariant face "
        "recognition and retrieval. ECCV 2014. https://doi.org/10.1007/978-3-319-10599-4_49",
        licence="states no licence; the photographs belong to their owners",
        how_to_get="download the photographs and celebrity2000_meta.mat from "
        "https://bcsiriuschen.github.io/CARC and unpack them into its folder",
        layout=f"images named [age]_[First_Last]_[number].jpg and {_LIST}, at any depth",
        ranks="ages 14 to 62, in years",
        grouped=True,
    )

    def read(self) -> Samples:
        """List the photographs by name.

        Raises:
            DatasetError: If the list or all photographs are missing, or if it cannot be read.
        """
        files = files_below(self.root)
        rows = labelled(find_list(self, files, _LIST))
        samples, rejected = with_images(self, files, rows, tail(1))
        return Samples(task=age_task(AGES), samples=samples, rejected=rejected)


def labelled(path: Path) -> Iterator[Sample | SkippedFile]:
    """What the list says of each photograph: a sample without its image, or why not.

    Raises:
        DatasetError: If the list cannot be read.
    """
    names, people, ages, ranks = _fields(path)
    for name, person, age, rank in zip(names, people, ages, ranks, strict=True):
        if age in AGES:
            yield Sample(name, None, AGES.index(age), str(person), part=_part(rank))
        else:
            yield SkippedFile(name, f"age {age} is not in {AGES[0]}..{AGES[-1]}")


def _part(rank: int) -> Part:
    """The part of a celebrity's rank.

    >>> _part(2), _part(3), _part(6)
    ('val', 'test', 'train')
    """
    return "val" if rank <= 2 else "test" if rank <= 5 else "train"


def _fields(path: Path) -> tuple[list[str], list[int], list[int], list[int]]:
    import numpy as np
    from scipy.io import loadmat

    try:
        images = loadmat(path, simplify_cells=True)["celebrityImageData"]
        names, *numbers = (np.atleast_1d(images[field]).tolist() for field in _FIELDS)
        people, ages, ranks = ([int(number) for number in column] for column in numbers)
        if len({len(column) for column in (names, people, ages, ranks)}) > 1:
            raise ValueError("its fields are not equally long")
    except Exception as error:  # of SciPy, or no numbers
        raise DatasetError(
            f"{path} cannot be read: {one_line(error)}; wanted celebrityImageData with "
            f"{', '.join(_FIELDS)}; take the list as it was published"
        ) from None
    return [str(name) for name in names], people, ages, ranks
