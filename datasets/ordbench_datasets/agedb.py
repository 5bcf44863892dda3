"""AgeDB: 16,488 photographs of 567 well-known people, ages 1 to 101; no official split.

Source: Moschoglou et al. (2017). AgeDB: the first manually collected, in-the-wild age database.
CVPR workshops 2017. https://doi.org/10.1109/CVPRW.2017.250
"""

import re
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Samples
from ordbench_datasets.families.faces import Face, age_task, not_found, read_faces

AGES = range(1, 102)
# Picture, person, age, gender.
_NAME = re.compile(r"(\d+_(.+)_(\d{1,3})_([mf]))\.jpg", re.IGNORECASE)


def parse(name: str) -> Face | str:
    """Read person, age and gender out of a file name.

    >>> face = parse("11706_OliviaHussey_31_f.jpg")
    >>> face.name, face.age, face.group, face.extra
    ('11706_OliviaHussey_31_f.jpg', 31, 'OliviaHussey', {'gender': 'female'})
    """
    if match := _NAME.fullmatch(name):
        gender = {"m": "male", "f": "female"}[match[4].lower()]
        return Face(f"{match[1]}.jpg", int(match[3]), match[2], extra={"gender": gender})
    return "not named [number]_[person]_[age]_[m or f].jpg"


class AgeDb(Dataset):
    """Photographs with the official file names, in any folder below the root."""

    card: ClassVar[DatasetCard] = DatasetCard(
        title="AgeDB",
        source="Moschoglou et al. (2017). AgeDB: the first manually collected, in-the-wild age "
        "database. CVPR workshops 2017. https://doi.org/10.1109/CVPRW.2017.250",
        licence="given to those who ask; the archive has a password",
        how_to_get="ask the iBUG group of Imperial College London for the archive and its "
        "password, and unpack it into its folder",
        layout="images named [number]_[person]_[age]_[m or f].jpg, at any depth",
        ranks="ages 1 to 101, in years",
        grouped=True,
    )

    def read(self) -> Samples:
        """List the photographs by name.

        Raises:
            DatasetError: If there is no photograph below the root.
        """
        samples, rejected = read_faces(self.root, parse, AGES)
        if not samples:
            raise not_found(self, rejected)
        return Samples(task=age_task(AGES), samples=tuple(samples), rejected=tuple(rejected))
