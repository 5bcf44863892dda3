"""A dataset that is missing and wanted by several processes at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from ordbench.data.loading import open_dataset
from ordbench.errors import DatasetError
from ordbench_datasets.fgnet import FgNet


def test_two_that_want_the_same_dataset_fetch_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[Path] = []

    def fetch(dataset: FgNet) -> None:
        fetched.append(dataset.root)
        time.sleep(0.2)
        folder = dataset.root / "FGNET" / "images"
        folder.mkdir(parents=True)
        for name in ("001A02.JPG", "002A03.JPG"):
            Image.new("RGB", (4, 4)).save(folder / name, "JPEG")

    monkeypatch.setattr(FgNet, "download", fetch)
    with ThreadPoolExecutor() as pool:
        asked = [
            pool.submit(open_dataset, "fgnet", data_root=tmp_path / "data", download=True)
            for _ in range(3)
        ]
        assert [len(one.result(60).samples) for one in asked] == [2, 2, 2]
    assert fetched == [tmp_path / "data" / "fgnet"]


def test_what_nobody_may_download_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="MORPH II cannot be downloaded"):
        open_dataset("morph", data_root=tmp_path / "data", download=True)
    assert list(tmp_path.iterdir()) == []
