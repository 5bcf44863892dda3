"""Trained heads go to a Hugging Face Hub on this machine and come back."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pytest
from huggingface_hub import ModelCard

from ordbench.cli.main import main
from ordbench.errors import SpecError, StoreError
from ordbench.results.store import Store
from ordbench.results.trained_heads import kept_file, load_head
from ordbench.runs.head_hub import HEAD_FILE, model_card, pull, push
from ordbench.runs.kept_head import from_safetensors
from tests.ordbench.conftest import done
from tests.ordbench.hub import serving

REPOSITORY = "org/ages"


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a commit and a download ask for."""

    made: ClassVar[list[dict[str, Any]]]
    files: ClassVar[dict[str, bytes]]

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = f"http://{self.headers['Host']}/{REPOSITORY}"
        answer: dict[str, object] = {}
        if self.path == "/api/repos/create":
            self.made.append(json.loads(sent))
            answer = {"url": url}
        elif self.path == f"/api/models/{REPOSITORY}/preupload/main":
            paths = [one["path"] for one in json.loads(sent)["files"]]
            listed = [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]
            answer = {"files": listed}
        elif self.path == f"/api/models/{REPOSITORY}/commit/main":
            for line in map(json.loads, sent.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.files[line["value"]["path"]] = content
            answer = {"commitUrl": f"{url}/commit/{'c' * 40}", "commitOid": "c" * 40}
        self._send(200, json.dumps(answer).encode())

    def do_GET(self) -> None:
        prefix = f"/{REPOSITORY}/resolve/main/"
        found = self.files.get(self.path.removeprefix(prefix)) if prefix in self.path else None
        self._send(404 if found is None else 200, found or b"")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", f'"{sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", "c" * 40)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    class Ours(Hub):
        made: ClassVar = []
        files: ClassVar = {}

    with serving(Ours, tmp_path / "hub", monkeypatch):
        yield Ours


def test_a_pushed_head_predicts_as_before(
    hub: type[Hub],
    trained: Path,
    shared_cache: Path,
    faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = next(one.run_id for one in Store(trained).records() if one.spec.head == "linear")
    monkeypatch.chdir(tmp_path)
    where = ["--results", str(trained), "--cache", str(shared_cache)]
    chosen = ["--run", run, "--format", "safetensors", "--push", REPOSITORY]
    monkeypatch.setattr(sys, "argv", ["ordbench", "export", *where, *chosen])
    assert main() == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"/{REPOSITORY}/commit/{'c' * 40}")
    (made,) = hub.made
    assert (made["name"], made["organization"]) == ("ages", "org")
    assert made.get("private") or made.get("visibility") == "private"
    assert set(hub.files) == {"README.md", "head.safetensors", HEAD_FILE}
    here, there = load_head(run, results=trained), load_head(f"hf:{REPOSITORY}")
    images = [*faces.iterdir()][:2]
    assert here.predict(images).estimate.tolist() == there.predict(images).estimate.tolist()


def test_the_card_tells_the_hub_the_scores_and_a_reader_the_command() -> None:
    card = ModelCard(model_card(done(), REPOSITORY, "# coral: FG-NET\n"))
    data: Any = card.data  # its fields are those of the kind of card
    (score,) = data.eval_results
    assert (score.metric_type, score.metric_value, score.dataset_name) == ("mae", 0.25, "FG-NET")
    assert data.tags == ["ordinal-regression", "coral"]
    assert card.text.startswith("\n# coral: FG-NET\n")
    assert f"$ ordbench predict --run hf:{REPOSITORY} photos" in card.text


def test_what_cannot_be_had_is_said_in_one_line(hub: type[Hub]) -> None:
    with pytest.raises(StoreError, match=rf"hf:{REPOSITORY} cannot be read from http://127.*; wa"):
        pull(REPOSITORY)
    with pytest.raises(SpecError, match=r"'ages' is no repository of the Hugging Face Hub; wanted"):
        push("ages", {})


def test_no_path_of_this_machine_leaves_it(trained: Path) -> None:
    record = next(one for one in Store(trained).records() if one.spec.head == "linear")
    facts = from_safetensors(kept_file(record, trained)).facts
    assert facts.backbone == record.spec.backbone
    typed = facts.model_copy(update={"backbone": "clip:RN50/openai@/home/me/RN50.pt", "text": ""})
    assert typed.portable() == typed.model_copy(update={"backbone": "clip:RN50/openai"})
