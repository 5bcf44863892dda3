"""What holds for every dataset: the next one is tested before its author writes a test."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

from ordbench.dataset import Dataset
from ordbench.errors import DatasetError
from ordbench.plugins.options import declared, resolve
from ordbench.plugins.registry import DATASETS

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "datasets" / "ordbench_datasets"


@pytest.fixture(params=sorted(DATASETS))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def dataset(name: str) -> type[Dataset]:
    return DATASETS[name]


def test_every_file_is_registered_and_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    registered: dict[str, str] = project["entry-points"]["ordbench.datasets"]
    modules = {target.partition(":")[0].rpartition(".")[2] for target in registered.values()}
    assert modules == {file.stem for file in FILES.glob("[!_]*.py")}, "edit pyproject.toml"
    assert set(DATASETS) >= registered.keys(), "run: pip install -e ."


def test_it_is_a_dataset_with_a_filled_card(dataset: type[Dataset]) -> None:
    assert issubclass(dataset, Dataset)
    card = dataset.card
    for field in fields(card):
        value = getattr(card, field.name)
        if isinstance(value, str) and field.name != "argument":
            assert value.strip() == value != "", f"card.{field.name} is empty"
            assert "\n" not in value, f"card.{field.name} has more than one line"
    assert card.folds >= 0


def test_its_options_are_typed_and_their_defaults_are_of_their_type(
    name: str, dataset: type[Dataset]
) -> None:
    options = declared(dataset)
    for option, (kind, default) in options.items():
        plain = kind in (bool, int, float, str) or get_origin(kind) is Literal
        assert plain, f"{option}: {kind}"
        assert default in get_args(kind) or isinstance(default, kind), f"{option}={default!r}"
    given = {option: str(default) for option, (_, default) in options.items()}
    defaults = {option: default for option, (_, default) in options.items()}
    assert resolve(dataset, given, owner=name) == defaults


def test_an_empty_folder_is_refused_in_one_line_that_says_what_to_do(
    dataset: type[Dataset], tmp_path: Path
) -> None:
    if dataset.card.embedded:
        pytest.skip("comes with ordbench")
    argument = str(tmp_path) if dataset.card.argument else ""
    for root in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DatasetError) as caught:
            dataset(root, argument).read()
        message = str(caught.value)
        assert "\n" not in message
        assert str(argument or root) in message
        assert any(word in message for word in (dataset.card.how_to_get, "; wanted ")), message


def test_importing_all_of_them_loads_no_heavy_library() -> None:
    code = (
        "import sys; from ordbench.plugins.registry import DATASETS; "
        "loaded = list(DATASETS.values()); "
        "heavy = {'torch', 'pandas', 'numpy', 'PIL', 'pooch'} & set(sys.modules); "
        "assert len(loaded) >= 6 and not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
