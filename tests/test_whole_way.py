"""The first day of a user: install, run, see a leaderboard, run again, stop in the middle."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ordbench

Cli = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parent.parent
HEADS = "linear,coral,mean-variance,coop,ordinalclip,zeroshot"
QUICK = ("--dataset", "drawn-faces", "--recipe", "min_steps=4", "--recipe", "epochs=1")


def rows(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    printed = cli("table", *arguments, "--format", "json")
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


def ran(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    """The records of `ordbench run ... --json`, by run id."""
    process = cli("run", *arguments, "--json")
    assert process.returncode == 0, process.stderr
    records = [json.loads(line) for line in process.stdout.splitlines()]
    return sorted(records, key=lambda record: str(record["run_id"]))


def test_six_heads_run_offline_and_stand_in_the_leaderboard(cli: Cli) -> None:
    process = cli("run", "--head", HEADS, *QUICK, "--shots", "1")
    assert process.returncode == 0, process.stderr
    assert "6 trained, 0 already done" in process.stdout
    printed = cli("table", "--format", "markdown")
    assert all(f"| `{head}` |" in printed.stdout for head in HEADS.split(","))
    assert "decoded by median" in printed.stdout


def test_what_is_done_is_never_done_twice(cli: Cli) -> None:
    first = cli("run", "--head", "coral", *QUICK, "--shots", "1", "--seeds", "0-1")
    again = cli("run", "--head", "coral", *QUICK, "--shots", "1", "--seeds", "0-2")
    assert "2 trained, 0 already done" in first.stdout
    assert "1 trained, 2 already done" in again.stdout


def test_an_option_that_changes_makes_another_run(cli: Cli) -> None:
    cli("run", "--head", "mean-variance", *QUICK, "--shots", "1")
    changed = cli("run", "--head", "mean-variance:mean_weight=0.5", *QUICK, "--shots", "1")
    assert "1 trained, 0 already done" in changed.stdout


def test_every_head_is_tuned_with_the_same_budget(cli: Cli) -> None:
    heads = ("--head", "linear,mean-variance,ordinalclip")
    for sampler in ("random", "optuna"):
        records = ran(cli, *heads, *QUICK, "--shots", "1", "--tune", "3", "--sampler", sampler)
        assert len(records) == 3
        for record in records:
            tried = record["training"]["tried"]
            assert tried[0]["changed"] == {}
            assert len(tried) == 3
            assert record["training"]["val_mae"] == min(one["val_mae"] for one in tried)
            assert record["spec"]["tuning"] == {"budget": 3, "sampler": sampler}
    (table,) = rows(cli)
    assert len(table["rows"]) == 6


def comparable(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what may differ between two runs of one specification: times."""
    return {k: v for k, v in record.items() if k not in {"seconds", "created"}}


def test_the_same_run_gives_the_same_bits_in_workers_and_in_python(
    cli: Cli, tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = ("--head", "linear,ordinalclip", *QUICK, "--shots", "1,2", "--seeds", "0-1")
    alone = ran(cli, *sweep, "--results", "alone")
    workers = ran(cli, *sweep, "--results", "workers", "--jobs", "2")
    assert len(alone) == 8
    assert [comparable(record) for record in alone] == [comparable(record) for record in workers]

    monkeypatch.setenv("ORDBENCH_CACHE", str(shared_cache))
    # One seed alone: heads without a text tower give the same bits whoever is trained beside them.
    wanted = next(record for record in alone if record["label"] == "linear")
    spec = ordbench.RunSpec.model_validate(wanted["spec"])
    record = ordbench.run(spec, results=tmp_path / "python")
    assert comparable(json.loads(record.model_dump_json())) == comparable(wanted)
    frame = ordbench.load_records(tmp_path / "python")
    assert frame["run_id"].tolist() == [wanted["run_id"]]


def test_a_split_that_is_written_can_be_run(cli: Cli, tmp_path: Path) -> None:
    written = cli("split", "write", "split.json", "--dataset", "drawn-faces", "--shots", "2")
    assert written.returncode == 0, written.stderr
    (own,) = ran(cli, "--head", "coral", *QUICK, "--shots", "2", "--split", "split.json")
    (drawn,) = ran(cli, "--head", "coral", *QUICK, "--shots", "2", "--results", "other")
    assert own["metrics"] == drawn["metrics"]
    (silent,) = ran(cli, "--head", "coral", *QUICK, "--split", "split.json")
    assert silent["run_id"] == own["run_id"]
    claimed = cli("run", "--head", "coral", *QUICK, "--shots", "1", "--split", "split.json")
    assert claimed.returncode == 2
    assert "the split was made for --shots 2, the run asks for --shots 1" in claimed.stderr


def test_rows_of_the_paper_protocol_are_never_ranked_with_the_others(cli: Cli) -> None:
    cli("run", "--head", "coral,linear", *QUICK, "--shots", "1")
    (record,) = ran(cli, "--head", "coral", *QUICK, "--shots", "1", "--protocol", "paper")
    assert record["ranked"] is False
    printed = cli("table", "--format", "markdown").stdout
    assert "so not ranked" in printed


def test_the_help_stands_alone_where_no_command_is_typed(cli: Cli) -> None:
    process = cli()
    assert process.returncode == 2
    assert "Usage:" in process.stdout
    assert process.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "env", "returned", "printed"),
    [
        (["--show-completion", "bash"], {}, 0, "_ORDBENCH_COMPLETE=complete_bash"),
        (
            [],
            {"_ORDBENCH_COMPLETE": "complete_bash", "COMP_WORDS": "ordbench ta", "COMP_CWORD": "1"},
            0,
            "table",
        ),
        ([], {"_ORDBENCH_COMPLETE": "complete_none"}, 1, ""),
    ],
    ids=["script", "word", "no such shell"],
)
def test_completion_ends_with_the_code_that_typer_gives_it(
    arguments: list[str], env: dict[str, str], returned: int, printed: str
) -> None:
    code = "import sys; from ordbench.cli.main import main; sys.argv[0] = 'ordbench'; main()"
    # Typer looks for the shell among the processes above; there is none in a service, for one.
    script = f"{shlex.join([sys.executable, '-c', code, *arguments])}; exit $?"
    process = subprocess.run(
        ["bash", "-c", script], env=os.environ | env, capture_output=True, text=True, timeout=60
    )
    assert process.returncode == returned
    assert printed in process.stdout


def test_an_output_that_cannot_be_written_ends_in_one_line() -> None:
    command = [sys.executable, "-m", "ordbench", "ls", "heads"]
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert process.returncode == 2
    assert process.stderr.startswith("ordbench: no space left")
    assert len(process.stderr.splitlines()) == 1


def test_a_terminal_that_lacks_a_letter_ends_nothing(cli: Cli) -> None:
    narrow = {"PYTHONIOENCODING": "ascii", "COLUMNS": "40"}
    for arguments in (("ls", "heads"), ("--help",)):
        assert cli(*arguments, env=narrow).returncode == 0


def test_a_path_that_no_record_can_hold_is_refused_before_anything_is_done(cli: Cli) -> None:
    process = cli("run", "--head", "linear", "--dataset", "folder:own/n\udce4ms")
    assert process.returncode == 2
    (line,) = process.stderr.splitlines()
    assert "not all of it is UTF-8; rename it" in line


@pytest.mark.parametrize("device", ["cpu:abc", "cpu:9", "tpu", "cuda:x"])
def test_a_device_that_cannot_be_is_refused(cli: Cli, device: str) -> None:
    process = cli("run", "--head", "linear", "--dataset", "drawn-faces", "--device", device)
    assert process.returncode == 2
    assert process.stderr.startswith(f"ordbench: --device {device}: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("run", "--help"),
        ("ls", "heads"),
        ("show", "dataset", "morph"),
        ("show", "backbone", "clip"),
    ],
)
def test_help_and_lists_load_neither_torch_nor_pandas(arguments: tuple[str, ...]) -> None:
    code = (
        f"import sys, atexit; sys.argv = ['ordbench', *{arguments!r}]\n"
        "heavy = {'torch', 'pandas', 'numpy', 'scipy', 'sklearn', 'open_clip', 'timm', 'pyarrow'}\n"
        "import ordbench.cli.main\n"
        "try: ordbench.cli.main.main()\n"
        "finally: print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert process.stderr.strip() == "[]"


def test_a_table_does_not_load_torch(cli: Cli, tmp_path: Path) -> None:
    cli("run", "--head", "zeroshot", *QUICK, "--shots", "1")
    code = (
        "import sys; sys.argv = ['ordbench', 'table']; import ordbench.cli.main\n"
        "try: ordbench.cli.main.main()\n"
        "finally: assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)


def test_a_sweep_that_is_killed_goes_on_and_ends_as_if_it_had_not_been(
    cli: Cli, tmp_path: Path, shared_cache: Path
) -> None:
    sweep = (
        "--head",
        "linear,mean-variance,ordinalclip",
        *QUICK,
        "--shots",
        "1,2",
        "--seeds",
        "0-2",
    )
    undisturbed = ran(cli, *sweep, "--results", "undisturbed")
    command = [sys.executable, "-m", "ordbench", "run", *sweep, "--results", "killed", "--json"]
    env = {**os.environ, "ORDBENCH_CACHE": str(shared_cache), "HF_HUB_OFFLINE": "1"}
    for wanted in (1, 7):  # killed with so many records on disk
        process = subprocess.Popen(
            command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, start_new_session=True
        )
        while process.poll() is None:
            if len(list((tmp_path / "killed").rglob("*.json"))) >= wanted:
                os.killpg(process.pid, signal.SIGKILL)
                break
            time.sleep(0.01)
        process.wait(timeout=60)
    finished = ran(cli, *sweep, "--results", "killed")
    assert len(finished) == 18
    assert [comparable(record) for record in finished] == [
        comparable(record) for record in undisturbed
    ]
    assert cli("table", "killed").stdout == cli("table", "undisturbed").stdout


def test_a_disk_without_room_is_one_line_and_the_sweep_goes_on_when_there_is_room(
    cli: Cli, tmp_path: Path, shared_cache: Path
) -> None:
    sweep = ("run", "--head", "linear", *QUICK, "--shots", "1", "--seeds", "0-1")
    cli(*sweep, "--results", "roomy")
    # No file may be longer than 8 KiB, and the predictions are.
    limited = ["bash", "-c", 'ulimit -f 8; exec "$@"', "_", sys.executable, "-m", "ordbench"]
    env = {**os.environ, "ORDBENCH_CACHE": str(shared_cache), "HF_HUB_OFFLINE": "1"}
    full = subprocess.run(
        [*limited, *sweep, "--results", "full"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert full.returncode == 2
    assert len(full.stderr.strip().splitlines()) == 1
    assert "make room" in full.stderr
    assert not [*(tmp_path / "full").rglob("*.tmp"), *(tmp_path / "full").rglob("*.json")]
    assert "2 trained, 0 already done" in cli(*sweep, "--results", "full").stdout
    assert cli("table", "full").stdout == cli("table", "roomy").stdout


def test_the_wheel_runs_from_an_empty_folder_as_the_checkout_does(cli: Cli, tmp_path: Path) -> None:
    source = shutil.copytree(
        ROOT,
        tmp_path / "source",
        ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "results"),
    )
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path]
    subprocess.run([*build, source], check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "ordbench/backbones/clip/tiny/model.safetensors" in names
    assert "ordbench/report/published.yaml" in names
    assert {name.partition("/")[0] for name in names if "dist-info" not in name} == {
        "ordbench",
        "ordbench_heads",
        "ordbench_datasets",
    }
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", site, wheel], check=True, timeout=300)
    from_wheel = {"PYTHONPATH": str(site)}
    command = ("run", "--head", "ordinalclip", *QUICK, "--shots", "1", "--json")
    ours = cli(*command, "--results", "checkout")
    theirs = cli(*command, "--results", "wheel", env=from_wheel)
    assert theirs.returncode == 0, theirs.stderr
    assert json.loads(ours.stdout)["metrics"] == json.loads(theirs.stdout)["metrics"]
    where = [sys.executable, "-c", "import ordbench; print(ordbench.__file__)"]
    found = subprocess.run(
        where, cwd=tmp_path, env={**os.environ, **from_wheel}, capture_output=True, text=True
    )
    assert found.stdout.startswith(str(site))
