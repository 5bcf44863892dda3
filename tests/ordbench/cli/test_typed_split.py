"""The split that `ordbench split` draws is the one that a run would use."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ordbench.cli.main import app
from ordbench.cli.typed_split import draw_one
from ordbench.errors import SpecError
from ordbench.runs.preparation import prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.spec import RunSpec
from ordbench.splits.manifest import read_manifest
from ordbench.splits.split import Split

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty images of each of two ranks, of other colours."""
    for rank in (0, 1):
        (tmp_path / "faces" / str(rank)).mkdir(parents=True)
        for n in range(40):
            file = tmp_path / "faces" / str(rank) / f"{n:02}.png"
            Image.new("RGB", (8, 8), (100 * rank, 6 * n, 0)).save(file)
    return tmp_path / "faces"


def drawn(folder: Path, shots: str = "all") -> Split:
    return draw_one(f"folder:{folder}", shots, 0, 0, "standard", None).split


@pytest.mark.parametrize("shots", ["", "1,2", ","])
def test_a_split_has_one_number_of_shots(folder: Path, shots: str) -> None:
    with pytest.raises(SpecError, match=f"^--shots '{shots}': a split has one number of shots"):
        drawn(folder, shots)


def test_an_image_that_cannot_be_decoded_is_in_no_split(folder: Path) -> None:
    lost = drawn(folder).train[0]
    (folder / lost).write_bytes((folder / lost).read_bytes()[:40])
    split, samples = draw_one(f"folder:{folder}", "all", 0, 0, "standard", None)
    ((name, reason),) = samples.rejected
    assert name == lost
    assert reason.startswith("cannot be decoded (")
    assert lost not in {*split.train, *split.val, *split.test}
    assert len(split.train) + len(split.val) + len(split.test) == 79


def test_a_split_that_was_written_with_a_truncated_image_in_the_folder_is_run(
    folder: Path, cli: Cli
) -> None:
    (folder / "0" / "07.png").write_bytes((folder / "0" / "07.png").read_bytes()[:40])
    dataset = ("--dataset", f"folder:{folder}")
    written = cli("split", "write", "own.json", *dataset)
    assert written.returncode == 0, written.stderr
    quick = ("--head", "linear", "--recipe", "min_steps=4", "--recipe", "epochs=1")
    ran = cli("run", *quick, *dataset, "--split", "own.json")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("rows", "protocol", "said"),
    [
        ("train train val test", "standard", "validation: the official validation images"),
        ("train train train test", "standard", "validation: held out from training"),
        ("train train train test", "paper", "validation: the test images"),
    ],
)
def test_show_says_where_validation_comes_from_and_what_was_left_out(
    folder: Path, rows: str, protocol: str, said: str
) -> None:
    parts = rows.split() * 6
    lines = [f"{n % 2}/{n:02}.png,{n % 2},{part},x" for n, part in enumerate(parts)]
    (folder / "a.csv").write_text("\n".join(["file,rank,part,note", *lines, "gone.png,1,train,x"]))
    dataset = f"csv:{folder / 'a.csv'}"
    shown = CliRunner().invoke(app, ["split", "show", "-d", dataset, "--protocol", protocol])
    assert shown.exit_code == 0, shown.output
    printed = shown.output.splitlines()
    assert said in printed
    assert "columns not read: note" in printed
    assert printed[-1].startswith("csv: 1 file left out: gone.png (cannot be read: No such file")


def test_json_is_what_is_written_to_a_file(folder: Path) -> None:
    what = ("-d", f"folder:{folder}", "--shots", "2")
    file = folder.parent / "split.json"
    assert CliRunner().invoke(app, ["split", "write", str(file), *what]).exit_code == 0
    shown = CliRunner().invoke(app, ["split", "show", *what, "--json"])
    assert shown.stdout == file.read_text()


def test_features_are_divided_as_in_a_run(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, features=np.arange(80.0)[:, None] // 2, rank=np.arange(80) % 2)
    shown, samples = draw_one(f"features:{path}", "2", 0, 0, "standard", None)
    spec = RunSpec(head="linear", dataset=f"features:{path}", shots=2)
    run = prepare(spec, Resources(Locations(cache=tmp_path)))
    assert shown.hash == run.split.hash
    assert samples.notes == run.material.listing.notes
    assert samples.notes[-1].startswith("identical rows: 80 samples")


def test_a_split_on_another_dataset_is_that_of_a_run(folder: Path, tmp_path: Path) -> None:
    for n in range(6):
        other = tmp_path / "others" / str(n % 3) / f"{n}.png"
        other.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (0, 0, 100 + n)).save(other)
    what = ("-d", f"folder:{folder}", "--test-dataset", f"folder:{tmp_path / 'others'}")
    shown = CliRunner().invoke(app, ["split", "show", *what])
    assert shown.exit_code == 0, shown.output
    assert ", 4 test" in shown.output
    assert "tested on 4 of 6 samples of folder; 2 have a rank that folder does not have" in (
        shown.output
    )
    file = tmp_path / "split.json"
    assert CliRunner().invoke(app, ["split", "write", str(file), *what]).exit_code == 0
    spec = RunSpec(head="linear", dataset=what[1], test_dataset=what[3])
    run = prepare(spec, Resources(Locations(cache=tmp_path / "cache")))
    assert read_manifest(file).hash == run.split.hash


@pytest.mark.parametrize("file", ["own.csv", "own"])
def test_lists_that_were_written_are_run_with_the_same_hash(
    folder: Path, tmp_path: Path, file: str
) -> None:
    dataset = ("--dataset", f"folder:{folder}")
    written = CliRunner().invoke(
        app, ["split", "write", str(tmp_path / file), *dataset, "--fold", "1"]
    )
    assert written.exit_code == 0, written.output
    shown = CliRunner().invoke(app, ["split", "show", *dataset, "--split", str(tmp_path / file)])
    (said,) = [line for line in written.output.splitlines() if line.startswith("sha256 ")]
    assert said in shown.output.splitlines()
    assert "validation: the official validation images" in shown.output
    hash_ = said.removeprefix("sha256 ")
    resources = Resources(
        Locations(cache=tmp_path / "cache", device="cpu", manifest=tmp_path / file)
    )
    spec = RunSpec(head="linear", dataset="folder", dataset_argument=str(folder))
    given = resources.manifest
    assert given is not None
    prepared = prepare(spec.model_copy(update={"split": given.hash}), resources)
    assert prepared.split.hash == hash_
    few = prepare(spec.model_copy(update={"split": given.hash, "shots": 2}), resources)
    assert few.split.hash != hash_
    assert prepared.identity.custom_split_hash == few.identity.custom_split_hash == hash_
    assert prepare(spec.model_copy(update={"split": hash_}), resources).split.hash == hash_
    with pytest.raises(SpecError, match="the split of the run is 000000"):
        prepare(spec.model_copy(update={"split": "0" * 64}), resources)
