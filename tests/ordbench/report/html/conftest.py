"""What the tests of a page share: a folder of runs with hostile names, and a browser."""

import shutil
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ordbench.leaderboard.query import ask
from ordbench.report.html.content import Report, ReportQuery, gather
from ordbench.report.html.page import render_page
from ordbench.report.html.server import LivePage, make_server
from ordbench.results.store import Store
from ordbench.runs.predictions import Predictions
from ordbench.runs.record import SplitFacts, TaskFacts
from ordbench.runs.spec import RunSpec
from ordbench.utils.canonical_json import run_id
from tests.ordbench.conftest import done

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OpenPage = Callable[..., "Page"]

IMG = "<img src=x onerror=attacked()>"
SCRIPT = "</script><script>attacked()</script>"
QUOTES = "\"'><svg onload=attacked()> {{ 7 * 7 }}"
TURNED = "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe \N{ARABIC LETTER MEEM}"
HOSTILE = (IMG, SCRIPT, QUOTES, TURNED, "\N{GRINNING FACE} head")
ERRORS = {"linear": 2.0, "coral": 1.0, **{name: 3.0 + at for at, name in enumerate(HOSTILE)}}
"""Mean errors of the heads with one shot; with four they are halves."""
IMAGES = 30


def write_run(store: Store, head: str, seed: int, shots: int, error: float) -> None:
    """Keep a run whose estimates are too high by about ``error`` years."""
    generator = np.random.default_rng([*head.encode(), seed, shots])
    ranks = np.arange(IMAGES) % 3
    values = (0.0, 50.0, 100.0)
    errors = error + generator.normal(0, 0.2, IMAGES)
    spec = RunSpec(
        head=head,
        dataset="drawn-faces",
        dataset_argument="",
        shots=shots,
        data_seed=seed,
        train_seed=seed,
    )
    record = done(
        run_id=run_id({"head": head, "seed": seed, "shots": shots}),
        label=head,
        spec=spec,
        task=TaskFacts(title=f"Faces {IMG}", num_ranks=3, unit="years", rank_values=values),
        split=SplitFacts(hash=f"{seed}{shots}" * 8, train=8, val=4, test=IMAGES, notes=(SCRIPT,)),
        metrics={"point": {"mae": float(np.abs(errors).mean())}},
        baseline={"mae": 33.0},
        versions={"ordbench": "0.1.0", "numpy": "2"},
        machine={"processor": f"a {QUOTES}"},
        seconds={"fit": 0.5},
    )
    names = [f"{number:02} {HOSTILE[number % len(HOSTILE)]}" for number in range(IMAGES)]
    points = {"point": np.asarray(values)[ranks] + errors}
    store.write(
        record,
        Predictions(samples=names, ranks=ranks, estimates=points, rank_values=values, unit="years"),
    )


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven heads, two numbers of shots, two seeds; the names are those of an attacker."""
    root = tmp_path_factory.mktemp("hostile")
    store = Store(root)
    for head, error in ERRORS.items():
        for seed in range(2):
            write_run(store, head, seed, 1, error)
            write_run(store, head, seed, 4, error / 2)
    return root


@pytest.fixture(scope="session")
def report(hostile: Path) -> Report:
    return gather([hostile], ReportQuery(table=ask()), SCRIPT)


@pytest.fixture(scope="session")
def page_file(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_page(report), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One Chromium for the tests of a file: the system's, as none is downloaded.

    It is not kept longer: its driver is an event loop, which would be in the way of others.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=["--no-proxy-server"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: "Browser", page_file: Path) -> "Iterator[OpenPage]":
    """Open the page in a window of its own; faults and requests are collected on the page."""
    contexts = []

    def open_one(address: str = "", **settings: object) -> "Page":
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(address or page_file.as_uri())
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """It serves an empty folder, and never rests."""
    page = LivePage([tmp_path], ReportQuery(table=ask()), "Live")
    with pytest.MonkeyPatch.context() as patch, make_server(page, 0) as server:
        patch.setattr("ordbench.report.html.server._REST", 0.0)
        thread = Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield server
        server.shutdown()
        thread.join()
