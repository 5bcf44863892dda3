"""`ordbench reproduce`: the plans, and a published table beside runs on generated images."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from ordbench.cli.main import app
from ordbench.cli.reproduction_grids import Reproduction
from ordbench.errors import DatasetError, SpecError
from ordbench.results.store import Store
from ordbench.runs.runner import RunResult
from ordbench.runs.spec import RunSpec
from tests.ordbench.conftest import done

AGES = (16, 30, 45, 60)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images with MORPH's file names: 20 people at four ages, told by their colour."""
    root = tmp_path_factory.mktemp("data")
    (root / "morph").mkdir()
    for person in range(20):
        for age in AGES:
            image = Image.new("RGB", (32, 32), (4 * age, 3 * person, 255 - 4 * age))
            image.save(root / "morph" / f"{person:06}_1M{age}.JPG", quality=95)
    return root


def reproduce(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["reproduce", *map(str, arguments)])


def test_a_table_is_run_and_printed_beside_the_published_numbers(
    data: Path, tmp_path: Path, shared_cache: Path
) -> None:
    results = tmp_path / "results"
    command = ("coral-morph", "--data-root", data, "--cache", shared_cache, "--device", "cpu")
    command = (*command, "--backbone", "clip:tiny", "--seeds", "0", "--results", results)
    planned = reproduce(*command, "--dry-run")
    assert "0 already done, 0 failed before, 3 to run" in planned.output
    assert not results.exists()
    run = reproduce(*command)
    assert run.exit_code == 0, run.output
    maes = {record.label: record.metrics["median"]["mae"] for record in Store(results).records()}
    lines = [line.split() for line in run.output.splitlines()]
    assert "3 trained, 0 already done" in run.output
    for name, head, mae, std in (
        ("CE", "linear", 3.34, 0.07),
        ("OR-CNN", "or-cnn", 2.83, 0.03),
        ("CORAL", "coral", 2.64, 0.02),
    ):
        ours = maes[head]
        published = [f"{mae:.2f}", "±", f"{std:.2f}"]
        assert [name, head, "all", *published, f"{ours:.2f}", f"{ours - mae:+.2f}", "1"] in lines
    text = " ".join(run.output.split())
    assert "https://doi.org/10.1016/j.patrec.2020.11.008" in text
    assert "here: clip:tiny, frozen; morph:ages=16-77; protocol standard; folds 0; seeds 0" in text
    assert "backbone: here clip:tiny, where the plan has timm:resnet34.a1_in1k" in text
    again = reproduce(*command, "--json")
    *runs, table = map(json.loads, again.stdout.splitlines())
    assert len(runs) == 3
    assert table["plan"] == "coral-morph"
    assert {cell["head"]: cell["here"]["mae"] for cell in table["cells"]} == maes
    assert table["cells"][0]["published"] == {"mae": 3.34, "std": 0.07}


def test_on_another_dataset_no_difference_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    comparison = Reproduction("coral-morph")
    comparison.print_found(as_json=False)
    assert capsys.readouterr().out == "", "nothing was run"
    spec = RunSpec(head="coral", dataset="drawn-fruit", backbone="timm:resnet34.a1_in1k")
    comparison.on_result(RunResult(done(0, spec=spec)))
    comparison.print_found(as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert ["CORAL", "coral", "all", "2.64", "±", "0.02", "0.25", "1"] in map(str.split, lines)
    assert ["CE", "linear", "all", "3.34", "±", "0.07", "0"] in map(str.split, lines)
    assert "  - dataset: not morph, so that no difference is shown" in lines
    assert not any(line.startswith("  - backbone") for line in lines)


def test_plans_are_listed_with_what_they_need_and_whether_it_is_here(data: Path) -> None:
    for arguments in (("--list",), ()):
        listed = reproduce(*arguments, "--data-root", data)
        assert listed.exit_code == 0, listed.output
        lines = [" ".join(line.split()) for line in listed.output.splitlines()]
        assert "coral-morph CORAL and baselines on MORPH II morph:ages=16-77 yes" in lines
        assert any(line.startswith("call-to-reflect-utkface ") for line in lines)
        assert "licence signed licence of the University of North Carolina Wilmington (UNCW)" in (
            lines
        )
        assert "no plan yet" in lines
    found = json.loads(reproduce("--list", "--data-root", data, "--json").output)
    assert {name: needed["here"] for name, needed in found["datasets"].items()} == {
        "morph": True, "utkface": False
    }  # fmt: skip
    assert found["plans"]["coral-morph"]["rows"][0]["mae"] == {"all": [3.34, 0.07]}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["coral"], SpecError, "unknown plan 'coral'"),
        (["coral-morph", "--list"], SpecError, "--list and coral-morph exclude each other"),
        (["coral-morph", "--dataset", "drawn-*"], SpecError, "a plan has one dataset"),
        (["coral-morph", "--backbone", "clip:tiny,timm:x"], SpecError, "and one backbone"),
        (["coral-morph", "--seeds", "x"], SpecError, "--seeds x: wanted a whole number"),
        (["coral-morph", "--backbone", "clip:tiny"], DatasetError, "MORPH II not found"),
    ],
)
def test_what_cannot_be_run_is_one_line(
    arguments: list[str], error: type[Exception], message: str, tmp_path: Path
) -> None:
    places = ["--data-root", str(tmp_path / "data"), "--results", str(tmp_path / "results")]
    failed = reproduce(*arguments, *places)
    assert isinstance(failed.exception, error)
    assert message in str(failed.exception)
    assert not (tmp_path / "results").exists()


def test_a_list_loads_no_torch() -> None:
    program = (
        "import sys, ordbench.cli.main as m; sys.argv = ['ordbench', 'reproduce', '--list'];"
        "m.main(); print('torch' in sys.modules)"
    )
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert got.stdout.endswith("\nFalse\n"), got.stderr
