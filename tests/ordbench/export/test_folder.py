"""A folder of an export: files that repeat a run's predictions, and a README that says how."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from ordbench.errors import BackboneError, SpecError, StoreError
from ordbench.export import formats
from ordbench.export.folder import export
from ordbench.export.program import open_session
from ordbench.features.extraction import open_family
from ordbench.features.image_loader import Decoded, decoded
from ordbench.runs.kept_head import KeptHead, from_safetensors
from ordbench.runs.predictions import Predictions
from ordbench.runs.preparation import PreparedRun
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.runner import run_cell
from ordbench.sweeps.survey import PreparedCell

SmallCells = Callable[..., list[PreparedCell]]
Trained = Callable[[str], tuple[PreparedRun, KeptHead, Predictions]]


@pytest.fixture(scope="module")
def trained(resources: Resources, small_cells: SmallCells) -> Trained:
    """A head by its name, trained for a moment."""

    @cache
    def make(head: str) -> tuple[PreparedRun, KeptHead, Predictions]:
        (cell,) = small_cells(head, shots="2")
        (result,) = run_cell(cell.runs[:1], resources)
        assert result.head is not None
        assert result.predictions is not None
        return cell.runs[0], from_safetensors(result.head), result.predictions

    return make


def test_the_files_repeat_the_posterior_of_the_test_images(
    trained: Trained, tmp_path: Path, shared_cache: Path
) -> None:
    run, kept, predictions = trained("coral")
    settings = Locations(cache=shared_cache, device="cpu")
    files, checked = export(
        kept.head(),
        kept.facts,
        tmp_path,
        formats=["onnx", "pt2", "safetensors"],
        with_backbone=False,
        spec=run.spec,
        settings=settings,
    )
    assert checked == "64 samples of drawn-faces"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "README.md",
        "head.onnx",
        "head.pt2",
        "head.safetensors",
    ]
    assert all(path.read_bytes() == one.content for path, one in files.items())
    assert max(one.difference for one in files.values()) < 1e-6
    features = run.labelled("test").features
    session = open_session((tmp_path / "head.onnx").read_bytes())
    (posterior,) = session.run(None, {"features": features.numpy()})
    assert posterior == pytest.approx(predictions.posterior, abs=1e-6)
    loaded = torch.export.load(BytesIO((tmp_path / "head.pt2").read_bytes())).module()
    assert loaded(features).numpy() == pytest.approx(predictions.posterior, abs=1e-6)
    with safe_open(tmp_path / "head.safetensors", "numpy") as tensors:
        about = json.loads(tensors.metadata()["ordbench"])
    assert about["run_id"] == run.identity.run_id
    assert about["task"]["rank_values"] == list(kept.facts.task.rank_values)


def test_an_image_goes_in_and_its_estimate_comes_out(
    trained: Trained, tmp_path: Path, shared_cache: Path
) -> None:
    run, kept, predictions = trained("regression")
    files, _ = export(
        kept.head(),
        kept.facts,
        tmp_path,
        formats=["onnx"],
        with_backbone=True,
        spec=run.spec,
        settings=Locations(cache=shared_cache, device="cpu"),
    )
    assert [path.name for path in files] == ["model.onnx"]
    family, argument = open_family(run.spec.backbone)
    tower = family.load(argument, layer="post", device="cpu", dtype="float32")
    samples = [run.material.listing.samples[index] for index in run.indices.test[:5]]
    images = [sample.image for sample in samples if sample.image is not None]
    (batch,) = decoded(images, tower.transform, 5)
    rows = torch.stack([image.tensor for image in batch if isinstance(image, Decoded)])
    session = open_session((tmp_path / "model.onnx").read_bytes())
    (estimate,) = session.run(None, {"images": rows.numpy()})
    assert estimate == pytest.approx(predictions.estimates["point"][:5], abs=1e-3)  # years
    text = (tmp_path / "README.md").read_text()
    assert f"`images`: float32 `(batch, 3, 64, 64)`, RGB images after `{tower.transform!r}`" in text
    assert "`estimate`: float32 `(batch,)`, the estimate in years." in text


def test_the_readme_is_right_about_the_file_and_its_code_runs(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, kept, predictions = trained("coral")
    export(kept.head(), kept.facts, tmp_path, formats=["onnx"], with_backbone=False, spec=None)
    text = (tmp_path / "README.md").read_text()
    assert "64 rows of random numbers (the dataset of the run is not known)" in text
    assert f"SHA-256 of its weights: {kept.facts.fingerprint}" in text
    ranks = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    facts = kept.facts.task
    assert [name for _, name, _ in ranks] == list(facts.rank_names)
    assert [float(value) for _, _, value in ranks] == list(facts.rank_values)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names = {"features": run.labelled("test").features.numpy()}
    exec(code, names)
    assert names["posterior"] == pytest.approx(predictions.posterior, abs=1e-6)


def test_a_file_that_gives_other_numbers_is_not_written(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, kept, _ = trained("coral")

    def wrong(content: bytes, program: object, inputs: torch.Tensor) -> torch.Tensor:
        return torch.full((len(inputs), kept.facts.task.num_ranks), np.nan)

    monkeypatch.setitem(formats._FORMATS, "safetensors", (formats._safetensors, wrong))
    with pytest.raises(SpecError, match=r"head coral: head\.safetensors would differ .* by nan"):
        export(
            kept.head(),
            kept.facts,
            tmp_path,
            formats=["pt2", "safetensors"],
            with_backbone=False,
            spec=run.spec,
        )
    assert not list(tmp_path.iterdir())


def test_a_tower_that_is_not_there_or_another_is_refused(trained: Trained, tmp_path: Path) -> None:
    _, kept, _ = trained("coral")
    for facts, error, said in (
        (kept.facts.model_copy(update={"backbone": "none"}), SpecError, "no backbone is known"),
        (
            kept.facts.model_copy(update={"fingerprint": "0" * 64}),
            BackboneError,
            r"backbone clip:tiny has other weights \(SHA-256 .*\) than run",
        ),
    ):
        other = replace(kept, facts=facts)
        with pytest.raises(error, match=said):
            export(
                other.head(),
                other.facts,
                tmp_path,
                formats=["onnx"],
                with_backbone=True,
                spec=None,
            )
    assert not list(tmp_path.iterdir())


def test_the_readme_of_a_project_is_not_written_over(trained: Trained, tmp_path: Path) -> None:
    _, kept, _ = trained("coral")
    (tmp_path / "README.md").write_text("# My project")
    with pytest.raises(StoreError, match=r"README\.md is not the README of an export; choose"):
        export(kept.head(), kept.facts, tmp_path, formats=["pt2"], with_backbone=False, spec=None)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "# My project"
    (tmp_path / "README.md").unlink()
    for _ in range(2):  # its own may be
        export(
            kept.head(),
            kept.facts,
            tmp_path,
            formats=["safetensors"],
            with_backbone=False,
            spec=None,
        )
