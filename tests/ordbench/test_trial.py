from collections.abc import Callable
from dataclasses import replace

import pytest

from ordbench.cell import Cell
from ordbench.errors import DatasetError
from ordbench.open_dataset import open_dataset
from ordbench.prepared import prepare
from ordbench.record import to_json
from ordbench.registry import DATASETS
from ordbench.trial import attempt
from ordbench.workspace import Workspace

SmallCells = Callable[..., list[Cell]]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("no room"), "MemoryError: no room"),
        (ValueError("cannot read \udcff.jpg"), r"ValueError: cannot read \udcff.jpg"),
    ],
)
def test_whatever_breaks_a_run_is_a_failure_that_can_be_written(
    error: Exception,
    said: str,
    workspace: Workspace,
    small_cells: SmallCells,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(group: object, bench: object) -> None:
        raise error

    monkeypatch.setattr("ordbench.trial.train_and_test", broken)
    (cell,) = small_cells("linear", shots="1")
    trials = attempt([prepare(spec, workspace) for spec in cell.specs], workspace)
    assert [trial.record.error for trial in trials] == [said] * len(cell.specs)
    for trial in trials:
        assert to_json(trial.record).encode()
        assert said in trial.trace.encode().decode()


def test_a_cell_is_the_same_however_it_was_typed(
    workspace: Workspace, small_cells: SmallCells
) -> None:
    one, other = small_cells("linear", shots="1,2")
    first, second = (prepare(spec, workspace).identity for spec in one.specs)
    assert first.run_id != second.run_id
    assert first.cell == second.cell
    typed = one.specs[0].model_copy(update={"dtype": "float32"})
    assert prepare(typed, workspace).identity == first
    assert prepare(other.specs[0], workspace).identity.cell != first.cell


def test_a_dataset_whose_people_repeat_must_name_them(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = DATASETS["drawn-faces"]
    monkeypatch.setattr(plugin, "card", replace(plugin.card, grouped=True))
    with pytest.raises(DatasetError, match="450 samples do not say whom they show"):
        open_dataset("drawn-faces", options={"per_rank": 5}, cache=workspace.cache)
