import gc
from dataclasses import replace
from pathlib import Path
from weakref import ref

import pytest
import torch

from ordbench.dataset import Sample, Samples
from ordbench.errors import SpecError
from ordbench.runs.resources import KEPT, Locations, Resources, resolve_device
from ordbench.runs.spec import RunSpec
from ordbench.splits.draw import draw
from ordbench.splits.manifest import write_manifest
from ordbench.task import Task

LISTING = Samples(
    task=Task(rank_names=("0", "1", "2"), rank_values=(0, 1, 2), unit="grade", context="it is"),
    samples=tuple(Sample(f"{n:03}.png", Path(f"{n:03}.png"), n % 3) for n in range(90)),
)
DRAWN = draw(LISTING, dataset="drawn-faces", protocol="standard", fold=0, shots=2, data_seed=1)
EDITED = DRAWN.model_copy(update={"train": DRAWN.train[1:]})
MADE = RunSpec(head="linear", dataset="drawn-faces", split=EDITED.hash, shots=2, data_seed=1)


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    path = tmp_path / "split.json"
    write_manifest(EDITED, path)
    return Resources(Locations(cache=tmp_path, manifest=path))


def test_a_manifest_takes_the_place_of_a_draw(resources: Resources) -> None:
    split = resources.split(MADE, LISTING)
    assert split.train == EDITED.train
    assert split.train != DRAWN.train


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dataset": "utkface"}, "--dataset drawn-faces, the run asks for --dataset utkface"),
        ({"shots": None}, "--shots 2, the run asks for --shots all"),
        ({"fold": 3}, "--fold 0, the run asks for --fold 3"),
        ({"data_seed": 0}, "--data-seed 1, the run asks for --data-seed 0"),
    ],
    ids=str,
)
def test_a_manifest_of_another_run_is_refused(
    resources: Resources, change: dict[str, object], said: str
) -> None:
    with pytest.raises(SpecError, match=f"the split was made for {said}"):
        resources.split(MADE.model_copy(update=change), LISTING)


@pytest.mark.parametrize("split", ["", "0123456789abcdef"], ids=["none", "another"])
def test_a_run_of_another_split_than_the_manifest_is_refused(
    resources: Resources, split: str
) -> None:
    asked = split[:12] or "a drawn one"
    wanted = f"the split of the run is {asked}, that of the settings is {EDITED.hash[:12]}; "
    with pytest.raises(SpecError, match=wanted):
        resources.split(MADE.model_copy(update={"split": split}), LISTING)


def test_a_run_of_a_manifest_is_refused_without_it(tmp_path: Path) -> None:
    resources = Resources(Locations(cache=tmp_path))
    resources.split(MADE.model_copy(update={"split": ""}), LISTING)
    with pytest.raises(SpecError, match=f"is {EDITED.hash[:12]}, that of .* is a drawn one; give"):
        resources.split(MADE, LISTING)


def test_only_the_last_few_datasets_stay_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ordbench.runs.resources.open_dataset", lambda *args, **options: replace(LISTING)
    )
    resources = Resources(Locations(cache=tmp_path))
    specs = [RunSpec(head="linear", dataset=f"dataset {n}") for n in range(KEPT + 1)]
    opened = [ref(resources.listing(spec)) for spec in specs]
    gc.collect()
    assert [samples() is not None for samples in opened] == [False] + [True] * KEPT
    assert resources.listing(specs[-1]) is opened[-1]()


def test_a_cuda_device_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [resolve_device(name) for name in ("auto", "cuda", "cuda:1", "cpu")] == [
        "cuda",
        "cuda",
        "cuda:1",
        "cpu",
    ]
    with pytest.raises(SpecError, match="--device cuda:2: this machine has cuda:0 to cuda:1"):
        resolve_device("cuda:2")
