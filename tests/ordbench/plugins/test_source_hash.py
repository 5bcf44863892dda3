"""The code of a plug-in, with the modules that it imports, names its runs."""

import inspect
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ordbench.plugins.registry import HEADS
from ordbench.plugins.source_hash import source_hash

ROOT = Path(__file__).parents[3]
HASHES = """
import json
from ordbench.plugins.registry import HEADS
from ordbench.runs.identity import source_hashes
from ordbench.runs.spec import RunSpec
print(json.dumps({head: source_hashes(RunSpec(head=head, dataset="folder")) for head in HEADS}))
"""
LEARNED_PROMPTS = {"clip-dr", "coop", "numclip", "ordinalclip"}
TEXT_HEADS = {name for name in HEADS if HEADS[name].needs_text}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages that may be edited."""
    copy = tmp_path_factory.mktemp("checkout")
    for package in ("ordbench", "heads", "datasets"):
        shutil.copytree(ROOT / package, copy / package)
    return copy


def hashes(checkout: Path) -> dict[str, dict[str, str]]:
    folders = (checkout, checkout / "heads", checkout / "datasets")
    path = os.pathsep.join([*map(str, folders), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-B", "-c", HASHES]
    environment = {**os.environ, "PYTHONPATH": path}
    got = subprocess.run(command, env=environment, cwd=checkout, stdout=subprocess.PIPE, check=True)
    found: dict[str, dict[str, str]] = json.loads(got.stdout)
    return found


def source(head: str) -> str:
    return Path(inspect.getfile(HEADS[head])).read_text()


def test_an_edited_module_changes_the_hashes_of_the_heads_that_use_it(checkout: Path) -> None:
    edits = {
        "ordbench/nn/losses.py": {name for name in HEADS if "nn.losses import" in source(name)},
        "ordbench/prompts/prefix_encoder.py": LEARNED_PROMPTS,
        "ordbench/backbones/clip/text_tower.py": TEXT_HEADS,
        "heads/ordbench_heads/coral.py": {"coral"},
        "ordbench/training/trainer.py": set(HEADS),
        "ordbench/leaderboard/build.py": set[str](),
    }
    before = hashes(checkout)
    for name, wanted in edits.items():
        file = checkout / name
        file.write_text(file.read_text() + "\n_EDITED = True\n")
        after = hashes(checkout)
        assert {head for head in after if after[head] != before[head]} == wanted, name
        before = after


def test_a_head_without_a_source_file_of_its_own_is_hashed_by_its_bases() -> None:
    linear = HEADS["linear"]
    assert source_hash(type("Other", (linear,), {"__module__": "builtins"})) == source_hash(linear)
