from __future__ import annotations

import hashlib
import io
import random
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from ordbench.data.download import fetch_archive, fetch_file, unpack
from ordbench.errors import DatasetError, StoreError


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, with ranges unless told otherwise, and counts the bytes that it sends."""

    failures = 0
    ranges = True
    stops_after: int | None = None  # bytes of an answer; then the connection ends
    sent: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        server = type(self)
        if server.failures:
            server.failures -= 1
            self.send_error(503)
            return
        file = Path(self.translate_path(self.path))
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        asked = self.headers["Range"] if server.ranges else None
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if asked and begin >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        stop, server.stops_after = server.stops_after, None
        rest = content[begin:] if stop is None else content[begin : begin + stop]
        server.sent.append(len(rest))
        self.wfile.write(rest)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    Quiet.failures, Quiet.ranges, Quiet.stops_after = 0, True, None
    Quiet.sent.clear()
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
    fetch_archive(f"{url}/x.zip", checksum, tmp_path / "new" / "root", name="X")
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
    fetch_archive(f"{url}/x.zip", checksum, tmp_path, name="X")
    assert (tmp_path / "X" / "a.txt").read_text() == "a"
    assert waits == [1, 2]


def test_another_file_than_the_published_one_leaves_nothing_behind(
    site: tuple[Path, str], tmp_path: Path
) -> None:
    folder, url = site
    packed(folder / "x.zip", **{"X/a.txt": "a"})
    root = tmp_path / "root"
    with pytest.raises(DatasetError, match=r"^X: the download from .* does not match"):
        fetch_archive(f"{url}/x.zip", "md5:" + "0" * 32, root, name="X", retries=0)
    assert list(root.iterdir()) == []


def large(folder: Path) -> tuple[bytes, str]:
    """A file of 300,000 bytes that do not repeat, and its checksum."""
    content = random.Random(0).randbytes(300_000)
    (folder / "x.bin").write_bytes(content)
    return content, "sha256:" + hashlib.sha256(content).hexdigest()


def test_a_download_that_breaks_off_is_resumed_where_it_broke_off(
    site: tuple[Path, str], tmp_path: Path
) -> None:
    folder, url = site
    content, checksum = large(folder)
    file = tmp_path / "new" / "x.bin"
    Quiet.stops_after = 200_000
    with pytest.raises(DatasetError, match=r"what has arrived is kept, so run it again to go on"):
        fetch_file(f"{url}/x.bin", checksum, file, name="X", retries=0)
    kept = (tmp_path / "new" / ".x.bin.part").stat().st_size
    assert 100_000 < kept <= 200_000
    fetch_file(f"{url}/x.bin", checksum, file, name="X", retries=0)
    assert file.read_bytes() == content
    assert Quiet.sent == [200_000, 300_000 - kept]
    assert [path.name for path in file.parent.iterdir()] == ["x.bin"]


def test_an_attempt_after_a_broken_one_asks_for_the_rest_only(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = site
    content, checksum = large(folder)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    Quiet.stops_after = 200_000
    fetch_file(f"{url}/x.bin", checksum, tmp_path / "x.bin", name="X", retries=1)
    assert (tmp_path / "x.bin").read_bytes() == content
    assert len(Quiet.sent) == 2
    assert sum(Quiet.sent) < 300_000 + 65_536


def test_a_server_without_ranges_is_asked_for_all_of_it(
    site: tuple[Path, str], tmp_path: Path
) -> None:
    folder, url = site
    content, checksum = large(folder)
    Quiet.ranges = False
    (tmp_path / ".x.bin.part").write_bytes(content[:1000])
    fetch_file(f"{url}/x.bin", checksum, tmp_path / "x.bin", name="X", retries=0)
    assert (tmp_path / "x.bin").read_bytes() == content
    assert Quiet.sent == [300_000]


@pytest.mark.parametrize("begun", [b"of another file", b"longer" * 60_000])
def test_what_was_begun_of_another_file_is_fetched_anew(
    site: tuple[Path, str], tmp_path: Path, begun: bytes
) -> None:
    folder, url = site
    content, checksum = large(folder)
    (tmp_path / ".x.bin.part").write_bytes(begun)
    fetch_file(f"{url}/x.bin", checksum, tmp_path / "x.bin", name="X", retries=0)
    assert (tmp_path / "x.bin").read_bytes() == content


def test_a_part_that_is_whole_needs_no_more_bytes(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = site
    content, checksum = large(folder)
    (tmp_path / ".x.bin.part").write_bytes(content)
    fetch_file(f"{url}/x.bin", checksum, tmp_path / "x.bin", name="X", retries=0)
    assert Quiet.sent == []
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["x.bin"]


def test_a_download_that_was_killed_is_resumed(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = site
    content, checksum = large(folder)
    file = tmp_path / "x.bin"
    program = (
        "import os, requests, signal\n"
        "read = requests.Response.iter_content\n"
        "def dying(answer, size):\n"
        "    for number, chunk in enumerate(read(answer, size)):\n"
        "        if number == 2:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield chunk\n"
        "requests.Response.iter_content = dying\n"
        "from ordbench.data.download import fetch_file\n"
        "from pathlib import Path\n"
        f"fetch_file({url!r} + '/x.bin', {checksum!r}, Path({str(file)!r}), name='X')\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    kept = (tmp_path / ".x.bin.part").stat().st_size
    assert kept == 2 * 65_536
    fetch_file(f"{url}/x.bin", checksum, file, name="X", retries=0)
    assert file.read_bytes() == content
    assert Quiet.sent == [300_000, 300_000 - kept]


def test_a_disk_that_refuses_is_not_called_the_network(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="taken"):
        fetch_file("http://127.0.0.1:9/x", "md5:0", tmp_path / "taken" / "x", name="X", retries=0)


def test_a_refusal_says_the_servers_words(site: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="404 Client Error") as caught:
        fetch_archive(f"{site[1]}/gone.zip", "md5:" + "0" * 32, tmp_path, name="X")
    assert f"put it at {tmp_path / 'gone.zip'}" in str(caught.value)


def test_without_a_network_it_says_where_to_put_the_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"X cannot be downloaded .*\(no connection\)") as e:
        fetch_archive("http://127.0.0.1:9/x.zip", "md5:" + "0" * 32, tmp_path, name="X", retries=0)
    assert "\n" not in str(e.value)
    assert f"put it at {tmp_path / 'x.zip'}" in str(e.value)


def test_an_archive_put_there_by_hand_needs_no_network(tmp_path: Path) -> None:
    checksum = packed(tmp_path / "x.zip", **{"X/a.txt": "a"})
    fetch_archive("http://127.0.0.1:9/x.zip", checksum, tmp_path, name="X", retries=0)
    assert [p.name for p in tmp_path.iterdir()] == ["X"]


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil"])
def test_no_member_is_written_outside_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data" / "root"
    folder.mkdir(parents=True)
    packed(folder / "x.zip", **{"X/a.txt": "a", name: "evil"})
    unpack(folder / "x.zip", folder)
    assert [p.name for p in tmp_path.iterdir()] == ["data"]
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["root"]
    assert not Path("/evil").exists()


def test_a_link_in_an_archive_becomes_a_plain_file(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("X/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        zipped.writestr(link, "/etc/passwd")
    unpack(tmp_path / "x.zip", tmp_path)
    assert not (tmp_path / "X" / "link").is_symlink()


def test_what_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    packed(tmp_path / "x.zip", **{"A/a.txt": "new", "X/a.txt": "new"})
    (tmp_path / "X").mkdir()
    with pytest.raises(DatasetError, match="X already exists"):
        unpack(tmp_path / "x.zip", tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["X", "x.zip"]


def test_a_broken_archive_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(DatasetError, match=r"x\.zip cannot be unpacked"):
        unpack(tmp_path / "x.zip", tmp_path)


def tarred(archive: Path, *members: tarfile.TarInfo) -> None:
    with tarfile.open(archive, "w:gz") as packed:
        for member in members:
            member.size = 1 if member.isfile() else 0
            packed.addfile(member, io.BytesIO(b"a"))


def test_a_tar_archive_is_unpacked(tmp_path: Path) -> None:
    tarred(tmp_path / "x.tar.gz", tarfile.TarInfo("X/deep/a.txt"))
    unpack(tmp_path / "x.tar.gz", tmp_path)
    assert (tmp_path / "X" / "deep" / "a.txt").read_text() == "a"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["X", "x.tar.gz"]


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize(
    "bad", [tarfile.TarInfo("../evil"), link("X/link", "/etc"), link("X/link", "../../evil")]
)
def test_a_tar_archive_that_reaches_outside_is_refused_whole(
    tmp_path: Path, bad: tarfile.TarInfo
) -> None:
    folder = tmp_path / "root"
    folder.mkdir()
    tarred(tmp_path / "x.tar.gz", tarfile.TarInfo("X/a.txt"), bad)
    with pytest.raises(DatasetError, match=r"x\.tar\.gz cannot be unpacked"):
        unpack(tmp_path / "x.tar.gz", folder)
    assert list(folder.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root", "x.tar.gz"]


def test_a_tar_archive_that_is_cut_off_is_refused_whole(tmp_path: Path) -> None:
    folder = tmp_path / "root"
    folder.mkdir()
    content, _ = large(tmp_path)
    archive = tmp_path / "x.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "x.bin", "X/x.bin")
    archive.write_bytes(archive.read_bytes()[: len(content) // 2])
    with pytest.raises(DatasetError, match="cannot be unpacked"):
        unpack(archive, folder)
    assert list(folder.iterdir()) == []


def test_what_a_killed_unpacking_has_left_is_removed(tmp_path: Path) -> None:
    packed(tmp_path / "x.zip", **{"X/a.txt": "a"})
    (tmp_path / ".unpacking" / "half").mkdir(parents=True)
    unpack(tmp_path / "x.zip", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["X", "x.zip"]


def test_a_length_that_is_no_number_is_not_believed(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = site
    content, checksum = large(folder)
    send = Quiet.send_header

    def lie(server: Quiet, name: str, value: str) -> None:
        send(server, name, "many" if name == "Content-Length" else value)

    monkeypatch.setattr(Quiet, "send_header", lie)
    fetch_file(f"{url}/x.bin", checksum, tmp_path / "x.bin", name="X")
    assert (tmp_path / "x.bin").read_bytes() == content
