"""Two heads, backbones or folders, setting by setting."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ordbench.errors import SpecError, StoreError
from ordbench.leaderboard.query import select
from ordbench.plugins.registry import find_metric
from ordbench.report.comparison import Comparison, compare_sides, to_json
from ordbench.report.matching import two_sides

Write = Callable[..., Path]


def compared(first: object, second: object, root: Path, **selection: Any) -> Comparison:  # noqa: ANN401
    sides = two_sides(str(first), str(second), root, partial(select, **selection))
    return compare_sides(*sides, find_metric("mae"), "median")


def differences(found: Comparison) -> list[float | None]:
    return [one.paired and round(one.paired.difference, 0) for one in found.settings]


def test_heads_are_compared_in_every_setting_with_holm_over_them(
    write: Write, tmp_path: Path
) -> None:
    for seed in range(3):
        for shots, worse in ((1, 3.0), (4, 0.0), (None, 1.0)):
            write("linear", seed, spec={"shots": shots})
            write("coral", seed, worse=worse, spec={"shots": shots})
    write("linear", 0, spec={"shots": 8})
    found = compared("coral", "linear", tmp_path)
    assert found.kind == "heads"
    assert [one.facts["shots"] for one in found.settings] == ["1-shot", "4-shot", "all"]
    assert differences(found) == [3.0, 0.0, 1.0]
    assert found.unit == "years"
    for one in found.settings:
        assert one.paired
        assert one.paired.p is not None
        assert one.paired.p_holm is not None
        assert one.paired.p <= one.paired.p_holm <= 3 * one.paired.p
    only = compared("coral", "linear", tmp_path, shots=["4"])
    assert [one.facts["shots"] for one in only.settings] == ["4-shot"]


def test_backbones_are_compared_head_by_head(write: Write, tmp_path: Path) -> None:
    for head in ("linear", "coral"):
        write(head, 0)
        write(head, 0, worse=2.0, spec={"backbone": "timm:resnet50"})
    found = compared("timm:resnet50", "clip:tiny", tmp_path)
    assert found.kind == "backbones"
    assert [one.facts["head"] for one in found.settings] == ["coral", "linear"]
    assert differences(found) == [2.0, 2.0]


def test_folders_are_compared_run_by_run(write: Write, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for seed in range(2):
        write("linear", seed, root=one)
        write("linear", seed, root=other, worse=1.0)
    found = compared(one, other, tmp_path)
    assert found.kind == "folders"
    assert differences(found) == [-1.0]
    assert found.settings[0].facts["head"] == "linear"


def test_runs_without_a_common_seed_have_no_comparison(write: Write, tmp_path: Path) -> None:
    write("linear", 0)
    write("coral", 1)
    found = compared("linear", "coral", tmp_path)
    assert differences(found) == [None]
    (read,) = json.loads(to_json(found, top=1))["settings"]
    assert (read["paired"], read["differences"]) == (None, None)


def test_json_says_where_they_differ(write: Write, tmp_path: Path) -> None:
    people = [f"person {index // 2}" for index in range(200)]
    for head in ("linear", "coral"):
        write(head, 0, groups=people, train_median=0.0, extra={"gender": ["f", "m"] * 100})
    read = json.loads(to_json(compared("linear", "coral", tmp_path), top=3, attributes=["gender"]))
    (setting,) = read["settings"]
    assert (setting["paired"]["images"], setting["paired"]["units"]) == (200, 100)
    found = setting["differences"]
    assert [part["name"] for part in found["by_attribute"]["gender"]] == ["f", "m"]
    assert [len(found[name]) for name in ("people", "best_of_first", "best_of_second")] == [3] * 3
    assert found["by_distance"][0]["name"] == "0"


def test_a_name_that_is_none_or_means_several_is_refused(write: Write, tmp_path: Path) -> None:
    write("linear", 0)
    write("linear", 1, spec={"head_options": {"hidden": "64"}})
    write("coral", 0)
    with pytest.raises(SpecError, match="'corl' is no head or backbone among the records of"):
        compared("corl", "linear", tmp_path)
    with pytest.raises(SpecError, match="are not both heads or both backbones"):
        compared("coral", "clip:tiny", tmp_path)
    with pytest.raises(
        SpecError, match=r"linear has several heads in one setting: linear \(hidden"
    ):
        compared("coral", "linear", tmp_path)
    write("emd", 0, spec={"shots": 4})
    with pytest.raises(SpecError, match="have no setting in common"):
        compared("coral", "emd", tmp_path)


def test_other_test_images_and_absent_predictions_are_refused(write: Write, tmp_path: Path) -> None:
    write("linear", 0)
    write("coral", 0, ranks=np.ones(200, np.int64))
    with pytest.raises(StoreError, match="linear and coral were not tested on the same images"):
        compared("linear", "coral", tmp_path)
    write("emd", 0).with_suffix(".parquet").unlink()
    with pytest.raises(StoreError, match="does not hold the predictions of run"):
        compared("linear", "emd", tmp_path)
