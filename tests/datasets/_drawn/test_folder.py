import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ordbench_datasets._drawn.folder import digest, is_whole, make

FILES = [("a.png", b"first"), ("b.png", b"second")]


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix == ".png"}


def test_a_made_folder_is_whole_and_alone(tmp_path: Path) -> None:
    make(tmp_path / "root" / "key", FILES)
    assert is_whole(tmp_path / "root" / "key")
    assert contents(tmp_path / "root" / "key") == dict(FILES)
    assert os.listdir(tmp_path / "root") == ["key"]


def test_the_digest_is_that_of_names_and_contents(tmp_path: Path) -> None:
    make(tmp_path / "key", FILES)
    assert (
        digest(tmp_path / "key")
        == hashlib.sha256(b"a.png\x005\0firstb.png\x006\0second").hexdigest()
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.png", None),
        ("b.png", b"sec"),
        ("manifest.json", None),
        ("manifest.json", b'{"bytes": {"a.png"'),
        ("manifest.json", b"[]"),
        ("manifest.json", b'{"bytes": 3}'),
    ],
    ids=["missing", "cut off", "no manifest", "cut off manifest", "other JSON", "no sizes"],
)
def test_a_damaged_folder_is_seen_and_replaced(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    folder = tmp_path / "key"
    make(folder, FILES)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    assert not is_whole(folder)
    make(folder, FILES)
    assert is_whole(folder)
    assert contents(folder) == dict(FILES)
    assert os.listdir(tmp_path) == ["key"]


def test_what_does_not_belong_there_does_no_harm(tmp_path: Path) -> None:
    make(tmp_path / "key", FILES)
    (tmp_path / "key" / ".DS_Store").write_bytes(b"")
    assert is_whole(tmp_path / "key")


def test_the_work_of_a_faster_process_stays(tmp_path: Path) -> None:
    def slow() -> Iterator[tuple[str, bytes]]:
        yield FILES[0]
        make(tmp_path / "key", FILES)
        (tmp_path / "key" / "theirs").touch()
        yield FILES[1]

    make(tmp_path / "key", slow())
    assert (tmp_path / "key" / "theirs").exists()
    assert os.listdir(tmp_path) == ["key"]


def test_many_at_once_all_end_well(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: make(tmp_path / "key", FILES), range(40)))
    assert contents(tmp_path / "key") == dict(FILES)
    assert os.listdir(tmp_path) == ["key"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def stopped() -> Iterator[tuple[str, bytes]]:
        yield FILES[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "key", stopped())
    assert os.listdir(tmp_path) == []


def test_leftovers_of_killed_processes_are_removed_but_not_work_in_progress(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / ".key.1-aa.tmp", tmp_path / ".key.2-bb.tmp"
    old.mkdir()
    new.mkdir()
    two_hours_ago = time.time() - 7200
    os.utime(old, (two_hours_ago, two_hours_ago))
    make(tmp_path / "key", FILES)
    assert sorted(os.listdir(tmp_path)) == [".key.2-bb.tmp", "key"]
