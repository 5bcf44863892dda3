"""The page of a running sweep: what it answers, to whom, and that it follows."""

from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from ordbench.errors import SpecError
from ordbench.leaderboard.query import ask
from ordbench.report.html.content import ReportQuery
from ordbench.report.html.server import LivePage, make_server, records_state
from ordbench.results.store import Store
from tests.ordbench.report.html.conftest import write_run


def get(server: ThreadingHTTPServer, path: str, host: str = "") -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.server_port)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{server.server_port}"})
    answer = connection.getresponse()
    status, text = answer.status, answer.read().decode()
    connection.close()
    return status, text


def test_the_page_follows_the_records(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    status, empty = get(server, "/")
    assert status == 200
    assert "Nothing to show yet: " in empty
    _, before = get(server, "/state")
    assert f'data-follows="/state#{before}"' in empty
    write_run(Store(tmp_path), "linear", 0, 1, 1.0)
    _, after = get(server, "/state")
    assert after != before
    _, page = get(server, "/")
    assert f'data-follows="/state#{after}"' in page
    assert "<bdi>linear</bdi>" in page
    assert get(server, "/")[1] == page, "it is made once"


def test_nothing_else_is_answered_and_nobody_else(server: ThreadingHTTPServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert get(server, "/etc/passwd")[0] == 404
    assert get(server, "/../state")[0] == 404
    assert get(server, "/", host=f"localhost:{server.server_port}")[0] == 200
    for foreign in ("evil.example", f"evil.example:{server.server_port}", "127.0.0.1:1"):
        assert get(server, "/", host=foreign)[0] == 421


def test_a_port_in_use_is_refused(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    page = LivePage([tmp_path], ReportQuery(table=ask()), "Live")
    with pytest.raises(SpecError, match=rf"--port {server.server_port}: .*; choose another"):
        make_server(page, server.server_port)


def test_a_page_that_took_long_is_not_made_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordbench.report.html.server._REST", 1e6)
    page = LivePage([tmp_path], ReportQuery(table=ask()), "Live")
    shown, state = page.text(), page.state()
    write_run(Store(tmp_path), "linear", 0, 1, 1.0)
    assert (page.text(), page.state()) == (shown, state)
    assert records_state([tmp_path]) != state
