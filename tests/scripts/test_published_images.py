"""The shipped table of published images is what the lists give."""

from __future__ import annotations

import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from ordbench.data.published import published_images
from ordbench.plugins.registry import DATASETS

ROOT = Path(__file__).parents[2]
NAMES = ("adience", "agedb", "clap2015", "clap2016", "fgnet", "hci", "morph")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_file_location("published", ROOT / "scripts" / "published_images.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_the_table_is_made_from_the_lists(script: ModuleType, name: str) -> None:
    assert tuple(script.SOURCES) == NAMES
    lists = Path(os.environ.get("ORDBENCH_SHARED", ROOT.parent / "shared")) / "splits"
    if not lists.exists():
        pytest.skip("no splits below ORDBENCH_SHARED")
    known = published_images(DATASETS[name], name)
    assert known is not None
    folds = 1 if name == "morph" else 100  # a fold of 55,134 images takes a while
    made = script.published(name, lists, at_most=folds)
    assert made == known.model_copy(update={"folds": known.folds[:folds]})
