from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench.splits.draw import draw
from ordbench_datasets.limuc import Limuc

Put = Callable[[Path, Iterable[str]], Path]
TRAIN = "train_and_validation_sets"
IMAGES = [
    f"{TRAIN}/Mayo 0/UC_patient_420_12.bmp",
    f"{TRAIN}/Mayo 1/UC_patient_420_12.bmp",
    f"{TRAIN}/Mayo 3/UC_patient_7_1.bmp",
    f"{TRAIN}/Mayo 2/UC_patient_8_1.bmp",
    "test_set/Mayo 2/UC_patient_99_3.bmp",
    "patient_based_classified_images/420/Mayo 0/UC_patient_420_12.bmp",
]


def folds(root: Path, val: dict[str, list[str]]) -> None:
    """Ten folds that all validate on the same images."""
    train = {"Mayo 0": ["UC_patient_420_12.bmp"], "Mayo 1": ["UC_patient_420_12.bmp"]}
    for fold in range(10):
        folder = root / "cross_validation_folds_train_val_info" / f"fold_{fold}"
        folder.mkdir(parents=True)
        (folder / "train.json").write_text(json.dumps(train))
        (folder / "val.json").write_text(json.dumps(val))


def test_one_name_in_two_classes_is_two_images(tmp_path: Path, put: Put) -> None:
    put(tmp_path, IMAGES)
    listing = Limuc(tmp_path).read()
    assert [(s.name, s.rank, s.group, s.part) for s in listing.samples] == [
        ("Mayo 0/UC_patient_420_12.bmp", 0, "420", "train"),
        ("Mayo 1/UC_patient_420_12.bmp", 1, "420", "train"),
        ("Mayo 2/UC_patient_8_1.bmp", 2, "8", "train"),
        ("Mayo 2/UC_patient_99_3.bmp", 2, "99", "test"),
        ("Mayo 3/UC_patient_7_1.bmp", 3, "7", "train"),
    ]
    assert (listing.rejected, listing.draws) == ((), ())


def test_the_lists_divide_training_and_validation(tmp_path: Path, put: Put) -> None:
    put(tmp_path, IMAGES)
    folds(tmp_path, {"Mayo 3": ["UC_patient_7_1.bmp"], "Mayo 2": ["UC_patient_gone_1.bmp"]})
    listing = Limuc(tmp_path).read()
    assert len(listing.draws) == 10
    assert listing.rejected == (("Mayo 2/UC_patient_gone_1.bmp", "listed, but not below the root"),)
    split = draw(listing, dataset="limuc", protocol="standard", fold=9, shots=None, data_seed=0)
    assert split.train == ("Mayo 0/UC_patient_420_12.bmp", "Mayo 1/UC_patient_420_12.bmp")
    assert split.val == ("Mayo 3/UC_patient_7_1.bmp",)
    assert split.test == ("Mayo 2/UC_patient_99_3.bmp",)


def test_lists_that_name_a_test_image_are_refused(tmp_path: Path, put: Put) -> None:
    put(tmp_path, IMAGES)
    folds(tmp_path, {"Mayo 2": ["UC_patient_99_3.bmp"]})
    with pytest.raises(DatasetError, match=r"fold_0 lists Mayo 2/UC_patient_99_3\.bmp, which is"):
        Limuc(tmp_path).read()


def test_broken_and_missing_lists_are_named(tmp_path: Path, put: Put) -> None:
    put(tmp_path, IMAGES)
    folds(tmp_path, {})
    lists = tmp_path / "cross_validation_folds_train_val_info"
    (lists / "fold_3" / "val.json").write_text("[]")
    with pytest.raises(DatasetError, match=r"fold_3/val\.json: wanted lists of names by the class"):
        Limuc(tmp_path).read()
    (lists / "fold_3" / "val.json").write_text('{"Mayo 0": "abc"}')
    with pytest.raises(DatasetError, match=r"fold_3/val\.json: wanted lists of names by the class"):
        Limuc(tmp_path).read()
    (lists / "fold_2" / "train.json").write_text("{")
    with pytest.raises(DatasetError, match=r"fold_2/train\.json cannot be read"):
        Limuc(tmp_path).read()
    (lists / "fold_1" / "train.json").unlink()
    with pytest.raises(DatasetError, match=r"no fold_1/train\.json; put all ten there, or none"):
        Limuc(tmp_path).read()


def test_odd_names_are_reported(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [*IMAGES, f"{TRAIN}/Mayo 0/face.bmp"])
    (tmp_path / TRAIN / "Mayo 0" / "list.txt").write_text("x")
    put(tmp_path / "copy", IMAGES[:1])
    assert dict(Limuc(tmp_path).read().rejected) == {
        f"{TRAIN}/Mayo 0/face.bmp": "not named UC_patient_[patient]_[number].bmp",
        f"{TRAIN}/Mayo 0/list.txt": "'.txt' is not the ending of an image file",
        f"{TRAIN}/Mayo 0/UC_patient_420_12.bmp": "the same picture as "
        f"copy/{TRAIN}/Mayo 0/UC_patient_420_12.bmp",
    }
