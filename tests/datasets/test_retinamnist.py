from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.retinamnist import RetinaMnist


def written(file: Path, labels: list[int], **other: object) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part in ("train", "val", "test"):
        shape = (len(labels), 6, 4, 3)
        arrays[f"{part}_images"] = rng.integers(0, 256, shape, dtype=np.uint8)
        arrays[f"{part}_labels"] = np.array(labels, np.uint8)[:, None]
    arrays |= other
    np.savez(file, **arrays)
    return arrays


def test_pixels_and_parts_are_those_of_the_arrays(tmp_path: Path) -> None:
    arrays = written(tmp_path / "retinamnist_224.npz", [0, 4, 2])
    listing = RetinaMnist(tmp_path).read()
    assert [(s.name, s.rank, s.part) for s in listing.samples[:4]] == [
        ("train/0", 0, "train"),
        ("train/1", 4, "train"),
        ("train/2", 2, "train"),
        ("val/0", 0, "val"),
    ]
    for sample in listing.samples:
        part, _, row = sample.name.partition("/")
        expected = arrays[f"{part}_images"][int(row)]
        np.testing.assert_array_equal(np.asarray(sample.open()), expected)


def test_images_can_be_sent_to_another_process_and_have_names(tmp_path: Path) -> None:
    written(tmp_path / "retinamnist.npz", [1, 3])
    image = RetinaMnist(tmp_path, size="28").read().samples[1].image
    assert str(image) == f"{tmp_path / 'retinamnist.npz'}/train_images[1]"
    assert pickle.loads(pickle.dumps(image)) == image


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"val_labels": [[5], [0]]}, r"wanted 2 grades of 0 to 4 in val_labels, got 2 from 0 to 5"),
        ({"val_labels": [[1]]}, r"wanted 2 grades of 0 to 4 in val_labels, got 1"),
        ({"val_images": np.zeros((2, 4, 4))}, r"wanted val_images of shape \(N, H, W, 3\)"),
        ({"val_images": np.array([None, 1])}, r"cannot be read: .*; fetch the file again"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, other: dict[str, object], message: str) -> None:
    written(tmp_path / "retinamnist_224.npz", [0, 1], **other)
    with pytest.raises(DatasetError, match=message):
        RetinaMnist(tmp_path).read()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "retinamnist_224.npz").write_bytes(b"<html>")
    with pytest.raises(DatasetError, match=r"retinamnist_224\.npz cannot be read: "):
        RetinaMnist(tmp_path).read()
