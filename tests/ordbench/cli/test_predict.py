import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pandas as pd
import pytest

from ordbench.cli.main import main
from ordbench.results.store import Store

Cli = Callable[..., CompletedProcess[str]]
Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ran(
    trained: Path,
    shared_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ran:
    """`ordbench predict ARGUMENTS` in this process: exit code, output and errors.

    That clip:tiny knows drawings only is said each time, and left out here.
    """

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        typed = ["predict", "--results", str(trained), "--cache", str(shared_cache)]
        monkeypatch.setattr(sys, "argv", ["ordbench", *typed, *map(str, arguments)])
        code = main()
        printed = capsys.readouterr()
        errors = [line for line in printed.err.splitlines(True) if "drawings only" not in line]
        return code, printed.out, "".join(errors)

    return call


def run_id(trained: Path, head: str) -> str:
    return next(one.run_id for one in Store(trained).records() if one.spec.head == head)


def test_another_process_gives_the_stored_posterior_bit_by_bit(
    cli: Cli, trained: Path, faces: Path, tmp_path: Path
) -> None:
    run = run_id(trained, "coop")
    done = cli(
        *("predict", "--run", run[:10], "--results", trained, faces),
        *("--cache", tmp_path / "new", "--device", "cpu", "-o", tmp_path / "out.parquet"),
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "clip:tiny was trained on drawings only" in done.stderr
    assert done.stderr.count("\n") == 1
    found = pd.read_parquet(tmp_path / "out.parquet")
    stored = Store(trained).read_predictions(run)
    assert stored.posterior is not None
    assert [row.tolist() for row in found["posterior"]] == stored.posterior[:20].tolist()
    assert found["estimate"].tolist() == stored.estimates["median"][:20].tolist()


def test_the_best_run_is_named_and_its_estimates_are_printed(
    ran: Ran, trained: Path, faces: Path
) -> None:
    errors = {one.run_id: one.training.val_mae for one in Store(trained).records() if one.training}
    best = min(errors, key=lambda run: (errors[run], run))
    code, out, err = ran("--best", faces)
    assert code == 0
    assert err.startswith(f"run {best}: ")
    heading, *rows = out.splitlines()
    assert heading.split("  ")[0] == "image"
    assert "estimate (years, " in heading
    assert len(rows) == 20


def test_formats_say_the_same(ran: Ran, trained: Path, faces: Path, tmp_path: Path) -> None:
    typed = ("--run", run_id(trained, "linear"), faces)
    rows = list(csv.DictReader(io.StringIO(ran(*typed, "--format", "csv")[1])))
    about = json.loads(ran(*typed, "--format", "json")[1])
    assert about["run"] == run_id(trained, "linear")
    assert [row["image"] for row in rows] == [one["image"] for one in about["images"]]
    assert [float(row["estimate"]) for row in rows] == [one["estimate"] for one in about["images"]]
    assert [float(row["probability"]) for row in rows] == [
        one["posterior"][about["rank_names"].index(one["rank"])] for one in about["images"]
    ]
    assert ran(*typed, "--output", tmp_path / "a.csv") == (0, "", "")
    assert list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))) == rows


def test_a_point_head_has_no_probability(ran: Ran, trained: Path, faces: Path) -> None:
    code, out, _ = ran("--run", run_id(trained, "regression"), faces / "00.png", "--format", "csv")
    assert (code, out.splitlines()[0]) == (0, "image,estimate,rank")


def test_unreadable_images_are_named_and_the_exit_code_says_so(
    ran: Ran, trained: Path, faces: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "[red] é.png"
    odd.write_bytes(b"\x89PNG\r\n\x1a\nno")
    code, out, err = ran("--run", run_id(trained, "linear"), odd, faces / "03.png")
    assert code == 1
    assert str(faces / "03.png") in out
    assert f"skipped {odd}: cannot be decoded" in err
    assert err.endswith("1 image skipped\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.png"], "say which run: --run ID, or --best"),
        (["--best", "--run", "ab", "a.png"], "say which run: --run ID, or --best"),
        (["--run", "ab", "-d", "utkface", "a.png"], "--dataset chooses among the runs of --best"),
        (["--best", "--format", "parquet", "a.png"], "parquet is not for the screen; add --output"),
        (["--best", "-o", "a.txt", "a.png"], "--output a.txt: add --format csv, json or parquet"),
        (["--best", "none.png"], "not one image can be read: none.png: cannot be read: No such"),
        (["--best", "--decode", "medain", "a.png"], "unknown decode 'medain'; did you mean median"),
        (["--run", "zz", "a.png"], "'zz' is not a run id"),
        (["--run", "", "a.png"], "'' is not a run id"),
        (["--best", "-d", "utkface", "a.png"], "no run on utkface in "),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(ran: Ran, arguments: list[str], said: str) -> None:
    code, out, err = ran(*arguments)
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("ordbench: ")


def test_intervals_are_columns_of_their_own(ran: Ran, trained: Path, faces: Path) -> None:
    typed = ("--run", run_id(trained, "linear"), faces, "--format", "csv", "--coverage", "0.8")
    wide, narrow = (
        list(csv.DictReader(io.StringIO(ran(*typed[:-1], level)[1]))) for level in ("0.9", "0.5")
    )
    assert list(wide[0]) == ["image", "estimate", "rank", "probability", "lower", "upper"]
    for one, other in zip(wide, narrow, strict=True):
        median = float(one["estimate"])
        assert int(one["lower"]) <= int(other["lower"]) <= median  # ages are their own names
        assert median <= int(other["upper"]) <= int(one["upper"])
    aps = list(csv.DictReader(io.StringIO(ran(*typed, "--method", "aps")[1])))
    rps = list(csv.DictReader(io.StringIO(ran(*typed)[1])))
    assert [row["estimate"] for row in aps] == [row["estimate"] for row in rps]
    assert [row["upper"] for row in aps] != [row["upper"] for row in rps]
    about = json.loads(ran(*typed[:4], "json", "--coverage", "0.8")[1])
    assert about["coverage"] == 0.8
    assert [one["lower"] for one in about["images"]] == [row["lower"] for row in rps]


def test_intervals_that_cannot_be_are_refused_or_all_ranks(
    ran: Ran, trained: Path, faces: Path
) -> None:
    code, out, err = ran("--run", run_id(trained, "regression"), faces, "--coverage", "0.9")
    assert (code, out) == (2, "")
    assert "estimates a point only, and intervals take a posterior; leave the coverage out" in err
    code, out, err = ran("--run", run_id(trained, "linear"), faces, "--coverage", "90")
    assert (code, out) == (2, "")
    assert "coverage must lie between 0 and 1, such as 0.9; got 90.0" in err
    typed = ("--run", run_id(trained, "linear"), faces, "--format", "csv")
    code, out, err = ran(*typed, "--coverage", "0.9999")
    assert code == 0
    assert "calibration images are too few for a coverage of 0.9999" in err
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {(row["lower"], row["upper"]) for row in rows} == {("1", "90")}
