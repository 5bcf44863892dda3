from pathlib import Path

import pytest

from ordbench.errors import SpecError
from ordbench.plan import NAMES, Grid, typed


def plan(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text)
    return path


def test_a_plan_means_what_the_same_options_mean(tmp_path: Path) -> None:
    path = plan(
        tmp_path,
        "head: [linear, 'ordinalclip:base_ranks=5']\n"
        "dataset: drawn-faces\nshots: [1, all]\nseeds: 0-1\n"
        "recipe: {learning_rate: 0.5}\ndata-seed: 7\nnormalize: true\n",
    )
    options = typed(
        None,
        head=["linear", "ordinalclip:base_ranks=5"],
        dataset=["drawn-faces"],
        shots=["1", "all"],
        seeds=["0-1"],
        recipe=["learning_rate=0.5"],
        data_seed=7,
        normalize=True,
    )
    assert Grid.of(typed(path)).specs() == Grid.of(options).specs()


def test_options_win_over_the_plan(tmp_path: Path) -> None:
    path = plan(tmp_path, "head: linear\ndataset: drawn-faces\nseeds: 0-4\n")
    assert typed(path, seeds=["3"], head=None) == {
        "head": ["linear"],
        "dataset": ["drawn-faces"],
        "seeds": ["3"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("head: linear\nhaed: x\n", r"plan\.yaml, line 2: there is no 'haed'; there is: head"),
        ("head: linear\nhead: coral\n", r"line 2: 'head' stands twice"),
        ("head: linear\nshots:\n", r"line 2: shots has no value"),
        ("- head\n", r"line 1: wanted lines such as"),
        ("head: [linear\nshots: 1\n", r"line 2: not YAML"),
        ("", r"line 1: wanted lines"),
    ],
)
def test_a_wrong_plan_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        typed(plan(tmp_path, text))


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.yaml: No such file"):
        typed(tmp_path / "nowhere.yaml")


def test_every_name_is_an_option_of_the_command_line() -> None:
    from ordbench.cli_run import run

    assert set(run.__annotations__) >= NAMES
