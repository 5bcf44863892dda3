"""A run from Python, on a split of the user's own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ordbench
from ordbench.cli.dry_run import print_plan
from ordbench.cli.run_names import RunNames
from ordbench.cli.typed_split import draw_one
from ordbench.errors import SpecError, TrainingError
from ordbench.plugins.options import resolve, takes_argument
from ordbench.plugins.registry import HEADS
from ordbench.recipe import Recipe
from ordbench.runs.heads import create_head
from ordbench.runs.preparation import PreparedRun, prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.runner import RunResult
from ordbench.runs.spec import resolved
from ordbench.splits.manifest import write_manifest
from ordbench.sweeps.api import sweep
from ordbench.sweeps.callback import Callback
from ordbench.sweeps.cells import Cell
from ordbench.sweeps.dry_run import find_missing, imagined
from ordbench.sweeps.folds import all_runs
from ordbench.sweeps.scheduler import Policy
from ordbench.sweeps.spec import SweepSpec
from ordbench.sweeps.survey import RefusedCell

SPEC = ordbench.RunSpec(
    head="linear",
    dataset="drawn-faces",
    dataset_options={"per_rank": 5},
    recipe=Recipe(min_steps=4, epochs=1),
)


@pytest.fixture
def manifest(tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORDBENCH_CACHE", str(shared_cache))
    drawn = draw_one("drawn-faces:per_rank=5", "2", 1, 3, "standard", None).split
    write_manifest(drawn.model_copy(update={"train": drawn.train[1:]}), tmp_path / "own.json")
    return tmp_path / "own.json"


def test_the_record_of_a_run_on_a_manifest_says_so(manifest: Path, tmp_path: Path) -> None:
    settings = Locations(manifest=manifest)
    record = ordbench.run(SPEC, results=tmp_path, settings=settings)
    assert record.split is not None
    assert record.spec.split == record.split.hash
    assert (record.spec.shots, record.spec.fold, record.spec.data_seed) == (2, 1, 3)
    again = ordbench.run(record.spec, results=tmp_path, settings=settings)
    assert again.run_id == record.run_id
    with pytest.raises(SpecError, match="that of the settings is a drawn one"):
        ordbench.run(record.spec, results=tmp_path)


def test_trained_heads_are_kept_unless_one_says_otherwise(
    tmp_path: Path, shared_cache: Path
) -> None:
    options: dict[str, Any] = {
        "dataset": "drawn-faces:per_rank=5",
        "recipe": "min_steps=4",
        "shots": 1,
    }
    plan = SweepSpec.from_options(head="linear", **options)
    without = SweepSpec.from_options(head="linear", save_heads=False, **options)
    assert plan.expand() == without.expand()
    for number, (spec, wanted, kept) in enumerate(
        [(plan, True, True), (plan, False, False), (without, True, False)]
    ):
        settings = Locations(cache=shared_cache, save_heads=wanted)
        (result,) = sweep(spec, results=tmp_path / str(number), settings=settings)
        files = [path.suffix for path in (tmp_path / str(number)).rglob("*.safetensors")]
        assert (result.record.kept_head is not None) == (files == [".safetensors"]) == kept


def test_what_the_run_asks_for_is_not_overruled_by_a_manifest(
    manifest: Path, tmp_path: Path
) -> None:
    asked = SPEC.model_copy(update={"shots": 1})
    with pytest.raises(SpecError, match="made for --shots 2, the run asks for --shots 1"):
        ordbench.run(asked, results=tmp_path, settings=Locations(manifest=manifest))


def test_large_labels_lose_nothing_in_selection(tmp_path: Path, shared_cache: Path) -> None:
    """Days of a calendar as numbers, of which float32 knows only the even ones."""
    drawn = np.random.default_rng(0).integers(0, 256, (120, 8, 8, 3), np.uint8)
    for n, pixels in enumerate(drawn):
        Image.fromarray(pixels).save(tmp_path / f"{n}.png")
    errors: list[float] = []
    for first in (1, 20150101):
        lines = [f"{n}.png,{first + n % 3}" for n in range(len(drawn))]
        (tmp_path / f"{first}.csv").write_text("\n".join(["file,rank", *lines]))
        spec = SPEC.model_copy(
            update={
                "dataset": "csv",
                "dataset_options": {},
                "dataset_argument": str(tmp_path / f"{first}.csv"),
            }
        )
        settings = Locations(cache=shared_cache)
        record = ordbench.run(spec, results=tmp_path / "results", settings=settings)
        assert record.training
        errors.append(record.training.val_mae)
    assert errors[0] == errors[1] > 0


def test_a_manifest_of_what_is_drawn_anyway_makes_no_other_run(
    tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDBENCH_CACHE", str(shared_cache))
    drawn = draw_one("drawn-faces:per_rank=5", "2", 0, 0, "standard", None).split
    write_manifest(drawn, tmp_path / "drawn.json")
    given = Locations(manifest=tmp_path / "drawn.json")
    record = ordbench.run(SPEC, results=tmp_path / "given", settings=given)
    assert record.spec.split == ""
    wanted = ordbench.run(record.spec, results=tmp_path / "drawn")
    assert (wanted.run_id, wanted.metrics) == (record.run_id, record.metrics)


def test_a_run_that_fails_raises_and_is_tried_again(
    tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Locations(cache=shared_cache)
    with monkeypatch.context() as broken:
        broken.setattr("ordbench.runs.runner.train_and_test", lambda group, bench: 1 / 0)
        with pytest.raises(TrainingError, match=r"ZeroDivisionError: .* \(traceback: .*\.trace\)"):
            ordbench.run(SPEC, results=tmp_path, settings=settings)
    (failed,) = ordbench.load_records(tmp_path)["error"]
    assert failed == "ZeroDivisionError: division by zero"
    assert ordbench.run(SPEC, results=tmp_path, settings=settings).status == "done"
    assert len(ordbench.load_records(tmp_path)) == 1


def test_each_run_is_prepared_once(
    tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[ordbench.RunSpec] = []

    def counted(spec: ordbench.RunSpec, resources: Resources) -> PreparedRun:
        prepared.append(spec)
        return prepare(spec, resources)

    monkeypatch.setattr("ordbench.sweeps.survey.prepare", counted)
    specs = [SPEC.model_copy(update={"shots": n, "train_seed": s}) for n in (1, 2) for s in (0, 1)]
    settings = Locations(cache=shared_cache)
    results = sweep([resolved(spec) for spec in specs], results=tmp_path, settings=settings)
    assert [result.record.status for result in results] == ["done"] * 4
    assert len(prepared) == 4


def test_a_sweep_tells_its_callbacks_and_yields_each_result(
    tmp_path: Path, shared_cache: Path
) -> None:
    told: list[str] = []

    class Told(Callback):
        def on_cell(self, cell: Cell) -> None:
            told.append(f"cell {cell.title}")

        def on_skip(self, skipped: RefusedCell) -> None:
            told.append(f"skip {skipped.cell.title}")

        def on_result(self, result: RunResult) -> None:
            told.append(f"{result.record.spec.head} {result.done_before}")

    spec = SweepSpec.from_options(
        head="linear",
        dataset="drawn-faces:per_rank=5",
        shots=[100, 1],
        recipe={"min_steps": 4, "epochs": 1},
    )
    settings = Locations(cache=shared_cache)
    for expected in (["cell linear on drawn-faces:per_rank=5, clip:tiny, 1 shot"], []):
        told.clear()
        results = list(sweep(spec, results=tmp_path, settings=settings, callbacks=[Told()]))
        skipped = "skip linear on drawn-faces:per_rank=5, clip:tiny, 100 shots"
        assert told == [skipped, *expected, f"linear {not expected}"]
        assert [result.record.spec.shots for result in results] == [1]


@pytest.mark.parametrize(
    ("head", "fixed", "runs"),
    [
        ("linear", {}, 3),
        ("linear", {"train_seed": 0}, 1),  # all images train, whatever the data seed
        ("zeroshot", {}, 1),  # nothing is trained, whatever the train seed
        ("zeroshot", {"shots": 1}, 3),
    ],
)
def test_seeds_that_change_nothing_make_no_other_run(
    head: str, fixed: dict[str, object], runs: int, tmp_path: Path, shared_cache: Path
) -> None:
    spec = SweepSpec.from_options(
        None,
        head=head,
        dataset="drawn-faces:per_rank=5",
        seeds="0-2",
        recipe={"min_steps": 4, "epochs": 1},
        **fixed,
    )
    settings = Locations(cache=shared_cache)
    policy = Policy()
    for missing in (runs, 0):
        found = find_missing(spec.expand(), tmp_path, settings, policy)
        assert sum(len(cell.specs) for cell in found.missing) == missing
        assert len(list(sweep(spec, results=tmp_path, settings=settings))) == runs


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("head", "sklearn:Nope", "head sklearn: unknown estimator 'Nope'"),
        ("head", "linear:hidden=0", "head linear: hidden=0: wanted widths of at least 1"),
        ("backbone", "clip", "backbone clip: names no model; write clip:MODEL/TAG"),
        ("backbone", "clip:nope/x", "open_clip has no model 'nope'"),
        ("backbone", "clip:RN50/opanai", "RN50 has no weights 'opanai'; did you mean openai"),
        ("backbone", "clip:RN50@gone", "weights gone cannot be read"),
        ("backbone", "timm:resnet51", "timm has no model 'resnet51'; did you mean"),
        ("backbone", "timm:resnet18@gone", "weights gone cannot be read"),
        ("text", "clip:nope/x", "open_clip has no model 'nope'"),
    ],
)
def test_a_dry_run_skips_what_a_run_would_refuse(
    field: str, value: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"head": "linear", "dataset": "drawn-faces"} | {field: value}
    specs = SweepSpec.from_options(None, **options).expand()
    found = find_missing(specs, tmp_path, Locations(cache=tmp_path), Policy())
    assert found.missing == []
    ((_, error),) = found.skipped
    assert said in str(error)
    print_plan(found, RunNames(specs))
    assert capsys.readouterr().out.splitlines()[-1].endswith("0 to run, 1 cell skipped")


def test_all_folds_are_those_of_the_protocol_and_of_a_manifest(
    manifest: Path, tmp_path: Path
) -> None:
    options = {"head": "linear", "dataset": "drawn-faces:per_rank=5,folder:gone", "fold": "all"}
    for changes, folds in (({}, range(5)), ({"protocol": "kfold:folds=3"}, range(3))):
        spec = SweepSpec.from_options(None, **options, **changes)
        runs = all_runs(spec, Locations(data_root=tmp_path))
        found = [(run.dataset, run.fold) for run in runs]
        assert found == [*(("drawn-faces", fold) for fold in folds), ("folder", 0)]
    spec = SweepSpec.from_options(None, **options, split=manifest)
    assert {run.fold for run in all_runs(spec, Locations())} == {1}


@pytest.mark.parametrize(("protocol", "runs"), [("standard", 1), ("budget:images=40", 2)])
def test_a_dry_run_counts_data_seeds_where_the_protocol_draws_by_them(
    protocol: str, runs: int, tmp_path: Path
) -> None:
    options = {"head": "linear", "dataset": "drawn-faces", "protocol": protocol, "seeds": "0-1"}
    specs = SweepSpec.from_options(None, **options, train_seed=0).expand()
    found = find_missing(specs, tmp_path, Locations(cache=tmp_path), Policy())
    assert sum(len(cell.specs) for cell in found.missing) == runs


def test_any_head_can_be_built_on_what_a_dry_run_imagines() -> None:
    for name in HEADS:
        head = HEADS[name]
        if not head.needs_text and not takes_argument(head):
            create_head(name, imagined(), resolve(head, {}, owner=name))
