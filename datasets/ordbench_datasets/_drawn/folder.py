"""A folder of generated files that is either whole or made again, whoever else makes it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

_MANIFEST = "manifest.json"
_STALE_SECONDS = 3600.0


def is_whole(folder: Path) -> bool:
    """Whether every file that the manifest names is there with its size; contents are not read."""
    try:
        sizes: dict[str, int] = json.loads((folder / _MANIFEST).read_bytes())["bytes"]
        with os.scandir(folder) as entries:
            found = {entry.name: entry.stat().st_size for entry in entries}
        return sizes.items() <= found.items()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def digest(folder: Path) -> str:
    """SHA-256 of all names and contents, as written down when the folder was made."""
    return str(json.loads((folder / _MANIFEST).read_bytes())["sha256"])


def make(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write ``files`` (name, content) into a new folder, which appears only when it is whole.

    The files are written beside it, the manifest last, and the folder is renamed into place. If
    another process has made it meanwhile, its work stays. A damaged folder is replaced.

    Raises:
        OSError: If it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    ours = _beside(folder)
    ours.mkdir()
    try:
        _write(ours, files)
        _put(ours, folder)
    finally:
        shutil.rmtree(ours, ignore_errors=True)


def _write(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    sizes: dict[str, int] = {}
    total = hashlib.sha256()
    for name, content in files:
        (folder / name).write_bytes(content)
        sizes[name] = len(content)
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    manifest = {"sha256": total.hexdigest(), "bytes": sizes}
    (folder / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def _put(ours: Path, folder: Path) -> None:
    problem = OSError()
    for _ in range(3):
        if is_whole(folder):
            return
        try:
            os.rename(ours, folder)
        except OSError as error:
            problem = error
        # What is in the way is damaged, unless another process has just put its own there.
        if not is_whole(folder):
            aside = _beside(folder)
            with suppress(OSError):
                os.rename(folder, aside)
            shutil.rmtree(aside, ignore_errors=True)
    raise problem


def _beside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.{os.getpid()}-{token_hex(4)}.tmp")


def _sweep(folder: Path) -> None:
    """Remove what killed processes left behind; what is younger may be somebody's work."""
    for left in folder.parent.glob(f".{folder.name}.*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left)
