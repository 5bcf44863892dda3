"""HCI: 1,325 historical colour photographs of five decades, 265 each; no official split.

Source: Palermo, Hays, Efros (2012). Dating historical color images. ECCV 2012.
"""

import re
from typing import ClassVar

from ordbench.data.download import fetch_archive
from ordbench.dataset import Dataset, DatasetCard, Sample, Samples
from ordbench.task import Task
from ordbench_datasets.families.faces import not_found
from ordbench_datasets.families.listed import files_below
from ordbench_datasets.families.paths import read_paths

DECADES = ("1930s", "1940s", "1950s", "1960s", "1970s")
# The archive holds other folders as well.
_PATH = re.compile(r"(?:.*/)?decade_database/((" + "|".join(DECADES) + r")/[^/]+)")


def parse(path: str) -> Sample | None:
    """Read the decade out of a path; None where it is that of another file of the archive.

    >>> parse("data/imgs/decade_database/1950s/a.jpg").rank
    2
    """
    if match := _PATH.fullmatch(path):
        return Sample(match[1], None, DECADES.index(match[2]))
    return None


class HistoricalColorImages(Dataset):
    """Photographs in a folder for each decade, below ``decade_database``."""

    card: ClassVar[DatasetCard] = DatasetCard(
        title="HCI",
        source="Palermo, Hays, Efros (2012). Dating historical color images. ECCV 2012",
        licence="states no licence; free to download",
        how_to_get="unpack HistoricalColor-ECCV2012-DecadeDatabase.tar of "
        "http://graphics.cs.cmu.edu/projects/historicalColor into its folder",
        layout="decade_database/1930s/[name].jpg to 1970s/[name].jpg, at any depth",
        ranks="decades 1930s to 1970s",
    )
    url: ClassVar[str] = (
        "http://graphics.cs.cmu.edu/projects/historicalColor/"
        "HistoricalColor-ECCV2012-DecadeDatabase.tar"
    )
    checksum: ClassVar[str] = "md5:afb4c47b7da105c4afd1f27e06bea171"

    def read(self) -> Samples:
        """List the photographs by decade and name.

        Raises:
            DatasetError: If there is no photograph below the root.
        """
        samples, rejected = read_paths(files_below(self.root), parse)
        if not samples:
            raise not_found(self, rejected)
        return Samples(task=_task(), samples=tuple(samples), rejected=tuple(rejected))

    def download(self) -> None:
        """Fetch the archive, check it and unpack it into the root.

        Raises:
            DatasetError: If it cannot be reached or is not the published file.
        """
        fetch_archive(self.url, self.checksum, self.root, name=self.card.title)


def _task() -> Task:
    return Task(
        rank_names=DECADES,
        rank_values=tuple(float(decade[:3]) for decade in DECADES),
        unit="decades",
        context="a photo taken in the",
    )
