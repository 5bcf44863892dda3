from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from ordbench_datasets.hci import HistoricalColorImages

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]
Serve = Callable[[Path], str]
ABOVE = "HistoricalColor-ECCV2012/data/imgs/decade_database"


def test_other_folders_of_the_archive_are_not_read(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [f"{ABOVE}/1950s/a.jpg", f"{ABOVE}/1960s/a.jpg", f"{ABOVE}/2000s/a.jpg"])
    put(tmp_path, ["HistoricalColor-ECCV2012/data/figures/1950s/b.jpg", f"{ABOVE}/c.jpg"])
    (tmp_path / ABOVE / "1950s" / "notes.txt").write_text("x")
    listing = HistoricalColorImages(tmp_path).read()
    assert [(s.name, s.rank) for s in listing.samples] == [("1950s/a.jpg", 2), ("1960s/a.jpg", 3)]
    assert [name.rpartition("/")[2] for name, _ in listing.rejected] == ["notes.txt"]
    assert listing.task.rank_values == (193.0, 194.0, 195.0, 196.0, 197.0)
    assert listing.task.unit == "decades"


def test_the_archive_is_downloaded_checked_and_unpacked(
    tmp_path: Path, put: Put, serve: Serve
) -> None:
    put(tmp_path / "site", [f"{ABOVE}/1950s/a.jpg", f"{ABOVE}/1960s/b.jpg"])
    archive = tmp_path / "site" / "decades.tar"
    with tarfile.open(archive, "w") as packed:
        packed.add(tmp_path / "site" / "HistoricalColor-ECCV2012", "HistoricalColor-ECCV2012")

    class Decades(HistoricalColorImages):
        url = f"{serve(archive.parent)}/{archive.name}"
        checksum = "md5:" + hashlib.md5(archive.read_bytes()).hexdigest()

    Decades(tmp_path / "hci").download()
    assert [p.name for p in (tmp_path / "hci").iterdir()] == ["HistoricalColor-ECCV2012"]
    assert [s.name for s in Decades(tmp_path / "hci").read().samples] == [
        "1950s/a.jpg",
        "1960s/b.jpg",
    ]


def test_the_published_archive_is_asked_for_by_its_checksum() -> None:
    assert HistoricalColorImages.checksum == "md5:afb4c47b7da105c4afd1f27e06bea171"
    folder, _, file = HistoricalColorImages.url.rpartition("/")
    assert f"{file} of {folder} " in HistoricalColorImages.card.how_to_get
