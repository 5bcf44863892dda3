from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pytest

from ordbench.errors import SpecError
from ordbench.plugins.registry import HEADS
from ordbench.recipe import OptionValue
from ordbench.runs.spec import RunSpec
from ordbench.runs.titles import head_label
from ordbench.sweeps.spec import SweepSpec, parse_shots, resolved
from ordbench.utils.text import parse_numbers


def grid(
    heads: Sequence[str] = ("coral",),
    shots: Sequence[str] = ("all",),
    seeds: Sequence[str] = ("0",),
    recipe: Sequence[str] = (),
    settings: Mapping[str, OptionValue] = MappingProxyType({}),
) -> list[RunSpec]:
    return SweepSpec(
        heads=heads,
        datasets=["drawn-faces"],
        shots=shots,
        seeds=seeds,
        recipe=recipe,
        settings=settings,
    ).specs()


def test_the_grid_is_every_combination() -> None:
    specs = grid(heads=["linear,coral"], shots=["1,2", "all"], seeds=["0-1"])
    cells = {(spec.head, spec.shots, spec.train_seed) for spec in specs}
    assert len(specs) == len(cells) == 2 * 3 * 2
    assert ("linear", None, 1) in cells


def test_a_value_that_stands_twice_counts_once() -> None:
    assert len(grid(heads=["coral,coral", "coral"], shots=["1,1"])) == 1


def test_all_means_every_installed_head() -> None:
    assert {spec.head for spec in grid(heads=["all"])} == set(HEADS)


def test_defaults_are_filled_in_so_that_one_run_has_one_description() -> None:
    (short,) = grid(heads=["ordinalclip"])
    (long,) = grid(heads=["ordinalclip:base_ranks=3:interpolation=linear"])
    assert short == long
    assert short == resolved(RunSpec(head="ordinalclip", dataset="drawn-faces"))


def test_a_label_shows_the_options_that_are_not_the_default() -> None:
    (spec,) = grid(heads=["ordinalclip:base_ranks=5:kl_weight=1.0"])
    assert head_label(spec) == "ordinalclip:base_ranks=5"


def test_a_recipe_is_put_over_the_heads_own() -> None:
    (spec,) = grid(recipe=["learning-rate=0.5"])
    assert spec.recipe == HEADS["coral"].recipe.model_copy(update={"learning_rate": 0.5})


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("layer", "'post' or 'pre'"),
        ("dtype", "'float32', 'bfloat16' or 'float16' or 'auto'"),
        ("protocol", "'standard' or 'paper'"),
    ],
)
def test_a_word_that_is_not_to_be_had_is_answered_with_those_that_are(
    name: str, wanted: str
) -> None:
    with pytest.raises(SpecError, match=f"^--{name} int8: wanted {wanted}$"):
        grid(settings={name: "int8"})


def test_two_wrong_changes_of_a_recipe_are_not_mixed_up() -> None:
    with pytest.raises(
        SpecError, match=r"^--recipe optimizer=a: wanted 'adamw', 'radam' or 'sgd'$"
    ):
        grid(recipe=["schedule=b", "optimizer=a"])


def test_seeds_set_both_seeds_unless_one_is_held() -> None:
    (spec,) = grid(seeds=["3"])
    assert (spec.data_seed, spec.train_seed) == (3, 3)
    (held,) = grid(seeds=["3"], settings={"data_seed": 0})
    assert (held.data_seed, held.train_seed) == (0, 3)


@pytest.mark.parametrize("name", ["seeds", "shots", "fold", "backbone"])
def test_an_axis_without_a_value_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match=f"^--{name} has no value$"):
        SweepSpec.of({"head": ["coral"], "dataset": ["utkface"], name: [""]})


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "few"])
def test_shots_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=f"--shots {text}: wanted"):
        parse_shots([text])


@pytest.mark.parametrize("text", ["4-2", "x", "1-"])
def test_seeds_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=f"--seeds {text}: wanted"):
        parse_numbers([text], "--seeds")
