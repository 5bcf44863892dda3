import os
from pathlib import Path

import pytest

from ordbench.errors import StoreError
from ordbench.utils.files import remove_stale, write_atomic


def test_a_file_is_made_with_its_folders_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomic(path, b"long content")
    write_atomic(path, b"short")
    assert path.read_bytes() == b"short"
    assert [*path.parent.iterdir()] == [path]


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot write .*file: No space left on device; .*room"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


def test_an_interrupted_write_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "file", b"new")
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_cannot_be_made_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where a folder is wanted")
    with pytest.raises(StoreError, match=r"cannot write .*record\.json: ") as caught:
        write_atomic(tmp_path / "results" / "runs" / "record.json", b"{}")
    assert "\n" not in str(caught.value)


def test_old_temporary_files_are_swept_and_young_or_foreign_ones_stay(tmp_path: Path) -> None:
    names = [".old.json.1-ab.tmp", ".young.json.1-ab.tmp", "old.tmp", ".old.json"]
    for name in names:
        (tmp_path / name).touch()
    hour_ago = (tmp_path / names[0]).stat().st_mtime - 3601
    for name in names:
        if "old" in name:
            os.utime(tmp_path / name, (hour_ago, hour_ago))
    remove_stale(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])
