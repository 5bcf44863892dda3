"""IMDB-WIKI: photographs of actors of IMDb with ages, as EM-CNN has cleaned them; no split.

Source: Rothe, Timofte, Van Gool (2018). Deep expectation of real and apparent age from a single
image without facial landmarks. International Journal of Computer Vision 126, 144-157.
https://doi.org/10.1007/s11263-016-0940-3
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples, SkippedFile
from ordbench_datasets.families.faces import age_task, aged
from ordbench_datasets.families.listed import (
    files_below,
    find_list,
    read_words,
    tail,
    with_images,
)

AGES = range(117)
GENDERS = {"M": "male", "F": "female"}
_LIST = "emcnn_annotion_18-Nov-2017.txt"  # as it is spelled
_BOX = ("bbox_left", "bbox_top", "bbox_right", "bbox_bottom")
_COLUMNS = ("img_path", "name", *_BOX, "age", "gender", "confidence")


class ImdbWiki(Dataset):
    """Photographs, listed in the annotation of EM-CNN; a group is a person.

    Rows with a negative confidence are left out, as in "A Call to Reflect", and so are ages that
    nobody has: the raw dates give ages of -31 and 2014. The raw ``imdb.mat`` is not read.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="IMDB-WIKI",
        source="Rothe, Timofte, Van Gool (2018). Deep expectation of real and apparent age from a "
        "single image without facial landmarks. International Journal of Computer Vision 126, "
        "144-157. https://doi.org/10.1007/s11263-016-0940-3",
        licence="academic research only; the images belong to their owners",
        how_to_get="unpack imdb_0.tar to imdb_9.tar of "
        f"https://data.vision.ee.ethz.ch/cvl/rrothe/imdb-wiki into its folder, and put "
        f"{_LIST} of EM-CNN beside them, which "
        "https://github.com/paplhjak/Facial-Age-Estimation-Benchmark reads, too",
        layout=f"[00-99]/nm[person]_rm[photograph]_[dates].jpg and {_LIST}, at any depth: lines "
        f"without a header, of {', '.join(_COLUMNS)} with tabs between them",
        ranks="ages 0 to 116, in years",
        grouped=True,
    )

    def read(self) -> Samples:
        """List the photographs by name.

        Raises:
            DatasetError: If the list or all photographs are missing, or if it cannot be read.
        """
        files = files_below(self.root)
        rows = labelled(find_list(self, files, _LIST))
        samples, rejected = with_images(self, files, rows, tail(2))
        return Samples(task=age_task(AGES), samples=samples, rejected=rejected)


def labelled(path: Path) -> Iterator[Sample | SkippedFile]:
    """What the list says of each photograph: a sample without its image, or why not.

    Raises:
        DatasetError: If the list cannot be read.
    """
    official = tail(2)
    for row in read_words(path, _COLUMNS, "\t"):
        name, gender = official(row.cells["img_path"]), row.cells["gender"]
        sample = aged(name, row.number("age"), AGES)
        confidence = row.number("confidence")
        if isinstance(sample, SkippedFile):
            yield sample
        elif confidence < 0:
            yield SkippedFile(name, f"confidence {confidence:g} is below 0")
        elif not row.cells["name"]:
            yield SkippedFile(name, "names no person")
        else:
            extra = {"gender": GENDERS[gender]} if gender in GENDERS else {}
            yield sample._replace(group=row.cells["name"], extra=extra)
