"""A dataset that is missing and wanted by several processes at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ordbench.data.loading import open_dataset
from ordbench.dataset import Dataset, Sample, Samples
from ordbench.errors import BrokenPluginError, DatasetError
from ordbench.plugins.registry import Registry
from ordbench.task import Task
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


@pytest.mark.parametrize("name", ["folder", "csv"])
def test_a_path_that_a_disk_refuses_is_named(name: str) -> None:
    with pytest.raises(DatasetError, match=rf"'{name}': aaa.* cannot be read: File name too long"):
        open_dataset(name, "a" * 300)


def test_a_folder_of_datasets_that_may_not_be_entered_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", closed)
    with pytest.raises(DatasetError, match=r"utkface cannot be read: Permission denied; check"):
        open_dataset("utkface", data_root=tmp_path)


def test_what_nobody_may_download_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="MORPH II cannot be downloaded"):
        open_dataset("morph", data_root=tmp_path / "data", download=True)
    assert list(tmp_path.iterdir()) == []


def test_terms_are_agreed_to_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FgNet, "card", replace(FgNet.card, terms="research only"))
    with pytest.raises(DatasetError, match=r"\(research only\); run ordbench data get fgnet$"):
        open_dataset("fgnet", data_root=tmp_path / "data", download=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("brings", [True, False])
def test_a_reader_that_does_not_give_what_its_card_says_is_refused(
    brings: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task(rank_names=("0", "1"), rank_values=(0, 1), unit="grade", context="it is")
    image = Samples(task=task, samples=(Sample("a", Path("a.png"), 0),))
    row = Samples(
        task=task, samples=(Sample("a", None, 0),), features=np.zeros((1, 2), dtype=np.float32)
    )
    wrong, right = (image, row) if brings else (row, image)
    given = [wrong]

    class Mine(Dataset):
        card = replace(FgNet.card, grouped=False, brings_features=brings)

        def read(self) -> Samples:
            return given[0]

    registry = Registry("dataset", "ordbench.datasets", {"mine": Mine})
    monkeypatch.setattr("ordbench.data.loading.DATASETS", registry)
    with pytest.raises(BrokenPluginError, match="dataset 'mine' says on its card that it has"):
        open_dataset("mine")
    given[0] = right
    assert open_dataset("mine") is right


def test_options_that_are_the_default_restrict_nothing(tmp_path: Path) -> None:
    (tmp_path / "morph").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "morph" / "009055_1M54.JPG", "JPEG")

    def counted(**options: str) -> list[str]:
        found = open_dataset("morph", options=options, data_root=tmp_path).notes
        return [note for note in found if note.startswith("1 images, not the 55,134")]

    assert [len(counted()), len(counted(list="", ages="0-100")), len(counted(ages="16-77"))] == [
        1,
        1,
        0,
    ]
