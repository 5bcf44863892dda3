"""What names a run."""

from pathlib import Path

import pytest
import torch

from ordbench.backbones.clip.family import Clip
from ordbench.dataset import Samples
from ordbench.features.extraction import Features
from ordbench.runs.identity import identify
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
    split = Split(dataset="folder", train=(), val=(), test=())
    return identify(spec, split, material, Resources(Locations(cache=folder))).run_id


@pytest.mark.parametrize(("head", "prompts"), [("coop", True), ("linear", False)])
def test_the_libraries_of_a_text_tower_name_the_runs_of_heads_that_prompt_it(
    head: str, prompts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_id(head, tmp_path)
    monkeypatch.setattr(Clip, "libraries", ("numpy",))
    assert (run_id(head, tmp_path) != before) == prompts
