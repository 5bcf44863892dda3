"""`ordbench data`: what is typed, what is printed, and the exit code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from ordbench.cli.main import app
from ordbench.errors import DatasetError, SpecError
from ordbench_datasets.fgnet import FgNet

Cli = Callable[..., subprocess.CompletedProcess[str]]


def call(*arguments: str | Path, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, arguments)], input=typed)


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """FG-NET as if it asked for agreement; where it was downloaded to."""
    fetched: list[Path] = []

    def fetch(dataset: FgNet) -> None:
        fetched.append(dataset.root)
        (dataset.root / "images").mkdir(parents=True)
        for name in ("001A02.JPG", "002A03.JPG"):
            Image.new("RGB", (4, 4)).save(dataset.root / "images" / name, "JPEG")

    monkeypatch.setattr(FgNet, "download", fetch)
    monkeypatch.setattr(FgNet, "card", replace(FgNet.card, terms="research only"))
    return fetched


def test_status_is_a_table_and_loads_no_torch(cli: Cli, tmp_path: Path) -> None:
    faces = tmp_path / "data" / "utkface"
    faces.mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(faces / "26_0_2_20170104023102422.jpg")
    done = cli("data", "status", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert rows["utkface"][:2] == ["here", "utkface"]
    assert rows["utkface"][-2:] == ["1", "116"]
    assert rows["morph"][0] == "missing"
    assert f"looked in {tmp_path / 'data'}; ordbench data howto NAME" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "ordbench.data.status" in imported
    assert not imported & {"torch", "pandas"}


def test_status_as_json_has_whole_reasons(tmp_path: Path) -> None:
    (tmp_path / "fgnet").mkdir()
    (tmp_path / "fgnet" / "notes.txt").write_text("x")
    found = {one["name"]: one for one in json.loads(call_ok("status", "--json", tmp_path))}
    assert found["fgnet"]["state"] == "unusable"
    assert "put https://yanweifu.github.io/FG_NET_data/FGNET.zip" in found["fgnet"]["reason"]
    assert found["fgnet"]["folder"] == str(tmp_path / "fgnet")


def call_ok(*arguments: str | Path) -> str:
    *words, root = arguments
    done = call(*words, "--data-root", root)
    assert done.exit_code == 0, done.output
    return done.output


def test_howto_says_the_licence_first_and_the_steps_with_their_folder(tmp_path: Path) -> None:
    lines = call_ok("howto", "morph", tmp_path).splitlines()
    assert lines[0].startswith("licence  signed licence of the University of North Carolina")
    assert lines[1] == "title    MORPH II"
    assert f"missing in {tmp_path / 'morph'}" in " ".join(lines)
    numbered = [line[:2] for line in lines if line[:1].isdigit()]
    assert numbered == ["1.", "2.", "3.", "4.", "5."]
    assert f"   $ ordbench data verify morph --data-root {tmp_path}" in lines


def test_get_shows_the_licence_asks_and_downloads(
    offered: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = call("get", "fgnet", "--data-root", tmp_path)
    assert isinstance(refused.exception, SpecError)
    assert "(research only); if you do, add --accept-licence" in str(refused.exception)
    assert refused.output.startswith("licence  research use only")
    monkeypatch.setattr("ordbench.cli.data.at_terminal", lambda: True)
    refused = call("get", "fgnet", "--data-root", tmp_path, typed="no\n")
    assert "not downloaded" in str(refused.exception)
    assert offered == []
    done = call("get", "fgnet", "--data-root", tmp_path, typed="yes\n")
    assert done.exit_code == 0, done.exception
    assert done.output.splitlines()[-1] == "fgnet: 2 images, 70 ranks"
    assert offered == [tmp_path / "fgnet"]
    done = call("get", "fgnet", "--data-root", tmp_path)
    assert done.exit_code == 0, "what is here needs no agreement"
    assert offered == [tmp_path / "fgnet"]


def test_the_licence_can_be_accepted_by_a_script(offered: list[Path], tmp_path: Path) -> None:
    done = call("get", "fgnet", "--data-root", tmp_path, "--accept-licence")
    assert done.exit_code == 0, done.exception
    assert offered == [tmp_path / "fgnet"]


def test_get_of_what_no_program_may_download_names_the_way(tmp_path: Path) -> None:
    done = call("get", "morph", "--data-root", tmp_path)
    assert isinstance(done.exception, DatasetError)
    assert str(done.exception) == (
        "MORPH II cannot be downloaded by a program; ordbench data howto morph says how to get it"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Forty pictures of two ranks; no two look alike."""
    for number in range(40):
        colours = np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        file = tmp_path / "photos" / str(number % 2) / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(colours).resize((48, 48)).save(file)
    return tmp_path / "photos"


def test_verify_exits_with_1_where_something_is_found(photos: Path) -> None:
    sound = call("verify", f"folder:{photos}")
    assert sound.exit_code == 0, sound.output
    lines = sound.output.splitlines()
    assert lines[0] == "folder: 40 samples in 2 of 2 ranks, 20 to 20 each"
    assert lines[-1] == "nothing is wrong"
    (photos / "1" / "copy.png").write_bytes((photos / "0" / "00.png").read_bytes())
    found = call("verify", f"folder:{photos}", "--jobs", "2")
    assert found.exit_code == 1
    assert "identical files: 0/00.png, 1/copy.png: ranks 0, 1" in found.output.splitlines()
    assert found.output.splitlines()[-2:] == [
        "found: 1 identical files",
        "sets of copies with two ranks: 1; in two parts of the split: 0",
    ]
    (photos / "1" / "notes.txt").write_text("x")
    told = json.loads(call("verify", f"folder:{photos}", "--json").output)
    assert (told["images"], told["per_rank"]) == (41, {"0": 20, "1": 21})
    assert told["findings"][0]["names"] == ["0/00.png", "1/copy.png"]
    assert told["left_out"] == {"'.txt' is not the ending of an image file": 1}


def test_verify_of_what_is_missing_is_an_error_of_the_user(tmp_path: Path) -> None:
    done = call("verify", "morph", "--data-root", tmp_path)
    assert isinstance(done.exception, DatasetError)
    assert str(done.exception).startswith(f"MORPH II not found in {tmp_path / 'morph'}: ")
    assert done.output == ""


def test_a_card_has_every_sample_and_its_part(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    done = call("card", f"folder:{photos}", file)
    assert done.output == f"{file}: 40 samples\n"
    written = json.loads(file.read_text())
    assert written["license"] == "yours"
    rows = written["recordSet"][-1]["data"]
    assert {row["samples/split"] for row in rows} == {"train", "val", "test"}
    assert json.loads(call("card", f"folder:{photos}").output) == written
