from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from ordbench.data.loading import open_dataset
from ordbench.data.published import (
    PublishedImages,
    fold_note,
    names_hash,
    published_images,
    ranks_hash,
    with_published_note,
)
from ordbench.dataset import Sample, Samples
from ordbench.plugins.registry import DATASETS
from ordbench.task import Task


def listing(ranks: dict[str, int], names: tuple[str, ...] = ("3", "4", "5")) -> Samples:
    task = Task(rank_names=names, rank_values=tuple(map(float, names)), unit="years", context="")
    samples = tuple(Sample(name, Path(name), rank) for name, rank in ranks.items())
    return Samples(task=task, samples=samples)


THERE = listing({"a": 0, "b": 2})
KNOWN = PublishedImages(
    source="a list", images=2, names=names_hash(THERE), ranks=ranks_hash(THERE), folds=("f0", "f1")
)


def test_the_hashes_are_of_what_they_say() -> None:
    assert names_hash(THERE) == hashlib.sha256(b'["a", "b"]').hexdigest()
    assert ranks_hash(THERE) == hashlib.sha256(b'[["a", "3"], ["b", "5"]]').hexdigest()


def test_neither_order_nor_unused_ranks_matter() -> None:
    same = listing({"b": 3, "a": 1}, ("2", "3", "4", "5"))
    assert (names_hash(same), ranks_hash(same)) == (KNOWN.names, KNOWN.ranks)


@pytest.mark.parametrize(
    ("ranks", "whole", "notes"),
    [
        ({"a": 0, "b": 2}, True, ("the published 2 images, by name and rank",)),
        ({"a": 0, "b": 2}, False, ("the published 2 images, by name and rank",)),
        ({"a": 0, "b": 1}, True, ("the published 2 images, but not all have the rank of a list",)),
        ({"a": 0, "c": 2}, True, ("2 images as in a list, but not of the same names",)),
        ({"a": 0}, True, ("1 images, not the 2 of a list",)),
        ({"a": 0}, False, ()),
    ],
)
def test_a_note_says_how_images_differ(
    ranks: dict[str, int], whole: bool, notes: tuple[str, ...]
) -> None:
    assert with_published_note(listing(ranks), KNOWN, whole=whole).notes == notes


def test_a_split_is_that_of_the_published_images_or_not() -> None:
    assert fold_note(THERE, KNOWN, 1, "f1") == "the split is that of the published images, fold 1"
    for fold in (0, 2):
        note = fold_note(THERE, KNOWN, fold, "f1")
        assert note.startswith("the split is not that of the published names alone: identical")
    assert fold_note(listing({"a": 0}), KNOWN, 0, "other") == ""


def test_images_of_which_most_are_missing_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "fgnet" / "FGNET" / "images"
    folder.mkdir(parents=True)
    for name in ("001A02.JPG", "002A03.JPG"):
        Image.new("RGB", (4, 4)).save(folder / name, "JPEG")
    (note,) = open_dataset("fgnet", data_root=tmp_path).notes
    assert note.startswith("2 images, not the 1,002 of FG-Net.json")


def test_a_dataset_without_a_list_is_not_known() -> None:
    assert published_images(DATASETS["folder"], "folder") is None
