"""MORPH II: 55,134 mugshots of 13,617 people, ages 16 to 77; splits by the published list files.

Source: Ricanek, Tesafaye (2006). MORPH: a longitudinal image database of normal adult
age-progression. FG 2006. https://doi.org/10.1109/FGR.2006.78
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

from ordbench.dataset import Dataset, DatasetCard, OfficialSplit, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench.utils.files import expanded
from ordbench_datasets._morph_lists import Lists, Row, describe, read_lists
from ordbench_datasets.families.faces import Face, age_task, not_found, read_faces

Ages = Literal["0-100", "16-77"]
# Person, picture, sex, age.
_NAME = re.compile(r"(\d{6})_(\d{1,2})([MF])(\d{2})\.JPG", re.IGNORECASE)


def parse(name: str) -> Face | str:
    """Read person, age and gender out of a file name.

    >>> face = parse("009055_1M54.JPG")
    >>> face.age, face.group, face.extra
    (54, '009055', {'gender': 'male'})
    """
    if match := _NAME.fullmatch(name):
        gender = {"M": "male", "F": "female"}[match[3].upper()]
        return Face(name.upper(), int(match[4]), match[1], extra={"gender": gender})
    return "not named [person]_[picture][M or F][age].JPG"


class Morph(Dataset):
    """Mugshots with the official file names, in any folder below the root.

    Args:
        root: Folder of the images.
        argument: Nothing.
        list: A published list file or the folder of one setting's lists (A to D, CORAL's, POE's),
            below the working directory or below ``root``; each age is checked against the file's
            name. Empty for all images, in folds that keep people apart.
        ages: ``0-100`` for the 101 ranks of OrdinalCLIP, ``16-77`` for the 62 that occur.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="MORPH II",
        source="Ricanek, Tesafaye (2006). MORPH: a longitudinal image database of normal adult "
        "age-progression. FG 2006. https://doi.org/10.1109/FGR.2006.78",
        licence="signed licence of the University of North Carolina Wilmington (UNCW)",
        how_to_get="ask the face-aging group of UNCW for a licence (academic or commercial) and "
        "unpack the images into its folder",
        layout="images named 009055_1M54.JPG, at any depth",
        ranks="ages 0 to 100 (or 16 to 77), in years",
        grouped=True,
    )

    def __init__(
        self, root: Path, argument: str = "", *, list: str = "", ages: Ages = "0-100"
    ) -> None:
        super().__init__(root, argument)
        first, last = map(int, ages.split("-"))
        self.ages = range(first, last + 1)
        self.list = list

    def read(self) -> Samples:
        """List the images by name, with the official folds or draws of the list files.

        Raises:
            DatasetError: If no image is there, or if no listed image is.
        """
        samples, rejected = read_faces(self.root, parse, self.ages)
        if not samples:
            raise not_found(self, rejected)
        if self.list:
            return self._by_list(samples, rejected)
        return Samples(task=age_task(self.ages), samples=tuple(samples), rejected=tuple(rejected))

    def _by_list(self, samples: list[Sample], rejected: list[SkippedFile]) -> Samples:
        path = self._list_path()
        lists = read_lists(path)
        there = {sample.name: sample for sample in samples}
        refused = [SkippedFile(row.name, why) for row in lists.rows if (why := _refuse(row, there))]
        names = {row.name for row in lists.rows} - {rejection.name for rejection in refused}
        if not names:
            _refuse_other_numbers(lists, path)
            raise DatasetError(
                f"{path}: none of its {len(lists.rows)} images can be used below {self.root}, "
                f"first {refused[0].name!r} ({refused[0].reason})"
            )
        folds = {} if len(lists.folds) == 3 else _folds(lists)
        return Samples(
            task=age_task(self.ages),
            samples=tuple(there[name]._replace(fold=folds.get(name)) for name in sorted(names)),
            rejected=(*rejected, *refused),
            draws=_draws(lists, names),
            leaky=bool(lists.folds or lists.draws),
            notes=_notes(lists, path.name, unused=len(there) - len(names)),
        )

    def _list_path(self) -> Path:
        given = expanded(self.list)
        for path in (given, self.root / given):
            if path.exists():
                return path
        raise DatasetError(
            f"list={self.list}: there is neither {given.absolute()} nor {self.root / given}; give "
            "the path of a list of images, or of a folder of such lists"
        )


def _refuse(row: Row, there: dict[str, Sample]) -> str | None:
    face = parse(row.name)
    if isinstance(face, str):
        return f"{face} ({row.where})"
    if face.age != row.age:
        return f"age {face.age} by its name, {row.age} by {row.where}"
    return None if row.name in there else f"not below the root, but in {row.where}"


def _refuse_other_numbers(lists: Lists, path: Path) -> None:
    """Say so where every label of a list differs from the age in the name by the same number."""
    faces = [(parse(row.name), row.age) for row in lists.rows]
    differences = {face.age - age for face, age in faces if isinstance(face, Face)}
    if len(differences) == 1 and (difference := differences.pop()):
        raise DatasetError(
            f"{path}: its labels are not ages: all {len(lists.rows)} are {abs(difference)} "
            f"{'below' if difference > 0 else 'above'} the age in the file name; "
            f"{'add' if difference > 0 else 'subtract'} {abs(difference)} in the list"
        )


def _folds(lists: Lists) -> dict[str, int]:
    folds: dict[str, int] = {}
    for fold, names in enumerate(lists.folds):
        for name in names:
            if folds.setdefault(name, fold) != fold:
                raise DatasetError(
                    f"{name} is in the lists of folds {folds[name]} and {fold}; keep it in one "
                    "of them"
                )
    return folds


def _draws(lists: Lists, names: set[str]) -> tuple[OfficialSplit, ...]:
    """Train and test of each draw; of three sets, one trains and the other two test."""

    def kept(*sets: frozenset[str]) -> tuple[str, ...]:
        """The usable names of some sets."""
        return tuple(sorted(name for name in names if any(name in one for one in sets)))

    if len(lists.folds) == 3:
        rest = [[other for other in lists.folds if other is not fold] for fold in lists.folds]
        return tuple(
            OfficialSplit(kept(fold), kept(*others))
            for fold, others in zip(lists.folds, rest, strict=True)
        )
    empty: frozenset[str] = frozenset()
    parts: tuple[Part, ...] = ("train", "test", "val")
    return tuple(
        OfficialSplit(*(kept(draw.get(part, empty)) for part in parts)) for draw in lists.draws
    )


def _notes(lists: Lists, setting: str, *, unused: int) -> tuple[str, ...]:
    notes = [f"{setting}: {describe(lists)}"] if lists.folds or lists.draws else []
    notes += lists.notes
    if len(lists.folds) == 3:
        notes.append("of three sets, fold N trains on set N and tests on the other two (setting B)")
    if unused:
        notes.append(f"{unused} images are not in {setting} and are left out")
    return tuple(notes)
