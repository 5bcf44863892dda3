"""A head from a package of its own, as a stranger would install it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

Cli = Callable[..., subprocess.CompletedProcess[str]]
PLUGIN = Path(__file__).parent / "plugin"


def install(source: Path, target: Path) -> dict[str, str]:
    """Install a package by pip into ``target``, without a network; the environment to see it."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--target", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    others = [path for path in [os.environ.get("PYTHONPATH")] if path]
    return {"PYTHONPATH": os.pathsep.join([str(target), *others])}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the plug-in: building it must not leave files in the repository."""
    return Path(shutil.copytree(PLUGIN, tmp_path / "plugin"))


def test_a_head_from_another_package_runs_and_stands_in_the_table(
    cli: Cli, source: Path, tmp_path: Path
) -> None:
    env = install(source, tmp_path / "site")
    ran = cli("run", "--head", "mirror", "--dataset", "drawn-faces", "--shots", "1", env=env)
    assert ran.returncode == 0, ran.stderr
    printed = cli("table", "--format", "json", env=env)
    assert "mirror" in printed.stdout
    listed = json.loads(cli("ls", "heads", "--json", env=env).stdout)
    (row,) = [row for row in listed if row["name"] == "mirror"]
    assert row["title"].startswith("Mirror: a linear probe")
    assert row["source"] == "an example of a head from another package"
    shown = cli("show", "head", "mirror", env=env).stdout.splitlines()
    assert shown[0] == "head mirror, of ordbench-mirror 0.1.0"
    assert "source  an example of a head from another package" in shown
    every_kth = cli("show", "protocol", "every-kth", env=env).stdout
    assert "\nwrite            every-kth[:KEY=VALUE...]\n" in every_kth
    assert every_kth.endswith("\noptions\n  k=4 (int)\n")


def test_a_head_without_a_posterior_is_scored_by_its_own_estimates(
    cli: Cli, source: Path, tmp_path: Path
) -> None:
    env = install(source, tmp_path / "site")
    command = ("run", "--head", "point", "--dataset", "drawn-faces", "--seeds", "0,1")
    ran = cli(*command, "--json", "--results", str(tmp_path / "results"), env=env)
    records = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(records) == 2, ran.stderr
    for record in records:
        assert record["metrics"].keys() == {"point"}
        assert record["metrics"]["point"]["mae"] < 0.4 * record["baseline"]["mae"]
        folder = tmp_path / "results" / "runs" / record["run_id"][:2]
        answers = pd.read_parquet(folder / record["predictions"]["file"])
        ages = np.clip(answers["point"], 1, 90)
        errors = [abs(age - 1 - rank) for age, rank in zip(ages, answers["rank"], strict=True)]
        assert record["metrics"]["point"]["mae"] == pytest.approx(np.mean(errors))
    table = cli("table", str(tmp_path / "results"), env=env).stdout
    assert "point estimate only: point" in table


def test_a_head_that_is_edited_is_run_again(cli: Cli, source: Path, tmp_path: Path) -> None:
    env = install(source, tmp_path / "site")
    command = ("run", "--head", "mirror", "--dataset", "drawn-faces", "--shots", "1", "--json")
    first = json.loads(cli(*command, env=env).stdout)
    file = tmp_path / "site" / "ordbench_mirror.py"
    file.write_text(file.read_text().replace("logits + logits.flip(-1)", "logits"))
    second = json.loads(cli(*command, env=env).stdout)
    assert first["run_id"] != second["run_id"]
    assert first["metrics"] != second["metrics"]


def test_a_head_that_cannot_be_imported_is_listed_with_its_reason_and_stops_nothing(
    cli: Cli, source: Path, tmp_path: Path
) -> None:
    (source / "ordbench_mirror.py").write_text('raise RuntimeError("no licence server")\n')
    env = install(source, tmp_path / "site")
    listed = cli("ls", "heads", "--json", env=env)
    assert listed.returncode == 0
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert "ordbench-mirror" in rows["mirror"]["broken"]
    assert "no licence server" in rows["mirror"]["broken"]
    assert rows["coral"]["broken"] == ""
    tiny = ("--dataset", "drawn-faces:per_rank=5", "--shots", "1")
    others = cli("run", "--head", "linear,m*", *tiny, "--recipe", "min_steps=4", env=env)
    assert others.returncode == 0, others.stderr
    assert "2 trained" in others.stdout
    assert others.stderr.startswith("ordbench: left out: head 'mirror' of ordbench-mirror")
    ran = cli("run", "--head", "mirror", "--dataset", "drawn-faces", env=env)
    assert ran.returncode == 2
    assert "no licence server" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_two_packages_that_offer_one_name_are_both_named(
    cli: Cli, source: Path, tmp_path: Path
) -> None:
    project = source / "pyproject.toml"
    project.write_text(project.read_text().replace("mirror =", "coral ="))
    env = install(source, tmp_path / "site")
    ran = cli("run", "--head", "coral", "--dataset", "drawn-faces", env=env)
    assert ran.returncode == 2
    assert "ordbench (ordbench_heads.coral:Coral)" in ran.stderr
    assert "ordbench-mirror (ordbench_mirror:Mirror)" in ran.stderr


def test_a_protocol_from_another_package_draws_splits_of_its_own(
    cli: Cli, source: Path, tmp_path: Path
) -> None:
    env = install(source, tmp_path / "site")
    tiny = ("--dataset", "drawn-faces:per_rank=6", "--recipe", "min_steps=4", "--head", "linear")
    results = str(tmp_path / "results")
    hashes: list[str] = []
    for protocol in ("standard", "every-kth", "every-kth:k=3", "every-kth:k=4"):
        ran = cli("run", *tiny, "--protocol", protocol, "--json", "--results", results, env=env)
        assert ran.returncode == 0, ran.stderr
        record = json.loads(ran.stdout)
        hashes.append(record["split"]["hash"])
        assert record["ranked"] is True
    assert hashes[1] == hashes[3], "k=4 is the default"
    assert len(set(hashes)) == 3
    assert record["split"]["train"] == record["split"]["val"] == record["split"]["test"] == 180
    table = cli("table", results, "--format", "markdown", env=env).stdout
    for caption in ("protocol standard;", "protocol every-kth;", "protocol every-kth:k=3;"):
        assert caption in table.replace("\\", "")
    assert "k=4" not in table
    listed = {row["name"] for row in json.loads(cli("ls", "protocols", "--json", env=env).stdout)}
    assert {"every-kth", "paper", "standard"} <= listed
    for wrong, said in (
        ("every-kht", "did you mean every-kth"),
        ("every-kth:j=3", "no option 'j'"),
    ):
        ran = cli("run", *tiny, "--protocol", wrong, "--results", results, env=env)
        assert ran.returncode == 2
        assert said in ran.stderr
        assert len(ran.stderr.splitlines()) == 1


def test_a_metric_and_a_decode_from_another_package_are_tabled_for_old_runs(
    cli: Cli, source: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    tiny = ("--dataset", "drawn-faces:per_rank=5", "--shots", "1", "--recipe", "min_steps=4")
    ran = cli("run", "--head", "linear", *tiny, "--json", "--results", str(results))
    record = json.loads(ran.stdout)
    env = install(source, tmp_path / "site")
    query = ("table", str(results), "--metric", "worst", "--decode", "lowest", "--format", "json")
    printed = [cli(*query, env=env) for _ in range(2)]
    assert [one.stderr for one in printed] == ["", ""]
    (table,) = json.loads(printed[0].stdout)
    assert printed[1].stdout == printed[0].stdout
    assert table["caption"].startswith("worst error [years], lower is better; decoded by lowest")
    file = results / "runs" / record["run_id"][:2] / record["predictions"]["file"]
    seen = pd.read_parquet(file)
    estimates = [1 + int((row.cumsum() > 0.05).argmax()) for row in seen["posterior"]]
    worst = max(abs(e - true) for e, true in zip(estimates, seen["true"], strict=True))
    assert table["rows"][0]["cells"][0]["mean"] == worst
    unknown = cli("table", str(results), "--metric", "worse", env=env)
    suggested = "did you mean worst? (see ordbench ls metrics)"
    assert unknown.stderr == f"ordbench: unknown metric 'worse'; {suggested}\n"
