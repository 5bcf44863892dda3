"""Packages as `ordbench new-head` and its like write them: they install, pass and run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from ordbench.scaffold.package import Kind, new_package

Cli = Callable[..., subprocess.CompletedProcess[str]]
NAMES: dict[Kind, str] = {"head": "new-head", "dataset": "new-data", "backbone": "new-cells"}


def python(*arguments: str | Path, cwd: Path, path: Path) -> str:
    """What a command prints that must succeed; packages in ``path`` are there."""
    others = [one for one in [os.environ.get("PYTHONPATH")] if one]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), *others])}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_new_packages_install_pass_their_own_tests_and_run(cli: Cli, tmp_path: Path) -> None:
    new, site = tmp_path / "new", tmp_path / "site"
    folders = [new_package(kind, name, new / name) for kind, name in NAMES.items()]
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
    python(*install, "--no-build-isolation", "--target", site, *folders, cwd=new, path=site)

    tests = [file for folder in folders for file in sorted(folder.glob("test_*.py"))]
    passed = python("-m", "pytest", "-q", "-W", "error", *tests, cwd=new, path=site)
    assert len(tests) == 3
    assert "failed" not in passed

    images = tmp_path / "data" / "new-data"
    images.mkdir(parents=True)
    lines = ["image,rank"]
    for n in range(60):
        rank, red = ("low", "medium", "high")[n % 3], 100 * (n % 3) + n // 3
        Image.new("RGB", (9, 9), (red, 0, 0)).save(images / f"{n}.png")
        lines.append(f"{n}.png,{rank}")
    (images / "labels.csv").write_text("\n".join(lines))
    choice = ("--head", "new-head", "--dataset", "new-data", "--backbone", "new-cells:2")
    ran = cli("run", *choice, "--json", env={"PYTHONPATH": _joined(site)})
    assert ran.returncode == 0, ran.stderr
    record = json.loads(ran.stdout)
    assert record["metrics"]["median"]["mae"] < 0.5 * record["baseline"]["mae"]


def _joined(site: Path) -> str:
    return os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
