from __future__ import annotations

import hashlib
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ordbench.data.download import fetch_zip, unpack_zip
from ordbench.errors import DatasetError


class Quiet(SimpleHTTPRequestHandler):
    failures = 0

    def do_GET(self) -> None:
        if type(self).failures:
            type(self).failures -= 1
            self.send_error(503)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    Quiet.failures = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def packed(archive: Path, **members: str) -> str:
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, text in members.items():
            zipped.writestr(name, text)
    return "md5:" + hashlib.md5(archive.read_bytes()).hexdigest()


def test_an_archive_is_fetched_checked_and_unpacked(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = site
    checksum = packed(folder / "x.zip", **{"X/a.txt": "a", "__MACOSX/._a": ""})
    fetch_zip(f"{url}/x.zip", checksum, tmp_path / "new" / "root", name="X")
    left = sorted(p.relative_to(tmp_path).as_posix() for p in (tmp_path / "new").rglob("*"))
    assert left == ["new/root", "new/root/X", "new/root/X/a.txt"]


def test_a_busy_server_is_asked_again(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = site
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    checksum = packed(folder / "x.zip", **{"X/a.txt": "a"})
    Quiet.failures = 2
    fetch_zip(f"{url}/x.zip", checksum, tmp_path, name="X")
    assert (tmp_path / "X" / "a.txt").read_text() == "a"
    assert waits == [1, 2]


def test_another_file_than_the_published_one_leaves_nothing_behind(
    site: tuple[Path, str], tmp_path: Path
) -> None:
    folder, url = site
    packed(folder / "x.zip", **{"X/a.txt": "a"})
    root = tmp_path / "root"
    with pytest.raises(DatasetError, match=r"^X: the download from .* does not match"):
        fetch_zip(f"{url}/x.zip", "md5:" + "0" * 32, root, name="X", retries=0)
    assert list(root.iterdir()) == []


def test_a_refusal_says_the_servers_words(site: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="404 Client Error") as caught:
        fetch_zip(f"{site[1]}/gone.zip", "md5:" + "0" * 32, tmp_path, name="X", retries=0)
    assert f"put it at {tmp_path / 'gone.zip'}" in str(caught.value)


def test_without_a_network_it_says_where_to_put_the_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"X cannot be downloaded .*\(no connection\)") as e:
        fetch_zip("http://127.0.0.1:9/x.zip", "md5:" + "0" * 32, tmp_path, name="X", retries=0)
    assert "\n" not in str(e.value)
    assert f"put it at {tmp_path / 'x.zip'}" in str(e.value)


def test_an_archive_put_there_by_hand_needs_no_network(tmp_path: Path) -> None:
    checksum = packed(tmp_path / "x.zip", **{"X/a.txt": "a"})
    fetch_zip("http://127.0.0.1:9/x.zip", checksum, tmp_path, name="X", retries=0)
    assert [p.name for p in tmp_path.iterdir()] == ["X"]


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil"])
def test_no_member_is_written_outside_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data" / "root"
    folder.mkdir(parents=True)
    packed(folder / "x.zip", **{"X/a.txt": "a", name: "evil"})
    unpack_zip(folder / "x.zip", folder)
    assert [p.name for p in tmp_path.iterdir()] == ["data"]
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["root"]
    assert not Path("/evil").exists()


def test_a_link_in_an_archive_becomes_a_plain_file(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("X/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        zipped.writestr(link, "/etc/passwd")
    unpack_zip(tmp_path / "x.zip", tmp_path)
    assert not (tmp_path / "X" / "link").is_symlink()


def test_what_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    packed(tmp_path / "x.zip", **{"A/a.txt": "new", "X/a.txt": "new"})
    (tmp_path / "X").mkdir()
    with pytest.raises(DatasetError, match="X already exists"):
        unpack_zip(tmp_path / "x.zip", tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["X", "x.zip"]


def test_a_broken_archive_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(DatasetError, match=r"x\.zip cannot be unpacked"):
        unpack_zip(tmp_path / "x.zip", tmp_path)
