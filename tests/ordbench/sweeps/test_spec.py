import pytest

from ordbench.errors import SpecError
from ordbench.plugins.options import takes_argument
from ordbench.plugins.registry import DATASETS, HEADS
from ordbench.plugins.selection import _leave_out
from ordbench.runs.spec import RunSpec, resolved
from ordbench.runs.titles import head_label
from ordbench.sweeps.spec import SweepSpec, parse_shots
from ordbench.utils.text import parse_numbers


def grid(head: object = "coral", **options: object) -> list[RunSpec]:
    return SweepSpec.from_options(None, head=head, dataset="drawn-faces", **options).expand()


def test_the_grid_is_every_combination() -> None:
    specs = grid(head=["linear,coral"], shots=["1,2", "all"], seeds=["0-1"])
    cells = {(spec.head, spec.shots, spec.train_seed) for spec in specs}
    assert len(specs) == len(cells) == 2 * 3 * 2
    assert ("linear", None, 1) in cells


def test_a_value_that_stands_twice_counts_once() -> None:
    assert len(grid(head=["coral,coral", "coral"], shots=["1,1"])) == 1


def test_all_means_every_installed_head() -> None:
    incomplete = {name for name in HEADS if takes_argument(HEADS[name])}
    assert {spec.head for spec in grid(head=["all"])} == set(HEADS) - incomplete


def test_defaults_are_filled_in_so_that_one_run_has_one_description() -> None:
    (short,) = grid(head=["ordinalclip"])
    (long,) = grid(head=["ordinalclip:base_ranks=3:interpolation=linear"])
    assert short == long
    assert short == resolved(RunSpec(head="ordinalclip", dataset="drawn-faces"))


def test_a_label_shows_the_options_that_are_not_the_default() -> None:
    (spec,) = grid(head=["ordinalclip:base_ranks=5:kl_weight=1.0"])
    assert head_label(spec) == "ordinalclip:base_ranks=5"


def test_a_recipe_is_put_over_the_heads_own() -> None:
    (spec,) = grid(recipe=["learning-rate=0.5"])
    assert spec.recipe == HEADS["coral"].recipe.model_copy(update={"learning_rate": 0.5})


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("layer", "'post' or 'pre'"),
        ("dtype", "'float32', 'bfloat16' or 'float16' or 'auto'"),
    ],
)
def test_a_word_that_is_not_to_be_had_is_answered_with_those_that_are(
    name: str, wanted: str
) -> None:
    with pytest.raises(SpecError, match=f"^--{name} int8: wanted {wanted}$"):
        grid(**{name: "int8"})


def test_two_wrong_changes_of_a_recipe_are_not_mixed_up() -> None:
    with pytest.raises(SpecError, match=r"^--recipe schedule=b: wanted 'cosine' or 'constant'$"):
        grid(recipe=["schedule=b", "optimizer=a"])


def test_seeds_set_both_seeds_unless_one_is_held() -> None:
    (spec,) = grid(seeds=["3"])
    assert (spec.data_seed, spec.train_seed) == (3, 3)
    (held,) = grid(seeds=["3"], data_seed=0)
    assert (held.data_seed, held.train_seed) == (0, 3)


@pytest.mark.parametrize("name", ["seeds", "shots", "fold", "backbone"])
def test_an_axis_without_a_value_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match=f"^--{name} has no value$"):
        grid(**{name: [""]})


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "few"])
def test_shots_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=f"--shots {text}: wanted"):
        parse_shots([text])


@pytest.mark.parametrize("text", ["4-2", "x", "1-"])
def test_seeds_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=f"--seeds {text}: wanted"):
        parse_numbers([text], "--seeds")


def test_all_folds_are_those_of_each_dataset() -> None:
    known = {"drawn-faces": (0, 1, 2), "drawn-fruit": (0, 1)}
    spec = SweepSpec.from_options(head="coral", dataset="drawn-faces,drawn-fruit", fold="1,all")
    runs = [(run.dataset, run.fold) for run in spec.expand(lambda run: known[run.dataset])]
    faces = [("drawn-faces", fold) for fold in (1, 0, 2)]
    assert runs == [*faces, ("drawn-fruit", 1), ("drawn-fruit", 0)]
    with pytest.raises(SpecError, match="--fold all: the datasets say which folds there are"):
        spec.expand()
    with pytest.raises(SpecError, match=r"--fold x: wanted 'all', a whole number or a range"):
        grid(fold="x")


def test_a_range_that_nobody_means_is_refused_at_once() -> None:
    with pytest.raises(SpecError, match=r"^--seeds 0-300000000: wanted at most 10000 numbers$"):
        grid(seeds="0-300000000")


def test_python_values_mean_what_typed_ones_mean() -> None:
    typed = SweepSpec.from_options(
        head="linear,coral",
        dataset="drawn-faces",
        shots="1,all",
        seeds="0-2",
        recipe=["epochs=3"],
        tune="5",
        normalize="true",
    )
    built = SweepSpec.from_options(
        head=["linear", "coral"],
        dataset=["drawn-faces"],
        shots=[1, None],
        seeds=range(3),
        recipe={"epochs": 3},
        tune=5,
        normalize=True,
    )
    assert built == typed
    assert SweepSpec.model_validate(built.model_dump()) == typed


def test_all_datasets_are_those_that_need_no_argument(caplog: pytest.LogCaptureFixture) -> None:
    _leave_out.cache_clear()
    spec = SweepSpec.from_options(head="linear", dataset="all")
    datasets = [run.dataset for run in spec.expand()]
    own = {"csv", "features", "folder", "hf", "webdataset"}
    assert datasets == [name for name in DATASETS if name not in own]
    assert [message.partition(" needs")[0] for message in caplog.messages] == [
        "left out: dataset 'csv'",
        "left out: dataset 'features'",
        "left out: dataset 'folder'",
        "left out: dataset 'hf'",
        "left out: dataset 'webdataset'",
    ]


def test_the_backbone_of_a_dataset_that_brings_features_is_none_unless_one_is_typed() -> None:
    spec = SweepSpec(head=("linear",), dataset=("features:x.npz", "drawn-faces"))
    assert [run.backbone for run in spec.expand()] == ["none", "clip:tiny"]
    typed = SweepSpec(head=spec.head, dataset=spec.dataset, backbone=("none", "timm:x")).expand()
    assert [run.backbone for run in typed] == ["none", "timm:x"] * 2
