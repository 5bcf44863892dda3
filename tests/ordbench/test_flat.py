import math
import subprocess
import sys

from ordbench.flat import SHARED, FlatRecord, flatten, to_frame
from ordbench.recipe import Recipe
from ordbench.record import FeatureFacts, Record, SplitFacts, TaskFacts
from ordbench.spec import RunSpec
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
    assert row.head_options == "base_ranks=5:tuned=false"
    assert "learning_rate=0.5" in row.recipe.split(":")
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


def test_a_path_is_no_part_of_a_name() -> None:
    row = flatten(record())
    assert (row.backbone, row.text) == ("timm:resnet50", "clip:RN50")
    assert row.dataset_options == "index=index.csv:people=true:ranks=and/or"
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
    assert frame["label"].tolist() == ["ordinalclip:base_ranks=5"] * 2
    assert not {"metrics", "baseline"} & set(frame.columns)


def test_a_frame_of_nothing_is_empty() -> None:
    assert to_frame([]).empty


def test_a_leaderboard_needs_neither_torch_nor_pandas_nor_pyarrow() -> None:
    program = (
        "import sys, ordbench.store, ordbench.leaderboard, ordbench.render, ordbench.publish;"
        "print({'torch', 'pandas', 'pyarrow', 'rich'} & set(sys.modules))"
    )
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (got.stdout, got.stderr) == ("set()\n", "")


def test_what_seeds_do_not_change_stands_first() -> None:
    own = ("run_id", "created", "data_seed", "train_seed", "seconds_fit", "error")
    assert FlatRecord._fields[SHARED:] == (*own, "metrics", "baseline")
