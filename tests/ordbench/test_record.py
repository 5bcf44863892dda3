import json
import math
import subprocess
import sys

import pytest
from pydantic import JsonValue, ValidationError

from ordbench.record import (
    FeatureFacts,
    Record,
    SplitFacts,
    TaskFacts,
    TrainingFacts,
    canonical,
    run_id,
    to_json,
)
from ordbench.spec import RunSpec


def done(**changes: object) -> Record:
    fields: dict[str, object] = {
        "run_id": "0123456789abcdef0123",
        "status": "done",
        "label": "coral",
        "spec": RunSpec(head="coral", dataset="fgnet"),
        "task": TaskFacts(title="FG-NET", num_ranks=2, unit="years", rank_values=(1, 2)),
        "split": SplitFacts(hash="aa", train=8, val=4, test=4),
        "features": FeatureFacts(key="bb", dtype="float32"),
        "training": TrainingFacts(steps=10, best_step=5, val_mae=0.5, parameters=6),
        "metrics": {"median": {"mae": 0.25, "qwk": math.nan}, "posterior": {"nll": math.inf}},
        "created": "2026-11-22T00:00:00+00:00",
    }
    return Record.model_validate(fields | changes)


def test_the_run_id_of_a_given_identity_never_changes() -> None:
    identity: dict[str, JsonValue] = {
        "head": "coral",
        "options": {"b": 0.1, "a": None},
        "shots": 4,
        "text": "é",
    }
    # printf '{"head":"coral","options":{"a":null,"b":0.1},"shots":4,"text":"é"}' | sha256sum
    assert run_id(identity) == "396d1e76cb8acf7a283a"


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": 1}, {"a": 1.0}), ({"a": 1}, {"a": "1"}), ({"a": [1, 2]}, {"a": [2, 1]})],
    ids=["int and float", "number and text", "order of a list"],
)
def test_different_content_has_a_different_run_id(
    one: dict[str, object], other: dict[str, object]
) -> None:
    assert run_id(json.loads(json.dumps(one))) != run_id(json.loads(json.dumps(other)))


def test_a_run_id_is_not_made_from_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        run_id({"learning_rate": math.nan})


def test_a_record_is_standard_json_and_comes_back() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not standard JSON")

    text = to_json(done())
    metrics = json.loads(text, parse_constant=refuse)["metrics"]
    assert metrics == {"median": {"mae": 0.25, "qwk": None}, "posterior": {"nll": "Infinity"}}
    back = Record.model_validate_json(text)
    assert math.isnan(back.metrics["median"]["qwk"])
    assert back.metrics["posterior"]["nll"] == math.inf
    assert back.model_copy(update={"metrics": {}}) == done().model_copy(update={"metrics": {}})
    assert to_json(back) == text


def test_the_text_of_a_record_does_not_depend_on_the_order_of_its_keys() -> None:
    one = done(hashes={"head": "1", "images": "2"})
    other = done(hashes={"images": "2", "head": "1"})
    assert to_json(one) == to_json(other)


def test_canonical_json_keeps_floats_exactly() -> None:
    values = [0.1, 1e-300, 2 / 3, -0.0]
    assert json.loads(canonical([*values])) == values


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training": None}, "done has task, split, features, training and metrics"),
        ({"metrics": {}}, "done has task, split, features, training and metrics"),
        ({"status": "failed"}, "a failed run has an error"),
        ({"error": "out of memory"}, "a failed run has an error"),
        ({"schema_version": 2}, "schema_version"),
        ({"run_id": "../../etc/passwd.....", "label": "x"}, "run_id"),
        ({"metrics": {"mode": {"mae": 1.0}}}, "metrics.mode"),
        ({"accuracy": 1.0}, "Extra inputs"),
    ],
    ids=[
        "done without training",
        "done without metrics",
        "failed without error",
        "done with error",
        "another schema",
        "an id that is a path",
        "an unknown decoding",
        "an unknown field",
    ],
)
def test_a_record_that_contradicts_itself_is_refused(
    changes: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        done(**changes)


def test_a_failed_run_needs_only_its_spec_and_its_error() -> None:
    spec = RunSpec(head="coral", dataset="fgnet")
    record = Record(
        run_id=run_id({}), status="failed", label="coral", spec=spec, error="out of memory"
    )
    assert Record.model_validate_json(to_json(record)) == record


def test_reading_records_needs_neither_torch_nor_numpy() -> None:
    program = "import sys, ordbench.record; print({'torch', 'numpy'} & set(sys.modules))"
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert got.stdout == "set()\n"
