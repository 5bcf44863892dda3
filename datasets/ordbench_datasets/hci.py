"""HCI: 1,325 historical colour photographs of five decades, 265 each; no official split.

Source: Palermo, Hays, Efros (2012). Dating historical color images. ECCV 2012.
"""

import re
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples, SkippedFile
from ordbench.task import Task
from ordbench_datasets.families.faces import not_found
from ordbench_datasets.families.listed import files_below

DECADES = ("1930s", "1940s", "1950s", "1960s", "1970s")
# The archive holds other folders as well.
_PATH = re.compile(r"(?:.*/)?decade_database/((" + "|".join(DECADES) + r")/[^/]+)")


class HistoricalColorImages(Dataset):
    """Photographs in a folder for each decade, below ``decade_database``."""

    card: ClassVar[DatasetCard] = DatasetCard(
        title="HCI",
        source="Palermo, Hays, Efros (2012). Dating historical color images. ECCV 2012",
        licence="states no licence; free to download",
        how_to_get="download HistoricalColor-ECCV2012 from the graphics group of Carnegie Mellon "
        "University and unpack it there",
        layout="decade_database/1930s/[name].jpg to 1970s/[name].jpg, in any folder",
        ranks="decades 1930s to 1970s",
    )

    def read(self) -> Samples:
        """List the photographs by decade and name.

        Raises:
            DatasetError: If there is no photograph below the root.
        """
        samples: dict[str, Sample] = {}
        rejected: list[SkippedFile] = []
        for shown, image, problem in files_below(self.root):
            if not (match := _PATH.fullmatch(shown)):
                continue
            official, decade = match.groups()
            if problem:
                rejected.append(SkippedFile(shown, problem))
            elif official in samples:
                rejected.append(SkippedFile(shown, f"the same picture as {official}"))
            else:
                samples[official] = Sample(official, image, DECADES.index(decade))
        if not samples:
            raise not_found(self, rejected)
        ordered = tuple(samples[name] for name in sorted(samples))
        return Samples(task=_task(), samples=ordered, rejected=tuple(rejected))


def _task() -> Task:
    return Task(
        rank_names=DECADES,
        rank_values=tuple(float(decade[:3]) for decade in DECADES),
        unit="decades",
        context="a photo taken in the",
    )
