"""The page of a sweep that runs: made anew when results change, for browsers on this machine."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import attrgetter
from pathlib import Path
from threading import Lock
from typing import cast

from ordbench.errors import OrdbenchError, SpecError
from ordbench.report.html.content import Report, ReportQuery, gather
from ordbench.report.html.page import render_page
from ordbench.results.layout import archive_path, entries, stamps

HOST = "127.0.0.1"
STATE = "/state"
_REST = 5.0  # times as long as a page took to make: a sweep needs the processor more


@dataclass
class LivePage:
    """A page, made anew when its records have changed.

    Args:
        folders: Stores or archives.
        asked: What to show.
        title: Of the page.
    """

    folders: Sequence[Path]
    asked: ReportQuery
    title: str
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)
    _state: str = field(default="", init=False)
    _text: str = field(default="", init=False, repr=False)
    _rests_until: float = field(default=0.0, init=False)

    def state(self) -> str:
        """Another text when there is something new to show."""
        if self._text and time.monotonic() < self._rests_until:
            return self._state
        return records_state(self.folders)

    def text(self) -> str:
        """The page as of now."""
        with self._lock:
            state = self.state()
            if state != self._state:
                begun = time.monotonic()
                self._text = render_page(self._report(), follows=f"{STATE}#{state}")
                self._state = state
                self._rests_until = time.monotonic() + _REST * (time.monotonic() - begun)
            return self._text

    def _report(self) -> Report:
        try:
            return gather(self.folders, self.asked, self.title)
        except OrdbenchError as error:  # there may be some soon
            return Report(title=self.title, folders=[], message=str(error))


def records_state(folders: Sequence[Path]) -> str:
    """A hash of which records there are, and when each was written."""
    digest = hashlib.sha256()
    for folder in folders:
        if archive := archive_path(folder):
            digest.update(f"{archive} {archive.stat().st_mtime_ns}".encode())
            continue
        digest.update(repr(sorted(stamps(folder).items())).encode())
        for entry in sorted(entries(folder / "skipped"), key=attrgetter("name")):
            digest.update(f"{entry.name} {entry.stat().st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def make_server(page: LivePage, port: int) -> ThreadingHTTPServer:
    """A server of this page on 127.0.0.1, not yet serving.

    Args:
        page: What it serves.
        port: Where; 0 for any that is free.

    Raises:
        SpecError: If the port cannot be used.
    """
    try:
        return _Server((HOST, port), partial(_Handler, page))
    except OSError as error:
        raise SpecError(
            f"--port {port}: {error.strerror or error}; choose another, or 0 for any that is free"
        ) from None


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    """Answers with the page, and with its state."""

    def __init__(self, page: LivePage, *arguments: object) -> None:
        self._page = page
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer one request."""
        answers = {"/": ("text/html", self._page.text), STATE: ("text/plain", self._page.state)}
        if not self._is_meant():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path not in answers:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            kind, answer = answers[self.path]
            self._send(kind, answer().encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: only the command line prints."""

    def _is_meant(self) -> bool:
        """Whether the browser was sent to this machine by name, not by a foreign name server."""
        host, _, port = self.headers.get("Host", "").rpartition(":")
        return host in {HOST, "localhost"} and port == str(cast("_Server", self.server).server_port)

    def _send(self, kind: str, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(content)),
            "Content-Security-Policy": "frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
