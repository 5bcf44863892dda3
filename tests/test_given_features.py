"""Runs on features that a dataset brings, from the command line and from Python."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge

import ordbench
from ordbench.engines.local import local_engine
from ordbench.runs.preparation import prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.runner import RunResult, run_cell
from ordbench.runs.spec import resolved

Cli = Callable[..., subprocess.CompletedProcess[str]]
EDGES = [75, 115, 165, 235]
QUICK = ("--recipe", "min_steps=4", "--recipe", "epochs=1")


def saved(path: Path, features: ArrayLike, ranks: ArrayLike) -> Path:
    np.savez(path, features=features, rank=ranks)
    return path


@pytest.fixture
def wine(tmp_path: Path) -> Path:
    features, kinds = map(np.asarray, load_wine(return_X_y=True))
    return saved(tmp_path / "wine.npz", features / features.std(0), kinds)


@pytest.fixture
def diabetes(tmp_path: Path) -> Path:
    features, progress = map(np.asarray, load_diabetes(return_X_y=True))
    return saved(tmp_path / "diabetes.npz", 20 * features, np.digitize(progress, EDGES))


def on_rows(head: str, path: Path, cache: Path) -> tuple[RunResult, list[int], list[int]]:
    """A run, and the rows of the file that train and that are tested."""
    spec = resolved(ordbench.RunSpec(head=head, dataset=f"features:{path}"))
    prepared = prepare(spec, Resources(Locations(cache=cache, device="cpu")))
    (result,) = run_cell([prepared], Resources(Locations(cache=cache, device="cpu")))
    train, test = (
        [int(name) - 1 for name in names] for names in (prepared.split.train, prepared.split.test)
    )
    return result, train, test


def test_a_classifier_predicts_what_it_does_outside_ordbench(wine: Path, tmp_path: Path) -> None:
    result, train, test = on_rows("sklearn:LogisticRegression:max_iter=500", wine, tmp_path)
    arrays = np.load(wine)
    features, ranks = arrays["features"].astype(np.float32), arrays["rank"]
    alone = LogisticRegression(max_iter=500).fit(features[train], ranks[train])
    assert result.predictions is not None
    assert result.predictions.posterior is not None
    expected = alone.predict_proba(features[test])
    np.testing.assert_allclose(result.predictions.posterior, expected, rtol=1e-5, atol=1e-7)
    found = result.predictions.estimates["argmax"].tolist()
    assert found == alone.predict(features[test]).tolist()
    assert len(set(found)) == 3
    wrong = np.abs(alone.predict(features[test]) - ranks[test]).mean()
    assert result.record.metrics["argmax"]["mae"] == pytest.approx(wrong)


def test_a_regressor_predicts_what_it_does_outside_ordbench(diabetes: Path, tmp_path: Path) -> None:
    result, train, test = on_rows("sklearn:Ridge", diabetes, tmp_path)
    arrays = np.load(diabetes)
    features, ranks = arrays["features"].astype(np.float32), arrays["rank"]
    alone = Ridge().fit(features[train], ranks[train])
    assert result.predictions is not None
    expected = alone.predict(features[test]).clip(0, len(EDGES))
    np.testing.assert_allclose(result.predictions.estimates["point"], expected, rtol=1e-5)


def test_a_sweep_on_features_needs_no_backbone_and_stands_in_the_table(
    cli: Cli, wine: Path
) -> None:
    asked = ("run", "--head", "linear,sklearn:RidgeCV,coop", "--dataset", "features:wine.npz")
    dry = cli(*asked, "--dry-run")
    assert "3 runs: features:wine.npz, none, all images" in dry.stdout
    done = cli(*asked, *QUICK, "--shots", "2,all")
    assert done.returncode == 0, done.stderr
    assert "4 trained, 0 already done, 2 cells skipped" in done.stdout
    assert "head 'coop' needs a text encoder, and backbone none has none; add --text" in done.stdout
    assert "2 trained, 4 already done" in cli(*asked, *QUICK, "--shots", "2,4,all").stdout
    table = cli("table", "--format", "markdown").stdout
    assert "backbone none" in table
    assert "| `sklearn:RidgeCV` |" in table


def test_a_prompt_head_runs_with_the_text_tower_of_a_backbone(cli: Cli, wine: Path) -> None:
    asked = ("run", "--head", "coop", "--dataset", "features:wine.npz", "--text", "clip:tiny")
    done = cli(*asked, *QUICK, "--json")
    record = json.loads(done.stdout)
    assert (record["status"], record["spec"]["backbone"]) == ("done", "none")
    assert record["features"]["key"] == record["hashes"]["features"] != ""


def test_a_backbone_for_features_and_none_for_images_are_refused_in_one_line(
    cli: Cli, wine: Path
) -> None:
    for dataset, backbone, said in (
        ("features:wine.npz", "clip:tiny", "dataset 'features' brings its features and has no"),
        ("drawn-faces", "none", "dataset 'drawn-faces' has images and no features; take clip:"),
    ):
        asked = ("run", "--head", "linear", "--dataset", dataset, "--backbone", backbone)
        process = cli(*asked)
        assert process.returncode == 2
        assert process.stderr.startswith(f"ordbench: --backbone {backbone}: {said}")
        assert process.stderr.count("\n") == 1
        assert "0 failed before, 0 to run, 1 cell" in cli(*asked, "--dry-run").stdout


def test_one_number_of_the_features_names_another_run(wine: Path, tmp_path: Path) -> None:
    spec = ordbench.RunSpec(head="linear", dataset=f"features:{wine}")
    assert spec.backbone == "none"

    def run_id(spec: ordbench.RunSpec = spec) -> str:
        return prepare(spec, Resources(Locations(cache=tmp_path))).identity.run_id

    before = run_id()
    assert run_id() == before
    assert run_id(spec.model_copy(update={"normalize": True})) != before
    arrays = dict(np.load(wine))
    arrays["features"][3, 1] += 0.5
    np.savez(wine, **arrays)
    assert run_id() != before


def test_a_worker_process_gets_the_features_once_and_gives_the_same_result(
    wine: Path, tmp_path: Path
) -> None:
    resources = Resources(Locations(cache=tmp_path, device="cpu"))
    prepared = prepare(ordbench.RunSpec(head="knn", dataset=f"features:{wine}"), resources)
    assert prepared.material.listing.features is None
    here = run_cell([prepared], resources)[0].record
    with local_engine(resources, 2) as engine:
        there = engine.submit([prepared]).result(120)[0].record
    assert there.metrics == here.metrics


def test_identical_rows_are_noted_and_not_joined(tmp_path: Path) -> None:
    rows = np.repeat(np.arange(20.0)[:, None], 2, axis=0)
    path = saved(tmp_path / "twice.npz", rows, np.arange(40) % 2)
    spec = ordbench.RunSpec(head="linear", dataset=f"features:{path}")
    listing = prepare(spec, Resources(Locations(cache=tmp_path))).material.listing
    assert listing.notes[-1].startswith("identical rows: 40 samples have 20 rows of features; ")
    assert {sample.group for sample in listing.samples} == {None}
