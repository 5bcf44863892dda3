"""What names a run."""

import shutil
from pathlib import Path

import PIL.Image
import pytest
import torch

from ordbench.backbones.clip.family import Clip
from ordbench.dataset import Samples
from ordbench.features.extraction import Features
from ordbench.plugins.registry import HEADS
from ordbench.runs.identity import identify
from ordbench.runs.preparation import prepare
from ordbench.runs.resources import EncodedDataset, Locations, Resources
from ordbench.runs.spec import RunSpec
from ordbench.splits.split import Split
from ordbench.task import Task

TASK = Task(rank_names=("0", "1"), rank_values=(0, 1), unit="grade", context="it is")
FEATURES = Features(
    features=torch.zeros(0, 2),
    rejected=(),
    key="k",
    fingerprint="w",
    images_hash="i",
    dtype="float32",
    cosine=None,
    transform="",
    seconds=0.0,
    from_cache=True,
)


def run_id(head: str, folder: Path) -> str:
    """Of a run on features of an image model, beside the text tower of ``clip:tiny``."""
    spec = RunSpec(head=head, dataset="folder", backbone="timm:test_vit", text="clip:tiny")
    material = EncodedDataset(Samples(task=TASK, samples=()), FEATURES)
    split = Split(dataset="folder", train=("a",), val=("b",), test=("c",))
    return identify(spec, split, material, Resources(Locations(cache=folder))).run_id


@pytest.mark.parametrize(("head", "prompts"), [("coop", True), ("linear", False)])
def test_the_libraries_of_a_text_tower_name_the_runs_of_heads_that_prompt_it(
    head: str, prompts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_id(head, tmp_path)
    monkeypatch.setattr(Clip, "libraries", ("numpy",))
    assert (run_id(head, tmp_path) != before) == prompts


def test_the_libraries_of_a_head_name_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_id("sklearn:LogisticRegression", tmp_path)
    monkeypatch.setattr(HEADS["sklearn"], "libraries", ("numpy",))
    assert run_id("sklearn:LogisticRegression", tmp_path) != before


def test_a_zip_archive_of_images_gives_the_run_of_its_folder(tmp_path: Path) -> None:
    for n in range(40):
        file = tmp_path / "faces" / str(n % 2) / f"{n:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (8, 8), (6 * (n // 3), 0, 0)).save(file)  # three files a picture
    (tmp_path / "faces" / "1" / "broken.bmp").write_bytes(b"BM")
    archive = shutil.make_archive(str(tmp_path / "faces"), "zip", tmp_path / "faces")
    resources = Resources(Locations(cache=tmp_path / "cache", device="cpu"))
    unpacked, zipped = (
        prepare(RunSpec(head="linear", dataset=f"folder:{place}", shots=2), resources)
        for place in (tmp_path / "faces", archive)
    )
    assert unpacked.identity == zipped.identity
    assert zipped.material.features.from_cache
    assert zipped.material.listing.rejected == unpacked.material.listing.rejected
    assert [name for name, _ in zipped.material.listing.rejected] == ["1/broken.bmp"]
    notes = zipped.material.listing.notes
    assert notes == unpacked.material.listing.notes
    assert notes[1] == "identical pictures: 39 files show 13; each stays on one side"
