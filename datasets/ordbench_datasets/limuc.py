"""LIMUC: endoscopic images of ulcerative colitis in four Mayo classes, split by patients.

Source: Polat et al. (2022). Improving the computer-aided estimation of ulcerative colitis severity
according to Mayo endoscopic score by using regression-based deep learning. Inflammatory Bowel
Diseases. https://doi.org/10.1093/ibd/izac226
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, cast

from ordbench.data.image_files import FoundImage
from ordbench.dataset import Dataset, DatasetCard, OfficialSplit, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench.utils.text import one_line
from ordbench_datasets.families.faces import not_found
from ordbench_datasets.families.listed import files_below
from ordbench_datasets.families.paths import read_paths

FOLDS = 10
CLASSES = ("Mayo 0", "Mayo 1", "Mayo 2", "Mayo 3")
_SETS: dict[str, Part] = {"train_and_validation_sets": "train", "test_set": "test"}
_PATH = re.compile(
    r"(?:.*/)?(train_and_validation_sets|test_set)/"
    r"((Mayo [0-3])/(?:UC_patient_(\d+)_\d+\.bmp|[^/]*))"
)
_LIST = re.compile(r"(?:.*/)?fold_([0-9])/(train|val)\.json")


class Limuc(Dataset):
    """Images in ``train_and_validation_sets`` and ``test_set``; a group is a patient.

    Where the ten lists of folds lie below the root as well, fold N trains and validates by them;
    all folds have the same test images.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="LIMUC",
        source="Polat et al. (2022). Improving the computer-aided estimation of ulcerative colitis "
        "severity according to Mayo endoscopic score by using regression-based deep learning. "
        "Inflammatory Bowel Diseases. https://doi.org/10.1093/ibd/izac226",
        licence="as stated at https://doi.org/10.5281/zenodo.5827695",
        how_to_get="download https://doi.org/10.5281/zenodo.5827695, and for the ten folds "
        "cross_validation_folds_train_val_info of "
        "GorkemP/labeled-images-for-ulcerative-colitis on GitHub, and unpack them into its "
        "folder",
        layout="train_and_validation_sets/Mayo 0/UC_patient_[patient]_[number].bmp and so on, "
        "test_set/Mayo 0/..., and perhaps fold_0/train.json and val.json to fold_9, at any depth",
        ranks="Mayo classes 0 to 3",
        grouped=True,
    )

    def read(self) -> Samples:
        """List the images by class and name, as eight names stand in two classes.

        Raises:
            DatasetError: If there is no image below the root, or if a list cannot be read.
        """
        files = files_below(self.root)
        found, rejected = read_paths(files, parse)
        samples = {sample.name: sample for sample in found}
        if not samples:
            raise not_found(self, rejected)
        folds = _folds(self.root, files)
        listed = {name for fold in folds for names in fold for name in names}
        gone = sorted(listed - samples.keys())
        rejected += [SkippedFile(name, "listed, but not below the root") for name in gone]
        return Samples(
            task=_task(),
            samples=tuple(found),
            rejected=tuple(rejected),
            draws=_draws(self.root, folds, samples),
            notes=() if folds else ("there are no lists of the ten folds",),
        )


def parse(path: str) -> Sample | str | None:
    """Read class, patient and set out of a path, or say what is odd; None for other folders.

    >>> sample = parse("test_set/Mayo 2/UC_patient_99_3.bmp")
    >>> sample.name, sample.rank, sample.group, sample.part
    ('Mayo 2/UC_patient_99_3.bmp', 2, '99', 'test')
    """
    match = _PATH.fullmatch(path)
    if not match:
        return None
    folder, name, mayo, patient = match.groups()
    if not patient:
        return "not named UC_patient_[patient]_[number].bmp"
    return Sample(name, None, CLASSES.index(mayo), patient, None, _SETS[folder])


def _folds(root: Path, files: list[FoundImage]) -> list[tuple[list[str], list[str]]]:
    """Names that train and that validate in each of the ten folds; none where no list is there."""
    lists = {match.groups(): root / f.name for f in files if (match := _LIST.fullmatch(f.name))}
    if not lists:
        return []
    return [
        (_names(root, lists, fold, "train"), _names(root, lists, fold, "val"))
        for fold in range(FOLDS)
    ]


def _draws(
    root: Path, folds: list[tuple[list[str], list[str]]], samples: dict[str, Sample]
) -> tuple[OfficialSplit, ...]:
    test = {name for name, sample in samples.items() if sample.part == "test"}
    for fold, (train, val) in enumerate(folds):
        if tested := sorted(test.intersection(train + val)):
            raise DatasetError(
                f"{root}: fold_{fold} lists {tested[0]}, which is in test_set; take the lists as "
                "they were published"
            )

    def kept(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(samples.keys() & set(names)))

    return tuple(OfficialSplit(kept(train), kept(test), kept(val)) for train, val in folds)


def _names(root: Path, lists: dict[tuple[str, ...], Path], fold: int, part: str) -> list[str]:
    path = lists.get((str(fold), part))
    if path is None:
        raise DatasetError(
            f"{root} has lists of other folds, but no fold_{fold}/{part}.json; put all ten there, "
            "or none"
        )
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {one_line(error)}") from None
    by_class = cast("dict[str, object]", content if isinstance(content, dict) else {"": content})
    if not by_class.keys() <= {*CLASSES} or not all(isinstance(n, list) for n in by_class.values()):
        raise DatasetError(f"{path}: wanted lists of names by the classes {', '.join(CLASSES)}")
    lists_of = cast("dict[str, list[str]]", by_class)
    return [f"{mayo}/{name}" for mayo, names in lists_of.items() for name in names]


def _task() -> Task:
    return Task(
        rank_names=CLASSES,
        rank_values=tuple(map(float, range(len(CLASSES)))),
        unit="ranks",
        context="the severity of the ulcerative colitis is",
    )
