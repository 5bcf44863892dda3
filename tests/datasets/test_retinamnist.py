from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.retinamnist import RetinaMnist

Serve = Callable[[Path], str]


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


def package(folder: Path, url: str, content: bytes) -> None:
    """A package medmnist that lists files at another address."""
    (folder / "medmnist").mkdir(parents=True)
    (folder / "medmnist" / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    known = {
        "url_64": f"{url}/retinamnist_64.npz?download=1",
        "MD5_64": hashlib.md5(content).hexdigest(),
    }
    (folder / "medmnist" / "info.py").write_text(f"INFO = { ({'retinamnist': known})!r}")


def test_the_file_of_its_size_is_downloaded_and_checked(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    written(tmp_path / "site" / "retinamnist_64.npz", [0, 4])
    url, content = serve(tmp_path / "site"), (tmp_path / "site" / "retinamnist_64.npz").read_bytes()
    package(tmp_path / "good", url, content)
    package(tmp_path / "bad", url, b"other")
    dataset = RetinaMnist(tmp_path / "root", size="64")
    monkeypatch.syspath_prepend(tmp_path / "good")
    dataset.download()
    assert [p.name for p in (tmp_path / "root").iterdir()] == ["retinamnist_64.npz"]
    assert len(dataset.read().samples) == 6
    dataset.file.unlink()
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between attempts
    monkeypatch.syspath_prepend(tmp_path / "bad")
    with pytest.raises(DatasetError, match=r"does not match the published file \(md5:"):
        dataset.download()
    assert list((tmp_path / "root").iterdir()) == []


def test_the_table_of_medmnist_names_the_published_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where the package makes a folder
    asked: list[tuple[str, str, str]] = []

    def fetch(url: str, checksum: str, file: Path, *, name: str) -> None:
        asked.append((url, checksum, file.name))

    monkeypatch.setattr("ordbench_datasets.retinamnist.fetch_file", fetch)
    for size in ("28", "224"):
        RetinaMnist(tmp_path, size=size).download()
    record = "https://zenodo.org/records/10519652/files"
    assert asked == [
        (
            f"{record}/retinamnist.npz?download=1",
            "md5:bd4c0672f1bba3e3a89f0e4e876791e4",
            "retinamnist.npz",
        ),
        (
            f"{record}/retinamnist_224.npz?download=1",
            "md5:eae7e3b6f3fcbda4ae613ebdcbe35348",
            "retinamnist_224.npz",
        ),
    ]


def test_without_medmnist_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "medmnist", None)
    with pytest.raises(DatasetError, match=r"pip install 'ordbench\[medmnist\]', or put retina"):
        RetinaMnist(tmp_path).download()
