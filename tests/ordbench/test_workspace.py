from pathlib import Path

import pytest

from ordbench.dataset import Listing, Sample
from ordbench.errors import SpecError
from ordbench.protocol import draw, write_manifest
from ordbench.spec import RunSpec
from ordbench.task import Task
from ordbench.workspace import Settings, Workspace

LISTING = Listing(
    task=Task(rank_names=("0", "1", "2"), rank_values=(0, 1, 2), unit="grade", context="it is"),
    samples=tuple(Sample(f"{n:03}.png", Path(f"{n:03}.png"), n % 3) for n in range(90)),
)
DRAWN = draw(LISTING, dataset="drawn-faces", protocol="standard", fold=0, shots=2, data_seed=1)
EDITED = DRAWN.model_copy(update={"train": DRAWN.train[1:]})
MADE = RunSpec(head="linear", dataset="drawn-faces", split=EDITED.hash, shots=2, data_seed=1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    path = tmp_path / "split.json"
    write_manifest(EDITED, path)
    return Workspace(Settings(cache=tmp_path, manifest=path))


def test_a_manifest_takes_the_place_of_a_draw(workspace: Workspace) -> None:
    split = workspace.split(MADE, LISTING)
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
    workspace: Workspace, change: dict[str, object], said: str
) -> None:
    with pytest.raises(SpecError, match=f"the split was made for {said}"):
        workspace.split(MADE.model_copy(update=change), LISTING)


@pytest.mark.parametrize("split", ["", "0123456789abcdef"], ids=["none", "another"])
def test_a_run_of_another_split_than_the_manifest_is_refused(
    workspace: Workspace, split: str
) -> None:
    asked = split[:12] or "a drawn one"
    wanted = f"the split of the run is {asked}, that of the settings is {EDITED.hash[:12]}; "
    with pytest.raises(SpecError, match=wanted):
        workspace.split(MADE.model_copy(update={"split": split}), LISTING)


def test_a_run_of_a_manifest_is_refused_without_it(tmp_path: Path) -> None:
    workspace = Workspace(Settings(cache=tmp_path))
    workspace.split(MADE.model_copy(update={"split": ""}), LISTING)
    with pytest.raises(SpecError, match=f"is {EDITED.hash[:12]}, that of .* is a drawn one; give"):
        workspace.split(MADE, LISTING)
