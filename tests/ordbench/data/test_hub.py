"""Datasets come from a Hugging Face Hub on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest
from huggingface_hub import constants

from ordbench.data.hub import PARQUET, fetch, fetched
from ordbench.errors import DatasetError
from tests.ordbench.hub import serving

COMMIT = "c" * 40


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download asks for; files whose content is None are lost."""

    files: ClassVar[dict[str, bytes | None]]

    def content(self) -> bytes | None:
        if self.path.startswith("/api/datasets/org/faces/revision/"):
            listed = [{"rfilename": name} for name in self.files]
            return json.dumps({"id": "org/faces", "sha": COMMIT, "siblings": listed}).encode()
        prefix = f"/datasets/org/faces/resolve/{COMMIT}/"
        return self.files.get(self.path.removeprefix(prefix)) if prefix in self.path else None

    def do_HEAD(self) -> None:
        content = self.content()
        self.send_response(404 if content is None else 200)
        self.send_header("ETag", f'"{sha256(content or b"").hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.content() or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    class Ours(Hub):
        files: ClassVar = {
            "README.md": b"faces",
            "a/train.parquet": b"of a",
            "b/train.parquet": b"of b",
            "photo.jpg": b"never asked for",
        }

    with serving(Ours, tmp_path / "hub", monkeypatch):
        yield Ours


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_tables_are_fetched_once_and_found_without_a_network(
    tmp_path: Path, hub: type[Hub]
) -> None:
    assert fetched(tmp_path / "data", "org/faces", "main") is None
    fetch(tmp_path / "data", "org/faces", "main")
    hub.files.clear()
    found = fetched(tmp_path / "data", "org/faces", "main")
    assert found is not None
    assert found.commit == COMMIT
    assert files(found.folder) == {
        "README.md": b"faces",
        "a/train.parquet": b"of a",
        "b/train.parquet": b"of b",
    }
    assert fetched(tmp_path / "data", "org/faces", "refs/convert/parquet") is None
    (found.folder / "b/train.parquet").unlink()
    assert fetched(tmp_path / "data", "org/faces", "main") is None


def test_one_folder_does_not_pass_for_the_whole(tmp_path: Path, hub: type[Hub]) -> None:
    fetch(tmp_path, "org/faces", "main", "b")
    found = fetched(tmp_path, "org/faces", "main", "b")
    assert found is not None
    assert set(files(found.folder)) == {"README.md", "b/train.parquet"}
    assert fetched(tmp_path, "org/faces", "main") is None


def test_configurations_are_not_mixed_in_the_copy_that_the_hub_makes(
    tmp_path: Path, hub: type[Hub]
) -> None:
    with pytest.raises(DatasetError, match=r"it has the configurations a, b; name one in config="):
        fetch(tmp_path, "org/faces", PARQUET)
    fetch(tmp_path, "org/faces", PARQUET, "a")
    assert fetched(tmp_path, "org/faces", PARQUET, "a") is not None


def test_half_a_download_is_none(tmp_path: Path, hub: type[Hub]) -> None:
    hub.files["b/train.parquet"] = None
    with pytest.raises(
        DatasetError, match=r"org/faces \(revision main\) cannot be downloaded from"
    ):
        fetch(tmp_path, "org/faces", "main")
    assert fetched(tmp_path, "org/faces", "main") is None
    hub.files["b/train.parquet"] = b"of b"
    fetch(tmp_path, "org/faces", "main")
    assert fetched(tmp_path, "org/faces", "main") is not None


def test_a_repository_without_tables_or_a_hub_that_is_not_there_says_what_to_do(
    tmp_path: Path, hub: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files = {"photo.jpg": b""}
    with pytest.raises(DatasetError, match=r"no Parquet or Arrow .*revision=refs/convert/parquet"):
        fetch(tmp_path, "org/faces", "main")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(
        DatasetError, match=r"\(.*\); try again, or save it elsewhere by save_to_disk"
    ):
        fetch(tmp_path, "org/faces", "main")
