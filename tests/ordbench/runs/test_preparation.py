from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ordbench.dataset import Part
from ordbench.errors import DatasetError
from ordbench.runs import resources as resources_module
from ordbench.runs.preparation import PreparedRun, prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.spec import RunSpec, resolved
from ordbench.splits import folds
from ordbench.splits.formats import read_split

HEADS = ("linear", "coral", "sord", "regression", "binomial")
SHOTS = (1, 2, 4, 8)
SEEDS = (0, 1, 2)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """300 rows of 4 features, 3 ranks."""
    draw = np.random.default_rng(0)
    path = tmp_path / "table.npz"
    features = draw.standard_normal((300, 4), dtype=np.float32)
    np.savez(path, features=features, rank=np.arange(300) % 3)
    return path


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    return Resources(Locations(cache=tmp_path, device="cpu"))


def run(table: Path, head: str = "linear", shots: int | None = None, seed: int = 0) -> RunSpec:
    return resolved(
        RunSpec(
            head=head, dataset=f"features:{table}", shots=shots, data_seed=seed, train_seed=seed
        )
    )


def test_a_sweep_works_out_once_what_its_runs_share(
    table: Path, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    def counting(owner: object, name: str) -> None:
        function: Callable[..., Any] = getattr(owner, name)

        def counted(*args: object, **options: object) -> object:
            calls[name] += 1
            return function(*args, **options)

        monkeypatch.setattr(owner, name, counted)

    for owner, name in (
        (resources, "_read"),
        (resources_module, "row_hashes"),
        (folds, "folds_by_hash"),
        (folds, "hold_out"),
        (folds, "by_rank"),
        (resources, "_draw"),
    ):
        counting(owner, name)
    prepared = [
        prepare(run(table, head, shots, seed), resources)
        for shots in SHOTS
        for head in HEADS
        for seed in SEEDS
    ]
    assert calls == {
        "_read": 1,
        "row_hashes": 1,
        "folds_by_hash": 1,
        "hold_out": 1,
        "by_rank": 2 + len(SEEDS),  # one for each of the two above
        "_draw": len(SHOTS) * len(SEEDS),
    }
    assert len({one.identity.run_id for one in prepared}) == len(prepared)


def test_runs_of_one_split_share_their_features_while_one_is_there(
    table: Path, resources: Resources
) -> None:
    pairs = [("linear", 0), ("linear", 1), ("coral", 0)]
    runs = [prepare(run(table, head, None, seed), resources) for head, seed in pairs]
    train = [one.labelled("train") for one in runs]
    assert all(one is train[0] for one in train)
    assert runs[0].labelled("val") is not train[0]
    other = prepare(run(table, shots=4), resources)
    assert other.labelled("train") is not train[0]
    shared = runs[0].material.shared
    assert len(shared) == 3
    del runs, train
    gc.collect()
    assert len(shared) == 1


@pytest.mark.parametrize("part", ["train", "val", "test"])
@pytest.mark.parametrize("shots", [None, 4])
def test_each_part_has_the_features_and_ranks_of_its_samples(
    table: Path, resources: Resources, shots: int | None, part: Part
) -> None:
    prepared = prepare(run(table, shots=shots), resources)
    names: tuple[str, ...] = getattr(prepared.split, part)
    rows = [int(name) - 1 for name in names]  # rows without names are numbered from 1
    labelled = prepared.labelled(part)
    features = np.load(table)["features"]
    assert torch.equal(labelled.features, torch.from_numpy(features[rows]))
    assert labelled.ranks.tolist() == [row % 3 for row in rows]


def test_given_lists_have_one_hash_at_all_seeds_of_a_protocol_that_draws(
    table: Path, tmp_path: Path
) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    for part, rows in {"train": range(1, 251), "test": range(251, 301)}.items():
        text = "".join(f"{row:06} {(row - 1) % 3}\n" for row in rows)
        (lists / f"{part}.txt").write_text(text)
    given = Resources(Locations(cache=tmp_path, device="cpu", manifest=lists))
    asked = {"split": read_split(lists).hash, "protocol": "label-noise:share=0.5"}
    found = [
        prepare(run(table, shots=shots, seed=seed).model_copy(update=asked), given)
        for seed in (0, 1)
        for shots in (None, 4)
    ]
    assert len({one.split.hash for one in found}) == 4
    (stated,) = {one.identity.custom_split_hash for one in found}
    assert stated == found[0].split.hash
    again = found[3].spec.model_copy(update={"split": stated})  # as a record has it
    assert prepare(again, given).identity == found[3].identity


def test_official_parts_may_share_people_where_that_is_allowed(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    parts = np.array(["train", "val", "test"])[np.arange(90) % 3]
    people = np.array([f"p{n % 10}" for n in range(90)])
    features = draw.standard_normal((90, 4), dtype=np.float32)
    path = tmp_path / "leaky.npz"
    np.savez(path, features=features, rank=np.arange(90) % 2, group=people, part=parts)

    def prepared(*, allow_leak: bool) -> PreparedRun:
        return prepare(
            run(path), Resources(Locations(cache=tmp_path, device="cpu", allow_leak=allow_leak))
        )

    with pytest.raises(DatasetError, match=r"group 'p0' .* or add --allow-leak"):
        prepared(allow_leak=False)
    assert prepared(allow_leak=True).split.leaks == 30
