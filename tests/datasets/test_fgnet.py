from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.data.download import unpack
from ordbench.errors import DatasetError
from ordbench.splits.draw import draw
from ordbench_datasets.fgnet import FgNet, parse

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]
Serve = Callable[[Path], str]


def test_the_real_photographs_are_downloaded_checked_and_read(
    shared: Shared, tmp_path: Path, serve: Serve
) -> None:
    archive = shared("data/fgnet_subset.zip")

    class Subset(FgNet):
        url = f"{serve(archive.parent)}/{archive.name}"
        checksum = "md5:" + hashlib.md5(archive.read_bytes()).hexdigest()

    Subset(tmp_path).download()
    listing = Subset(tmp_path).read()
    assert len(listing.samples) == 55
    assert listing.rejected == ()
    first = listing.samples[0]
    assert (first.name, first.rank, first.group, first.fold) == ("001A02.JPG", 2, "001", 0)
    assert first.image == tmp_path / "FGNET" / "images" / "001A02.JPG"


def test_the_archive_is_read_where_it_lies_unless_it_is_unpacked(
    shared: Shared, tmp_path: Path, put: Put
) -> None:
    shutil.copy(shared("data/fgnet_subset.zip"), tmp_path / "FGNET.zip")
    zipped = FgNet(tmp_path).read()
    assert len(zipped.samples) == 55
    assert zipped.rejected == (), "landmarks lie beside the images"
    first = zipped.samples[0]
    assert str(first.image) == str(tmp_path / "FGNET.zip" / "FGNET" / "images" / "001A02.JPG")
    assert first.open().mode == "RGB"
    (tmp_path / "FGNET.zip").rename(tmp_path / "other.zip")
    with pytest.raises(DatasetError, match=r"found other\.zip; name it FGNET\.zip, or unpack it$"):
        FgNet(tmp_path).read()
    unpack(tmp_path / "other.zip", tmp_path)
    unpacked = FgNet(tmp_path).read()
    assert unpacked.fingerprint == zipped.fingerprint
    assert isinstance(unpacked.samples[0].image, Path)


def test_one_person_is_left_out_in_each_of_the_82_folds(
    shared: Shared, tmp_path: Path, put: Put
) -> None:
    entries = json.loads(
        shared("splits/facial-age-benchmark-databases/FG-Net.json").read_text(encoding="utf-8")
    )
    names = {entry["img_path"].rpartition("/")[2]: int(entry["age"]) for entry in entries}
    put(tmp_path / "FGNET" / "images", names)
    listing = FgNet(tmp_path).read()
    assert {Path(str(s.image)).name: s.rank for s in listing.samples} == names
    group_of = {sample.name: sample.group for sample in listing.samples}
    tested: list[str] = []
    for fold in range(FgNet.card.folds):
        split = draw(
            listing, dataset="fgnet", protocol="standard", fold=fold, shots=None, data_seed=0
        )
        assert {group_of[name] for name in split.test} == {f"{fold + 1:03}"}
        assert len({group_of[name] for name in split.train + split.val}) == 81
        tested += split.test
    assert sorted(tested) == sorted(group_of)


@pytest.mark.parametrize("fold", [0, 40, 81])
@pytest.mark.parametrize("shots", [None, 2])
def test_its_official_folds_are_those_of_leaving_one_group_out(
    tmp_path: Path, put: Put, fold: int, shots: int | None
) -> None:
    put(tmp_path, [f"{person:03}A{age:02}.JPG" for person in range(1, 83) for age in (5, 30)])
    listing = FgNet(tmp_path).read()
    official, left_out = (
        draw(listing, dataset="fgnet", protocol=protocol, fold=fold, shots=shots, data_seed=0)
        for protocol in ("standard", "leave-one-group-out")
    )
    assert official.hash == left_out.hash
    assert official.division == "official folds"


@pytest.mark.parametrize("folder", ["FGNET/images", "images", "FG-NET/Images", "."])
@pytest.mark.parametrize("names", [["001A02.JPG", "001A43a.JPG"], ["001a02.jpg", "001a43A.jpeg"]])
def test_neither_case_nor_folder_matter(
    tmp_path: Path, put: Put, folder: str, names: list[str]
) -> None:
    put(tmp_path / folder, names)
    listing = FgNet(tmp_path).read()
    assert [(s.name, s.rank) for s in listing.samples] == [("001A02.JPG", 2), ("001A43a.JPG", 43)]


def test_pictures_of_one_age_are_kept_apart_by_their_letter(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["009A16.JPG", "009A16a.JPG", "009A16b.JPG"])
    assert [s.rank for s in FgNet(tmp_path).read().samples] == [16, 16, 16]


def test_landmarks_beside_the_images_are_no_rejected_images(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "FGNET" / "images", ["001A02.JPG"])
    put(tmp_path / "FGNET" / "points", ["001a02.pts"])
    put(tmp_path / "__MACOSX" / "FGNET" / "images", ["._001A02.JPG"])
    listing = FgNet(tmp_path).read()
    assert (len(listing.samples), listing.rejected) == (1, ())


def test_odd_names_are_reported(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["001A02.JPG", "083A10.JPG", "001A70.JPG", "face.jpg"])
    assert dict(FgNet(tmp_path).read().rejected) == {
        "001A70.JPG": "age 70 is not in 0..69",
        "083A10.JPG": "person 083 is not in 001..082",
        "face.jpg": "not named [person]A[age].JPG",
    }
    assert parse("001A2.JPG") == "not named [person]A[age].JPG"


def test_the_published_archive_is_asked_for_by_its_checksum() -> None:
    assert FgNet.url == "https://yanweifu.github.io/FG_NET_data/FGNET.zip"
    assert FgNet.checksum == "md5:1206978cac3626321b84c22b24cc8d19"


def test_another_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between attempts
    with zipfile.ZipFile(tmp_path / "FGNET.zip", "w") as zipped:
        zipped.writestr("FGNET/images/001A02.JPG", "no face")

    class Elsewhere(FgNet):
        url = "http://127.0.0.1:9/FGNET.zip"

    with pytest.raises(DatasetError, match=r"^FG-NET cannot be downloaded from http://127"):
        Elsewhere(tmp_path).download()
    assert not (tmp_path / "FGNET").exists()
