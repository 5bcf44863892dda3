"""Runs that train on one dataset and test on another one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

import ordbench
from ordbench.errors import DatasetError, OrdbenchError, SpecError
from ordbench.results.rows import without_paths
from ordbench.runs.preparation import PreparedRun, prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.runner import run_cell
from ordbench.runs.spec import resolved
from ordbench.splits.manifest import write_manifest
from ordbench.sweeps.dry_run import find_missing
from ordbench.sweeps.scheduler import Policy
from ordbench.sweeps.spec import SweepSpec

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    return Resources(Locations(cache=tmp_path / "cache", device="cpu"))


def prepared(resources: Resources, head: str, dataset: str, test: str) -> PreparedRun:
    spec = ordbench.RunSpec(head=head, dataset=dataset, test_dataset=test)
    return prepare(resolved(spec), resources)


def sweep_on(test: str) -> SweepSpec:
    return SweepSpec.from_options(
        head="linear", dataset="drawn-faces:per_rank=2", test_dataset=test
    )


def images(folder: Path, colours: range, ranks: str = "12") -> Path:
    for n in colours:
        file = folder / ranks[n % len(ranks)] / f"{n:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (8, 8), (n, 2 * n % 256, 99)).save(file)
    return folder


def test_a_regressor_is_tested_on_the_other_dataset(tmp_path: Path, resources: Resources) -> None:
    features, progress = map(np.asarray, load_diabetes(return_X_y=True))
    features, ranks = 20 * features.astype(np.float32), np.digitize(progress, [75, 115, 165])
    np.savez(tmp_path / "here.npz", features=features[:300], rank=ranks[:300])
    kept = ranks[300:] > 0
    labels = np.where(kept, ranks[300:], 9)
    np.savez(tmp_path / "there.npz", features=features[300:], rank=labels)
    run = prepared(
        resources,
        "sklearn:Ridge",
        f"features:{tmp_path}/here.npz",
        f"features:{tmp_path}/there.npz",
    )
    (result,) = run_cell([run], resources)
    train = [int(name) - 1 for name in run.split.train]
    alone = Ridge().fit(features[train], ranks[train])
    assert result.predictions is not None
    expected = alone.predict(features[300:][kept]).clip(0, 3)
    np.testing.assert_allclose(result.predictions.estimates["point"], expected, rtol=1e-5)
    assert result.predictions.ranks.tolist() == ranks[300:][kept].tolist()
    assert result.record.split is not None
    note = f"tested on {kept.sum()} of 142 samples of features; {(~kept).sum()} have a rank that"
    assert any(said.startswith(note) for said in result.record.split.notes)


def test_what_is_tested_names_the_run_and_its_place_does_not(
    tmp_path: Path, resources: Resources
) -> None:
    here = f"folder:{images(tmp_path / 'here', range(40))}"
    places = [images(tmp_path / name, range(100, 120)) for name in ("there", "elsewhere")]
    first, second = (prepared(resources, "linear", here, f"folder:{place}") for place in places)
    assert first.identity == second.identity
    assert first.identity.run_id != prepared(resources, "linear", here, "").identity.run_id
    PIL.Image.new("RGB", (8, 8), "white").save(places[0] / "1" / "100.png")
    changed = prepared(Resources(resources.settings), "linear", here, f"folder:{places[0]}")
    assert changed.identity.run_id != first.identity.run_id


def test_a_picture_in_both_datasets_is_refused(tmp_path: Path, resources: Resources) -> None:
    here = images(tmp_path / "here", range(40))
    there = images(tmp_path / "there", range(39, 60))
    with pytest.raises(DatasetError, match=r"picture 2/039\.png, also in folder:2/039\.png' is in"):
        prepared(resources, "linear", f"folder:{here}", f"folder:{there}")
    leaky = Resources(Locations(cache=tmp_path / "cache", device="cpu", allow_leak=True))
    assert prepared(leaky, "linear", f"folder:{here}", f"folder:{there}").split.leaks == 1


def test_the_other_dataset_stands_in_the_caption_of_its_own_table(cli: Cli) -> None:
    asked = ("run", "--head", "linear", "--dataset", "drawn-faces:per_rank=3", "--shots", "1")
    quick = ("--recipe", "min_steps=4", "--recipe", "epochs=1", "--json")
    for more in ((), ("--test-dataset", "drawn-faces:seed=1:per_rank=2")):
        done = cli(*asked, *quick, *more)
        assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["spec"]["test_dataset"] == "drawn-faces:per_rank=2:seed=1"
    assert record["split"]["test"] == 180
    printed = cli("table", "--format", "markdown").stdout
    assert printed.count("test dataset drawn-faces:per\\_rank=2:seed=1") == 1
    assert printed.count("| `linear` |") == 2


def test_a_test_dataset_that_is_not_there_or_takes_another_backbone_is_refused(
    tmp_path: Path,
) -> None:
    np.savez(tmp_path / "x.npz", features=np.eye(4), rank=[1, 2, 1, 2])
    places = Locations(data_root=tmp_path, cache=tmp_path, device="cpu")
    for test, said in (
        ("utkface", "UTKFace not found in"),
        (
            f"features:{tmp_path}/x.npz",
            f"--test-dataset features:{tmp_path}/x.npz: one of drawn-faces and features brings fea",
        ),
    ):
        specs = sweep_on(test).expand()
        with pytest.raises(OrdbenchError, match=f"^{said}"):
            prepare(specs[0], Resources(places))
        (skipped,) = find_missing(specs, tmp_path / "results", places, Policy()).skipped
        assert str(skipped.error).startswith(said)
    with pytest.raises(SpecError, match=r"unknown dataset 'utkfac'.*did you mean"):
        sweep_on("utkfac")


def test_a_run_without_one_is_described_as_before_there_were_any() -> None:
    spec = ordbench.RunSpec(head="linear", dataset="drawn-faces")
    assert "test_dataset" not in spec.model_dump() | json.loads(spec.model_dump_json())
    other = spec.model_copy(update={"test_dataset": "csv:/home/me/a.csv:rank=age"})
    assert other.model_dump()["test_dataset"] == "csv:/home/me/a.csv:rank=age"
    assert ordbench.RunSpec.model_validate_json(other.model_dump_json()) == other
    assert without_paths(other).test_dataset == "csv:a.csv:rank=age"


def test_a_split_that_does_not_test_the_other_dataset_is_refused(
    tmp_path: Path, resources: Resources
) -> None:
    here = f"folder:{images(tmp_path / 'here', range(40))}"
    there = f"folder:{images(tmp_path / 'there', range(100, 120))}"
    file = tmp_path / "split.json"
    for test, other in (("", there), (there, "")):
        run = prepared(resources, "linear", here, test)
        write_manifest(run.split, file)
        given = Resources(replace(resources.settings, manifest=file))
        same = ordbench.RunSpec(
            head="linear", dataset=here, split=run.split.hash, test_dataset=test
        )
        assert prepare(resolved(same), given).split.test == run.split.test
        with pytest.raises(
            OrdbenchError, match=r"the split (has '.*' in test, but|names 20 image)"
        ):
            prepare(resolved(same.model_copy(update={"test_dataset": other})), given)


def test_features_that_are_all_the_same_are_refused(tmp_path: Path, resources: Resources) -> None:
    np.savez(tmp_path / "x.npz", features=np.ones((40, 3)), rank=np.arange(40) % 2)
    with pytest.raises(DatasetError, match="'features' has the same features for all samples"):
        prepared(resources, "linear", f"features:{tmp_path}/x.npz", "")
