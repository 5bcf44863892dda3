"""AFAD: faces of Asian people aged 15 to 75, in a folder for each age and gender; no split.

Source: Niu, Zhou, Wang, Gao, Hua (2016). Ordinal regression with multiple output CNN for age
estimation. CVPR 2016. https://doi.org/10.1109/CVPR.2016.532
"""

import re
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Samples
from ordbench_datasets.families.faces import Face, age_task, not_found, read_faces

AGES = range(15, 76)
GENDERS = {"111": "male", "112": "female"}
# Age, gender, person, picture.
_PATH = re.compile(r"(\d{2})/(11[12])/((\d+)-\d+\.jpg)", re.IGNORECASE)


def parse(path: str) -> Face | str:
    """Read age, gender and person out of the last three names of a path, or say what is odd.

    >>> face = parse("15/111/638660-1.jpg")
    >>> face.name, face.age, face.group, face.extra
    ('15/111/638660-1.jpg', 15, '638660', {'gender': 'male'})
    """
    if match := _PATH.fullmatch(path):
        age, gender, name, person = match.groups()
        path = f"{age}/{gender}/{name.lower()}"
        return Face(path, int(age), person, extra={"gender": GENDERS[gender]})
    return "not at [age]/[111 or 112]/[person]-[picture].jpg"


class Afad(Dataset):
    """Faces at ``[age]/[gender]/[person]-[picture].jpg``, below any folder (Full or Lite)."""

    card: ClassVar[DatasetCard] = DatasetCard(
        title="AFAD",
        source="Niu, Zhou, Wang, Gao, Hua (2016). Ordinal regression with multiple output CNN for "
        "age estimation. CVPR 2016. https://doi.org/10.1109/CVPR.2016.532",
        licence="states no licence; its authors ask for a citation",
        how_to_get="clone https://github.com/afad-dataset/tarball, join and unpack the parts with "
        "its restore.sh and put AFAD-Full into its folder",
        layout="[age]/[111 or 112]/[person]-[picture].jpg, at any depth",
        ranks="ages 15 to 75, in years",
        grouped=True,
    )

    def read(self) -> Samples:
        """List the faces by age, gender and name.

        Raises:
            DatasetError: If there is no face below the root.
        """
        samples, rejected = read_faces(self.root, parse, AGES, depth=3)
        if not samples:
            raise not_found(self, rejected)
        return Samples(task=age_task(AGES), samples=tuple(samples), rejected=tuple(rejected))
