"""UTKFace: 23,708 aligned faces, ages 1 to 116, with no official split.

Source: Zhang, Song, Qi (2017). Age progression/regression by conditional adversarial autoencoder.
CVPR 2017. https://arxiv.org/abs/1702.08423
"""

import re
from typing import ClassVar

from ordbench.dataset import Dataset, DatasetCard, Samples
from ordbench_datasets.families.faces import Face, age_task, not_found, read_faces

AGES = range(1, 117)
GENDERS = ("male", "female")
RACES = ("White", "Black", "Asian", "Indian", "other")
# Age, gender, race, time of collection; the aligned faces carry a second ending.
_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_(\d+)\.jpg(?:\.chip\.jpg)?", re.IGNORECASE)


def parse(name: str) -> Face | str:
    """Read age, gender and race out of a file name, or say what is odd about it.

    >>> face = parse("26_0_2_20170104023102422.jpg.chip.jpg")
    >>> face.name, face.age, face.extra
    ('26_0_2_20170104023102422.jpg', 26, {'gender': 'male', 'race': 'Asian'})
    >>> parse("61_1_20170109150557335.jpg")
    '3 fields instead of age_gender_race_time'
    """
    if match := _NAME.fullmatch(name):
        age, gender, race, time = match.groups()
        shown = {"gender": GENDERS[int(gender)], "race": RACES[int(race)]}
        return Face(f"{int(age)}_{gender}_{race}_{time}.jpg", int(age), extra=shown)
    fields = re.sub(r"(\.[a-z]+)+$", "", name, flags=re.IGNORECASE).split("_")
    if len(fields) != 4:
        return f"{len(fields)} fields instead of age_gender_race_time"
    if re.search(r"\s", name):
        return "a space in the name"
    if fields[3].lower().endswith("jpg"):
        return "no dot before jpg"
    if not all(field.isdecimal() for field in fields):
        return "a field of age_gender_race_time is no whole number"
    return "not named [age]_[gender 0-1]_[race 0-4]_[time].jpg"


class UtkFace(Dataset):
    """Faces with the official file names, in any folder below the root."""

    card: ClassVar[DatasetCard] = DatasetCard(
        title="UTKFace",
        source="Zhang, Song, Qi (2017). Age progression/regression by conditional adversarial "
        "autoencoder. CVPR 2017. https://arxiv.org/abs/1702.08423",
        licence="non-commercial research only; the images belong to their owners",
        how_to_get="download the aligned and cropped faces from https://susanqq.github.io/UTKFace "
        "and unpack them into its folder",
        layout="images named [age]_[gender]_[race]_[time].jpg or .jpg.chip.jpg, at any depth",
        ranks="ages 1 to 116, in years",
    )

    def read(self) -> Samples:
        """List the faces by name; a face that lies there twice is listed once.

        Raises:
            DatasetError: If there is no face below the root.
        """
        samples, rejected = read_faces(self.root, parse, AGES)
        if not samples:
            raise not_found(self, rejected)
        return Samples(task=age_task(AGES), samples=tuple(samples), rejected=tuple(rejected))
