import json
from importlib.metadata import version
from typing import get_args

import pytest
from typer.testing import CliRunner

from ordbench.cli.main import app
from ordbench.cli.show import lines
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS, PROTOCOLS
from ordbench.report.descriptions import Kind, describe

ALL: list[tuple[Kind, str]] = [
    *(("head", name) for name in HEADS),
    *(("dataset", name) for name in DATASETS),
    *(("backbone", name) for name in BACKBONES),
    *(("protocol", name) for name in PROTOCOLS),
]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_plugin_is_shown_in_80_columns_with_a_word_on_each_option(
    kind: Kind, name: str
) -> None:
    found = describe(kind, name)
    text = [*lines(found, 80)]
    assert max(map(len, text)) <= 80
    assert text[0] == f"{kind} {name}, of ordbench {version('ordbench')}"
    assert found.facts["source"]
    assert all(option.help and not option.help.startswith("See") for option in found.options)
    assert "`" not in "".join(text)


def test_every_kind_is_tested() -> None:
    assert {kind for kind, _ in ALL} == set(get_args(Kind))


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["show", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_head_is_shown_with_options_recipe_and_tuning() -> None:
    text = shown("head", "mean-variance")
    assert "\nparity  agrees with the paper's formula" in text
    assert "\n  mean_weight=0.2 (float)\n      Weight of the mean's half squared error" in text
    assert "  optimizer=adamw, learning_rate=0.01" in text
    assert "\n  learning_rate: 0.00033 to 0.3, by its logarithm\n" in text
    assert "\n  mean_weight: 0.2, 0.05, 1.0\n" in text


@pytest.mark.parametrize("name", ["knn", "zeroshot"])
def test_no_recipe_is_shown_for_a_head_that_is_not_trained_by_steps(name: str) -> None:
    text = shown("head", name)
    assert "recipe" not in text
    assert "learning_rate" not in text


def test_a_dataset_is_shown_with_its_card_and_what_to_type() -> None:
    text = shown("dataset", "csv")
    assert "csv:PATH[:KEY=VALUE...]" in text
    assert "\n  PATH\n      The file.\n" in text
    assert "\nlicence              yours\n" in text
    assert "\nofficial folds       none\n" in text


def test_json_holds_the_card_and_the_options() -> None:
    found = json.loads(shown("head", "coop:position=front", "--json"))
    assert found["name"] == "coop"
    assert found["needs"] == "a text encoder"
    assert found["recipe"]["optimizer"] == "radam"
    assert found["tuning"]["weight_decay"] == {"low": 1e-5, "high": 0.1}
    assert found["options"][3] == {
        "name": "position",
        "type": "tail or middle or front",
        "default": "tail",
        "help": "Where the rank name stands in the context.",
    }
    assert json.loads(shown("dataset", "fgnet", "--json"))["folds"] == DATASETS["fgnet"].card.folds
