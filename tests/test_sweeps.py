"""A sweep as a user steers it: what is planned, skipped, stopped, failed, retried and left out."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file

from tests.conftest import started

Cli = Callable[..., subprocess.CompletedProcess[str]]
FACES = ("--dataset", "drawn-faces:per_rank=5")
QUICK = (*FACES, "--recipe", "min_steps=4", "--recipe", "epochs=1")
BROKEN = ("--recipe", "learning_rate=1e30", "--recipe", "optimizer=sgd")


def records(results: Path) -> dict[str, dict[str, Any]]:
    return {file.stem: json.loads(file.read_text()) for file in results.glob("runs/*/*.json")}


def test_a_dry_run_says_what_is_to_do_and_does_nothing(cli: Cli, tmp_path: Path) -> None:
    sweep = ("run", "--head", "linear,coral", *QUICK, "--shots", "1,2", "--seeds", "0-1")
    fresh = cli(*sweep, "--dry-run")
    assert fresh.returncode == 0, fresh.stderr
    common, *planned, total = fresh.stdout.splitlines()
    assert common == "8 runs: drawn-faces:per_rank=5, clip:tiny"
    assert planned == [
        f"to run: {head}, {shots}, seed 0; seed 1"
        for shots in ("1 shot", "2 shots")
        for head in ("linear", "coral")
    ]
    assert total == (
        "0 already done, 0 failed before, 8 to run; no time estimate for linear, coral"
    )
    assert not list((tmp_path / "results").glob("runs"))
    cli("run", "--head", "linear", *QUICK, "--shots", "1")
    known = cli(*sweep, "--dry-run").stdout.splitlines()[-1]
    assert known.startswith("1 already done, 0 failed before, 7 to run; about ")
    assert known.endswith("; no time estimate for coral")
    objects = [json.loads(line) for line in cli(*sweep, "--dry-run", "--json").stdout.splitlines()]
    assert [run["status"] for run in objects] == ["done"] + ["to run"] * 7
    assert len({json.dumps(run["spec"], sort_keys=True) for run in objects}) == 8


def test_a_limit_ends_a_sweep_and_the_same_command_goes_on(cli: Cli, tmp_path: Path) -> None:
    sweep = ("run", "--head", "linear", *QUICK, "--shots", "1,2", "--seeds", "0-1")
    assert "3 trained, 0 already done" in cli(*sweep, "--limit", "3").stdout
    assert len(records(tmp_path / "results")) == 3
    assert "1 trained, 3 already done" in cli(*sweep, "--limit", "3").stdout
    assert "0 trained, 4 already done" in cli(*sweep, "--limit", "3").stdout


def test_what_is_done_is_skipped_run_again_or_refused(cli: Cli, tmp_path: Path) -> None:
    sweep = ("run", "--head", "linear", *QUICK, "--shots", "1", "--seeds", "0-1")
    assert cli(*sweep, "--overwrite", "never").returncode == 0
    (first, *_) = (tmp_path / "results" / "runs").glob("*/*.json")
    old = first.stat().st_ino
    assert "0 trained, 2 already done" in cli(*sweep).stdout
    refused = cli(*sweep, "--overwrite", "never")
    assert refused.returncode == 2
    assert "2 of 2 runs exist in results and --overwrite is never" in refused.stderr
    assert first.stat().st_ino == old
    assert "2 trained, 0 already done" in cli(*sweep, "--overwrite", "always").stdout
    assert first.stat().st_ino != old


def test_a_run_that_diverges_is_a_failure_with_its_trace_until_it_is_retried(
    cli: Cli, tmp_path: Path
) -> None:
    sweep = ("run", "--head", "linear", *FACES, *BROKEN, "--shots", "1", "--seeds", "0-1")
    failed = cli(*sweep)
    assert failed.returncode == 1
    (line,) = failed.stderr.splitlines()
    assert line.startswith("ordbench: 2 of 2 runs failed, the first: linear on drawn-faces")
    assert "lower the learning rate" in line
    for run_id, record in records(tmp_path / "results").items():
        assert (record["status"], record["metrics"]) == ("failed", {})
        assert "step" in record["error"]
        trace = tmp_path / "results" / "runs" / run_id[:2] / f"{run_id}.trace"
        assert "Traceback" in trace.read_text()
    skipped = cli(*sweep)
    assert skipped.returncode == 1
    assert "0 trained, 0 already done, 2 failed" in skipped.stdout
    dry = cli(*sweep, "--dry-run").stdout
    assert dry.splitlines()[-1] == "0 already done, 2 failed before, 0 to run"
    again = cli(*sweep, "--retry-failed")
    assert "0 trained, 0 already done, 2 failed" in again.stdout
    assert "[already done]" not in again.stdout
    table = cli("table", "--format", "markdown")
    assert "failed" in table.stdout + table.stderr


def test_the_first_failure_ends_a_sweep_that_is_to_fail_fast(cli: Cli, tmp_path: Path) -> None:
    sweep = ("run", "--head", "linear", *FACES, *BROKEN, "--shots", "1,2,3", "--fail-fast")
    assert cli(*sweep).returncode == 1
    assert len(records(tmp_path / "results")) == 1


def test_a_run_that_is_typed_twice_is_trained_once(cli: Cli, tmp_path: Path) -> None:
    heads = "ordinalclip,ordinalclip:base_ranks=3,ordinalclip:base-ranks=3"
    sweep = ("run", "--head", heads, *QUICK, "--shots", "1", "--seeds", "0-1,1", "--overwrite")
    assert "2 trained, 0 already done" in cli(*sweep, "always").stdout
    one = ("--data-seed", "3", "--train-seed", "3")
    same = cli("run", "--head", "linear", *QUICK, "--shots", "1", "--seeds", "5-7", *one)
    assert "1 trained, 0 already done" in same.stdout
    assert "seed 3: MAE" in same.stdout
    assert len(records(tmp_path / "results")) == 3


def test_ctrl_c_ends_after_the_cell_and_says_how_to_go_on(
    cli: Cli, tmp_path: Path, shared_cache: Path
) -> None:
    cli("run", "--head", "zeroshot", *QUICK, "--shots", "1", "--results", "warm")
    sweep = ("--head", "ordinalclip", *FACES, "--shots", "1,2,3", "--results", "stopped")
    command = [sys.executable, "-m", "ordbench", "run", *sweep]
    env = dict(os.environ, HF_HUB_OFFLINE="1", ORDBENCH_CACHE=str(shared_cache), COLUMNS="200")
    with started(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "3 runs: drawn-faces:per_rank=5, clip:tiny\n"
        assert "MAE" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read().splitlines()
        rest = process.stdout.read()
        assert process.wait() == 130
    assert said == [
        "Finishing running jobs; press Ctrl-C again to stop now.",
        "ordbench: Interrupted. Run the same command again to resume.",
    ]
    done = len(records(tmp_path / "stopped"))
    assert done in {1, 2}
    assert f"{done} trained, 0 already done" in rest
    assert f"{3 - done} trained, {done} already done" in cli("run", *sweep).stdout


def test_cells_that_cannot_run_are_skipped_with_their_reason_and_the_others_run(
    cli: Cli, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    weights = tmp_path / "weights.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), weights)
    command = ("run", *QUICK, "--shots", "1", "--backbone", f"timm:test_resnet@{weights}")
    heads = ("--head", "linear,zeroshot,coop")
    bare = cli(*command, *heads)
    assert bare.returncode == 0, bare.stderr
    assert "1 trained, 0 already done, 2 cells skipped" in bare.stdout
    skipped = [line for line in bare.stdout.splitlines() if line.startswith("skipped: ")]
    assert [line.split()[1] for line in skipped] == ["zeroshot:", "coop:"]
    assert all("has none; add --text" in line for line in skipped)
    stored = [json.loads(file.read_text()) for file in tmp_path.glob("results/skipped/*.json")]
    assert {skip["spec"]["head"] for skip in stored} == {"zeroshot", "coop"}
    strict = cli(*command, *heads, "--strict", "--results", "strict")
    assert strict.returncode == 2
    assert "head 'zeroshot' needs a text encoder" in strict.stderr
    assert not list((tmp_path / "strict").glob("runs/*/*.json"))
    alone = cli(*command, "--head", "coop", "--results", "alone")
    assert alone.returncode == 2
    assert "head 'coop' needs a text encoder" in alone.stderr
    assert not (tmp_path / "alone").exists()
    with_text = cli(*command, *heads, "--text", "clip:tiny")
    assert "1 trained, 1 already done, 1 cell skipped" in with_text.stdout
    assert "skipped: zeroshot: " in with_text.stdout


def test_a_sweep_survives_a_dataset_that_is_absent_and_too_many_shots(cli: Cli) -> None:
    datasets = "utkface,drawn-faces:per_rank=8,drawn-faces:per_rank=3"
    sweep = ("run", "--head", "linear", "--dataset", datasets, "--shots", "1,4", *QUICK[2:])
    ran = cli(*sweep)
    assert ran.returncode == 0, ran.stderr
    assert "3 trained, 0 already done, 3 cells skipped" in ran.stdout
    absent, few = [line for line in ran.stdout.splitlines() if line.startswith("skipped: ")]
    assert absent.startswith("skipped: linear, utkface, 1 shot and 1 more cell: ")
    assert few.startswith("skipped: linear, drawn-faces:per_rank=3, 4 shots: not enough ")
    dry = cli(*sweep, "--dry-run")
    assert "3 already done, 0 failed before, 1 to run, 2 cells skipped" in dry.stdout
    again = [json.loads(line) for line in cli(*sweep, "--json").stdout.splitlines()]
    assert Counter(run["status"] for run in again) == {"done": 3, "skipped": 3}
    assert all("utkface" in one["error"] for one in again if one["spec"]["dataset"] == "utkface")


def test_a_head_that_is_broken_is_skipped(
    cli: Cli, fragile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAGILE", "raise")
    ran = cli("run", "--head", "fragile,linear", *QUICK, "--shots", "1")
    assert ran.returncode == 0, ran.stderr
    assert "1 trained, 0 already done, 1 cell skipped" in ran.stdout
    assert "head 'fragile' cannot be built: RuntimeError: as FRAGILE says" in ran.stdout


def test_a_dry_run_neither_decodes_nor_encodes_nor_writes(cli: Cli, tmp_path: Path) -> None:
    sweep = ("run", "--head", "linear,coop", *QUICK, "--shots", "1", "--dry-run")
    dry = cli(*sweep, env={"ORDBENCH_CACHE": str(tmp_path / "cache")})
    assert "2 to run" in dry.stdout
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / "results").exists()


def test_published_records_are_no_folder_to_run_into(cli: Cli, tmp_path: Path) -> None:
    command = ("run", "--head", "zeroshot", *QUICK, "--shots", "1")
    cli(*command)
    cli("results", "compact", "results", "published/records.jsonl.gz")
    refused = cli(*command, "--results", "published")
    assert refused.returncode == 2
    assert "published holds published records" in refused.stderr
    assert [file.name for file in (tmp_path / "published").iterdir()] == ["records.jsonl.gz"]


def test_a_sampler_that_is_not_installed_is_refused_and_no_failure(
    cli: Cli, tmp_path: Path
) -> None:
    code = (
        "import sys; sys.modules['optuna'] = None\n"
        "from ordbench.cli.main import main\n"
        "sys.exit(main())"
    )
    sweep = ("run", "--head", "linear", *QUICK, "--shots", "1", "--tune", "3")
    process = subprocess.run(
        [sys.executable, "-c", code, *sweep, "--sampler", "optuna"],
        cwd=tmp_path,
        env=dict(os.environ, ORDBENCH_CACHE=str(tmp_path / "cache"), HF_HUB_OFFLINE="1"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 2
    assert "optuna is not installed" in process.stderr
    assert records(tmp_path / "results") == {}


def test_what_a_tuning_chose_stands_in_the_record(cli: Cli, tmp_path: Path) -> None:
    cli("run", "--head", "linear", *QUICK, "--shots", "1", "--tune", "5")
    (record,) = records(tmp_path / "results").values()
    training = record["training"]
    best = min(training["tried"], key=lambda one: one["val_mae"])
    assert (len(training["tried"]), training["chosen"]) == (5, best["changed"])
    assert training["val_mae"] == best["val_mae"]


@pytest.mark.parametrize("number", [3, 14])
def test_files_that_are_left_out_are_named_with_the_reason(
    cli: Cli, tmp_path: Path, number: int
) -> None:
    from PIL import Image

    for rank in (1, 2):
        for n in range(8):
            place = tmp_path / "own" / str(rank) / f"{n}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (32, 32), (100 * rank, 20 * n, 0)).save(place)
    for n in range(number):
        (tmp_path / "own" / "1" / f"broken{n:02d}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ran = cli("run", "--head", "linear", "--dataset", f"folder:{tmp_path / 'own'}")
    assert ran.returncode == 0, ran.stderr
    (said,) = [line for line in ran.stdout.splitlines() if "left out" in line]
    assert f"{number} files left out: 1/broken00.png (cannot be decoded" in said
    assert said.endswith("and 4 more, see a record") == (number == 14)
    (record,) = records(tmp_path / "results").values()
    assert [name for name, _ in record["split"]["rejected"]] == [
        f"1/broken{n:02d}.png" for n in range(number)
    ]
