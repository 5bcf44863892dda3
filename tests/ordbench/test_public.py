"""The public names of `ordbench`: all there, typed, and imported on first use only."""

import ast
import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import ordbench

PUBLIC = set(dir(ordbench)) - {"__version__", "nn", "plots", "prompts", "testing"}


def python(code: str) -> str:
    """What a new interpreter prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_is_what_it_says(name: str) -> None:
    assert getattr(ordbench, name).__name__ in {name, "Mapping"}  # SearchSpace is an alias


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(ordbench.__file__).read_text(encoding="utf-8"))
    typed = {
        alias.name
        for block in tree.body
        if isinstance(block, ast.If)
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
        if alias.name == alias.asname
    }
    assert typed == PUBLIC


def test_the_version_is_that_of_the_package() -> None:
    assert ordbench.__version__ == importlib.metadata.version("ordbench")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'ordbench' has no attribute 'Haed'"):
        ordbench.Haed  # type: ignore[attr-defined]  # noqa: B018


def test_contracts_without_tensors_load_no_torch() -> None:
    names = "Task, Dataset, Recipe, RunSpec, Backbone, OrdbenchError, load_records"
    assert python(f"import sys; from ordbench import {names}; print('torch' in sys.modules)") == (
        "False\n"
    )


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_no_module_hides_a_public_name(name: str) -> None:
    """`ordbench.run` would be the module `ordbench/run.py` as soon as that is imported."""
    assert importlib.util.find_spec(f"ordbench.{name}") is None
