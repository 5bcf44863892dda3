import math
import subprocess
import sys
from collections.abc import Callable

import pytest

from ordbench.recipe import Recipe
from ordbench.results.rows import RunRow, flatten, group_by_cell, of_rows, to_frame
from ordbench.runs.record import FeatureFacts, Record, SplitFacts, TaskFacts
from ordbench.runs.spec import RunSpec
from tests.ordbench.conftest import done


def record(**changes: object) -> Record:
    spec = RunSpec(
        head="ordinalclip",
        head_options={"base_ranks": 5, "tuned": False},
        dataset="folder",
        dataset_argument="/home/me/faces",
        dataset_options={"index": r"C:\home\me\index.csv", "people": True, "ranks": "and/or"},
        backbone="timm:resnet50@/home/me/resnet50.safetensors",
        text="clip:RN50@/home/me/rn50.safetensors",
        shots=4,
        data_seed=1,
        train_seed=2,
        recipe=Recipe(learning_rate=0.5),
    )
    fields: dict[str, object] = {
        "label": "ordinalclip:base_ranks=5",
        "spec": spec,
        "task": TaskFacts(title="Faces", num_ranks=2, unit="years"),
        "split": SplitFacts(hash="aa", train=8, val=4, test=4, leaks=1),
        "features": FeatureFacts(key="bb", dtype="bfloat16"),
        "metrics": {"median": {"mae": 0.25, "cs@1": 1.0}, "posterior": {"nll": math.nan}},
        "baseline": {"mae": 0.5},
        "hashes": {"text": "t0", "head": "h0", "images": "i0"},
        "versions": {"ordbench": "0.1.0"},
        "seconds": {"fit": 0.125},
    }
    return done(0, **(fields | changes))


def test_a_row_says_what_a_table_needs() -> None:
    row = flatten(record())
    assert row.head_options == {"base_ranks": 5, "tuned": False}
    assert row.recipe["learning_rate"] == 0.5
    assert (row.title, row.unit, row.dtype) == ("Faces", "years", "bfloat16")
    assert (row.shots, row.data_seed, row.train_seed, row.leaks) == (4, 1, 2, True)
    assert (row.head_hash, row.text_hash) == ("h0", "t0")
    assert (row.image_hash, row.label_hash, row.backbone_hash) == ("i0", "", "")
    assert (row.ordbench, row.parameters, row.seconds_fit) == ("0.1.0", 6, 0.125)
    assert {k: v for k, v in row.metrics.items() if k != "nll_posterior"} == {
        "mae_median": 0.25,
        "cs@1_median": 1.0,
    }
    assert math.isnan(row.metrics["nll_posterior"])


@pytest.mark.parametrize(("val", "few"), [(1, 1), (99, 99), (100, 0)])
def test_a_row_says_how_many_images_validated_if_they_are_few(val: int, few: int) -> None:
    record = done(split=SplitFacts(hash="aa", train=8, val=val, test=2))
    assert flatten(record).few_validation == few


def test_a_path_is_no_part_of_a_name() -> None:
    row = flatten(record())
    assert (row.backbone, row.text) == ("timm:resnet50", "clip:RN50")
    assert row.dataset_options == {"index": "index.csv", "people": True, "ranks": "and/or"}
    assert row.dataset_name == "folder:faces"
    assert "home" not in repr(row)


def test_a_head_that_prompts_no_text_has_no_text_tower() -> None:
    assert flatten(record(hashes={})).text == ""


def test_a_failed_run_is_a_row_without_scores() -> None:
    spec = RunSpec(head="coral", dataset="fgnet")
    failed = Record(
        run_id="0" * 20, status="failed", label="coral", spec=spec, error="out of memory"
    )
    row = flatten(failed)
    assert (row.title, row.unit, row.dtype) == ("fgnet", "", "auto")
    assert (row.error, row.metrics, row.parameters) == ("out of memory", {}, None)


def test_a_frame_has_a_column_for_each_score() -> None:
    other = record(run_id="1" * 20, spec=RunSpec(head="coral", dataset="fgnet"))
    frame = to_frame([flatten(record()), flatten(other)])
    assert frame["mae_median"].tolist() == [0.25, 0.25]
    assert frame["mae_baseline"].tolist() == [0.5, 0.5]
    assert frame["nll_posterior"].isna().all()
    assert frame["shots"].dtype == "Int64"
    assert frame["shots"].isna().tolist() == [False, True]
    assert frame["head_options"].tolist() == ["base_ranks=5:tuned=false", ""]
    assert frame["label"].tolist() == ["ordinalclip:base_ranks=5"] * 2
    assert not {"metrics", "baseline"} & set(frame.columns)


def test_a_frame_of_nothing_is_empty() -> None:
    assert to_frame([]).empty


def test_a_leaderboard_needs_neither_torch_nor_pandas_nor_pyarrow() -> None:
    program = (
        "import sys, ordbench.results.store, ordbench.leaderboard.build;"
        "import ordbench.leaderboard.formats, ordbench.report.publish;"
        "print({'torch', 'pandas', 'pyarrow', 'rich'} & set(sys.modules))"
    )
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (got.stdout, got.stderr) == ("set()\n", "")


FlatRun = Callable[..., RunRow]


def test_cells_hold_the_runs_that_differ_in_seeds_and_outcome(flat_run: FlatRun) -> None:
    one = [flat_run(mae=1.0, seed=0), flat_run(mae=2.0, seed=1, created="2026", seconds_fit=9.0)]
    other = [flat_run(mae=3.0, shots=4)]
    cells = group_by_cell([one[0], *other, one[1]])
    assert [[*cell.rows()] for cell in cells] == [one, other]
    assert [len(cell) for cell in cells] == [2, 1]


@pytest.mark.parametrize(
    "changes",
    [{"metrics": {"mae_mean": 1.0}}, {"baseline": {"mae": 1.0}}, {"error": "x"}, {"shots": 1}],
    ids=lambda changes: next(iter(changes)),
)
def test_runs_of_one_cell_have_scores_of_the_same_names(
    flat_run: FlatRun, changes: dict[str, object]
) -> None:
    assert len(group_by_cell([flat_run(), flat_run(**changes)])) == 2


def test_a_cell_is_its_rows_by_columns(flat_run: FlatRun) -> None:
    rows = [flat_run(mae=1.0 + seed, seed=seed, baseline={"mae": 9.0}) for seed in (4, 2)]
    cell = of_rows(rows)
    assert cell.first == rows[0]
    assert cell.seeds == [(4, 4), (2, 2)]
    assert cell.metrics == {"mae_median": [5.0, 3.0]}
    assert cell.baseline == {"mae": [9.0, 9.0]}
    assert [*cell.rows()] == rows


def test_a_part_of_a_cell_is_a_cell_or_nothing(flat_run: FlatRun) -> None:
    rows = [flat_run(mae=float(seed), seed=seed) for seed in range(3)]
    (part,) = of_rows(rows).part({rows[2].run_id, rows[1].run_id})
    assert [*part.rows()] == rows[1:]
    assert of_rows(rows).part({"x"}) == []
