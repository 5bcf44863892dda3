from pathlib import Path

import pytest

from ordbench.data.howto import steps
from ordbench.dataset import downloadable
from ordbench.plugins.registry import DATASETS


@pytest.mark.parametrize("name", [*DATASETS])
def test_the_last_two_steps_check_and_run_it(name: str, tmp_path: Path) -> None:
    card = DATASETS[name].card
    typed = f"{name}:{card.argument}" if card.argument else name
    *getting, check, use = steps(name)
    found = [*([getting[-1]] if card.argument else []), check, use]
    assert steps(name, here=True) == found
    assert check.command == f"ordbench data verify {typed}"
    assert use.command.startswith(f"ordbench run --head linear --dataset {typed}")
    said = " ".join(step.text for step in getting)
    assert card.how_to_get[1:] in said
    assert card.embedded or card.layout in said
    commands = [step.command for step in getting]
    assert (f"ordbench data get {typed}" in commands) == downloadable(DATASETS[name])


def test_what_is_typed_after_a_name_stands_in_the_commands() -> None:
    *_, options, check, use = steps("csv", argument="my ages.csv")
    assert options.command == "ordbench show dataset csv"
    assert check.command == "ordbench data verify 'csv:my ages.csv'"
    assert use.command.startswith("ordbench run --head linear --dataset 'csv:my ages.csv' ")


def test_the_folder_is_the_one_on_this_computer(tmp_path: Path) -> None:
    root = tmp_path / "my data"
    (root / "MORPH").mkdir(parents=True)
    make, ask, holds, check, _ = steps("morph", root)
    assert make.command == f"mkdir -p '{root / 'MORPH'}'"
    assert ask.text.startswith("Ask the face-aging group of UNCW")
    assert holds.text.startswith(f"See that {root / 'MORPH'} holds: images named 009055_1M54.JPG")
    assert check.command == f"ordbench data verify morph --data-root '{root}'"
