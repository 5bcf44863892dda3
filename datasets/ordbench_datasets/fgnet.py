"""FG-NET: 1,002 photographs of 82 people, ages 0 to 69; one person is left out at a time.

Source: Panis, Lanitis, Tsapatsoulis, Cootes (2016). Overview of research on facial ageing using the
FG-NET ageing database. IET Biometrics 5(2), 37-46. https://doi.org/10.1049/iet-bmt.2014.0053
"""

import re
from pathlib import Path
from typing import ClassVar

from ordbench.data.download import fetch_archive
from ordbench.dataset import Dataset, DatasetCard, Samples
from ordbench.errors import DatasetError
from ordbench_datasets.families.faces import Face, age_task, not_found, read_faces

AGES = range(70)
PEOPLE = 82
ARCHIVE = "FGNET.zip"
# Person, age, and a letter where there are several pictures of one age.
_NAME = re.compile(r"(\d{3})A(\d{2})([A-Z]?)\.(?:JPG|JPEG)", re.IGNORECASE)


def parse(name: str) -> Face | str:
    """Read person and age out of a file name; the person is the fold.

    >>> parse("001a43A.jpg")
    Face(name='001A43a.JPG', age=43, group='001', fold=0, extra={})
    """
    match = _NAME.fullmatch(name)
    if not match:
        return "not named [person]A[age].JPG"
    person, age, letter = match.groups()
    if not 1 <= int(person) <= PEOPLE:
        return f"person {person} is not in 001..{PEOPLE:03}"
    return Face(f"{person}A{age}{letter.lower()}.JPG", int(age), person, int(person) - 1)


class FgNet(Dataset):
    """Photographs named by person and age, in ``FGNET/images``, unpacked or in ``FGNET.zip``."""

    card: ClassVar[DatasetCard] = DatasetCard(
        title="FG-NET",
        source="Panis, Lanitis, Tsapatsoulis, Cootes (2016). Overview of research on facial ageing "
        "using the FG-NET ageing database. IET Biometrics 5(2), 37-46. "
        "https://doi.org/10.1049/iet-bmt.2014.0053",
        licence="research use only; the download states no licence",
        how_to_get="put https://yanweifu.github.io/FG_NET_data/FGNET.zip into its folder",
        layout="FGNET/images/001A02.JPG, or the same in FGNET.zip",
        ranks="ages 0 to 69, in years",
        folds=PEOPLE,
        grouped=True,
    )
    url: ClassVar[str] = "https://yanweifu.github.io/FG_NET_data/FGNET.zip"
    checksum: ClassVar[str] = "md5:1206978cac3626321b84c22b24cc8d19"

    def read(self) -> Samples:
        """List the photographs by name; fold N holds person N + 1.

        Raises:
            DatasetError: If there is no photograph below the root.
        """
        samples, rejected = read_faces(_images(self.root), parse, AGES)
        if not samples:
            others = sorted(path.name for path in self.root.glob("*.zip"))
            if others and ARCHIVE not in others:
                raise DatasetError(
                    f"{self.card.title} not found in {self.root}: found {others[0]}; name it "
                    f"{ARCHIVE}, or unpack it"
                )
            raise not_found(self, rejected)
        return Samples(task=age_task(AGES), samples=tuple(samples), rejected=tuple(rejected))

    def download(self) -> None:
        """Fetch the archive (46 MB), check it and unpack it into ``root/FGNET``.

        Raises:
            DatasetError: If it cannot be reached or is not the published file.
        """
        fetch_archive(self.url, self.checksum, self.root, name=self.card.title)


def _images(root: Path) -> Path:
    """Landmarks lie beside the images, so that only the folder of the images is read."""
    folders = (path for path in root.rglob("*") if path.name.lower() == "images" and path.is_dir())
    archive = root / ARCHIVE
    packed = archive / "FGNET" / "images" if archive.is_file() else root
    return min(folders, default=packed)
