from pathlib import Path

import pytest

from ordbench.errors import SpecError
from ordbench.sweeps.spec import SweepSpec


def plan(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text)
    return path


def test_a_plan_means_what_the_same_options_mean(tmp_path: Path) -> None:
    path = plan(
        tmp_path,
        "head: [linear, 'ordinalclip:base_ranks=5']\n"
        "dataset: drawn-faces\nshots: [1, all]\nseeds: 0-1\n"
        "recipe: {learning_rate: 0.5}\ndata-seed: 7\nnormalize: true\nsave-heads: no\n",
    )
    options = SweepSpec.from_options(
        head=["linear", "ordinalclip:base_ranks=5"],
        dataset=["drawn-faces"],
        shots=["1", "all"],
        seeds=["0-1"],
        recipe=["learning_rate=0.5"],
        data_seed=7,
        normalize=True,
    )
    assert SweepSpec.from_options(path).expand() == options.expand()
    assert not SweepSpec.from_options(path).save_heads


def test_a_plan_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = plan(tmp_path, "\ufeffhead: linear\ndataset: drawn-faces\n")
    assert SweepSpec.from_options(path).head == ("linear",)


def test_options_win_over_the_plan(tmp_path: Path) -> None:
    path = plan(tmp_path, "head: linear\ndataset: drawn-faces\nseeds: 0-4\n")
    spec = SweepSpec.from_options(path, seeds=["3"], head=None)
    assert (spec.head, spec.dataset, spec.seeds) == (("linear",), ("drawn-faces",), (3,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("head: linear\nhaed: x\n", r"plan\.yaml, line 2: unknown key 'haed'; did you mean head"),
        ("head: linear\nhead: coral\n", r"line 2: 'head' is given twice"),
        ("head: linear\nshots:\n", r"line 2: shots has no value"),
        ("- head\n", r"line 1: wanted lines such as"),
        ("head: [linear\nshots: 1\n", r"line 2: not YAML"),
        ("", r"line 1: wanted lines"),
        ("head: linear\n? [shots]\n: 1\n", r"line 2: a name: wanted one value, got a list"),
        ("head: linear\nshots: []\n", r"line 2: shots has no value"),
        ("head: linear\nshots: [1, ~]\n", r"line 2: shots has no value"),
        ("head: linear\nshots: [[1]]\n", r"line 2: shots: wanted one value, got a list"),
        (
            "head: linear\nrecipe: {epochs: [1]}\n",
            r"line 2: recipe epochs: wanted one value, got a list",
        ),
        ("recipe:\n  epochs: {a: 1}\n", r"line 2: recipe epochs: wanted one value, got a mapping"),
        ("recipe:\n  epochs:\n", r"line 2: recipe epochs has no value"),
        ("head: linear\ntune: [1, 2]\n", r"line 2: tune has 2 values; one is wanted"),
        ("head: \0\n", r"plan .*plan\.yaml: not YAML: wanted text in UTF-8"),
        ("head: " + "[" * 5000, r"plan .*plan\.yaml: it is nested too deeply"),
        ("head: &a [*a]\n", r"line 1: head: wanted one value, got a list"),
        ("head: a\n---\nhead: b\n", r"line 2: not YAML: expected a single document .*, but found"),
    ],
    ids=lambda value: value[:40],
)
def test_a_wrong_plan_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        SweepSpec.from_options(plan(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("head: [linear, nope]", "unknown head 'nope'; available: .*coral"),
        ("head: 'ordinalclip:base_ranks=many'", "head 'ordinalclip', option base_ranks='many': "),
        ("dataset: utk", "unknown dataset 'utk'; did you mean utkface"),
        ("dataset: 'drawn-faces:per_row=3'", "dataset 'drawn-faces' has no option 'per_row'"),
        ("backbone: clop:x", "unknown backbone 'clop'; did you mean clip"),
        ("text: clop:x", "unknown backbone 'clop'; did you mean clip"),
        ("shots: [1, x]", "shots x: wanted 'all' or a whole number of at least 1"),
        ("seeds: 4-2", "seeds 4-2: wanted a whole number or a range"),
        ("seeds: [0, 4294967296]", "seeds 4294967296: wanted less than 4294967296$"),
        ("fold: a", "fold a: wanted 'all', a whole number or a range"),
        ("recipe: {speed: 3}", "recipe speed=3: unknown key 'speed'; available: .*learning_rate"),
        ("recipe: {epoch: 3}", "recipe epoch=3: unknown key 'epoch'; did you mean epochs"),
        ("recipe: {epochs: 0}", "recipe epochs=0: wanted at least 1"),
        ("recipe: {optimizer: lion}", "recipe optimizer=lion: wanted 'adamw', 'radam' or 'sgd'"),
        ("layer: middle", "layer middle: wanted 'post' or 'pre'"),
        ("dtype: int8", "dtype int8: wanted 'float32', 'bfloat16' or 'float16' or 'auto'"),
        ("normalize: maybe", "normalize maybe: wanted true or false"),
        ("protocol: mine", "unknown protocol 'mine'.*paper"),
        ("split: no.json", r"split no\.json cannot be read"),
        ("data-seed: -1", "data-seed -1: wanted at least 0"),
        ("train_seed: x", "train-seed x: wanted a whole number"),
        ("tune: 0", "tune 0: wanted at least 1"),
        ("sampler: best", "sampler best: wanted 'random', 'grid' or 'optuna'"),
    ],
)
def test_a_wrong_value_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=rf"^plan {tmp_path}/plan\.yaml, line 3: {message}"):
        SweepSpec.from_options(plan(tmp_path, f"# A sweep\n\n{text}\n"))


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("dataset", "csv:l.csv:ranks=1,2", "unknown dataset '2'; .*: 'csv:l.csv:ranks=1;2'$"),
        ("head", "linear:hidden=64,32", "unknown head '32'; .*: 'linear:hidden=64;32'$"),
    ],
)
def test_commas_in_an_option_are_answered_with_semicolons(
    field: str, text: str, message: str
) -> None:
    options = {"head": "linear", "dataset": "drawn-faces"} | {field: text}
    with pytest.raises(SpecError, match=f"{message}"):
        SweepSpec.from_options(None, **options)


def test_a_wrong_item_of_a_list_names_its_own_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"line 3: unknown head 'nope'"):
        SweepSpec.from_options(plan(tmp_path, "head:\n  - linear\n  - nope\n"))


def test_what_a_glob_leaves_out_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    metadata = tmp_path / "broken-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[ordbench.heads]\nlinearest = nowhere:Head\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = plan(tmp_path, "head: linear*\ndataset: drawn-faces\n")
    specs = SweepSpec.from_options(path).expand()
    assert [spec.head for spec in specs] == ["linear"]
    (message,) = caplog.messages
    assert message.startswith("left out: head 'linearest' of broken")


def test_an_option_over_the_plan_is_refused_by_its_own_name(tmp_path: Path) -> None:
    path = plan(tmp_path, "head: linear\ndataset: drawn-faces\nshots: x\n")
    with pytest.raises(SpecError, match=r"^--shots y: wanted 'all'"):
        SweepSpec.from_options(path, shots=["y"])


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.yaml: No such file"):
        SweepSpec.from_options(tmp_path / "nowhere.yaml")


def test_the_help_says_which_options_may_stand_in_a_plan() -> None:
    from ordbench.cli.run import run

    options = list(run.__annotations__)
    assert "from --head to --save-heads" in run.__annotations__["plan"]
    assert (
        set(options[options.index("head") : options.index("save_heads") + 1])
        == SweepSpec.model_fields.keys()
    )
