from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import PIL.Image
import pytest

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]
Serve = Callable[[Path], str]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve the files of a folder until the test ends; returns the address."""
    with ExitStack() as stack:

        def start(folder: Path) -> str:
            handler = partial(Quiet, directory=folder)
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            return f"http://127.0.0.1:{server.server_port}"

        yield start


@pytest.fixture(scope="session")
def put() -> Put:
    """Write tiny JPEGs of the given names below a folder."""
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (2, 2), "grey").save(buffer, "JPEG")

    def write(folder: Path, names: Iterable[str]) -> Path:
        for name in names:
            if not (folder / name).parent.is_dir():
                (folder / name).parent.mkdir(parents=True)
            (folder / name).write_bytes(buffer.getvalue())
        return folder

    return write


@pytest.fixture(scope="session")
def shared() -> Shared:
    """Find a real file that is not part of the repository, or skip by its name."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    root = Path(os.environ.get("ORDBENCH_SHARED", beside))

    def find(name: str) -> Path:
        if not (root / name).exists():
            pytest.skip(f"no {name} below ORDBENCH_SHARED")
        return root / name

    return find
