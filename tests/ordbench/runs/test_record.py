import json
import math
import subprocess
import sys

import pytest
from pydantic import ValidationError

from ordbench.runs.record import Record, TaskFacts, from_sealed, to_json, to_sealed
from ordbench.runs.spec import RunSpec
from ordbench.utils.canonical_json import EditedError, run_id
from tests.ordbench import conftest


def done(**changes: object) -> Record:
    about: dict[str, object] = {
        "run_id": "0123456789abcdef0123",
        "task": TaskFacts(title="FG-NET", num_ranks=2, unit="years", rank_values=(1, 2)),
        "metrics": {"median": {"mae": 0.25, "qwk": math.nan}, "posterior": {"nll": math.inf}},
        "created": "2026-11-22T00:00:00+00:00",
    }
    return conftest.done(0, **(about | changes))


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


def test_what_is_sealed_is_read_back_and_what_is_edited_is_not() -> None:
    sealed = to_sealed(done(metrics={"median": {"mae": 0.25}}))
    record = from_sealed(sealed, "0123456789abcdef0123")
    assert record == done(metrics={"median": {"mae": 0.25}})
    assert to_sealed(record) == sealed
    with pytest.raises(EditedError):
        from_sealed(sealed.replace(b"0.25", b"0.15"))
    with pytest.raises(ValueError, match="it is the record of run 0123456789abcdef0123"):
        from_sealed(sealed, "f" * 20)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training": None}, "done has task, split, features, training and metrics"),
        ({"metrics": {}}, "done has task, split, features, training and metrics"),
        ({"status": "failed"}, "a failed run has an error"),
        ({"error": "out of memory"}, "a failed run has an error"),
        ({"schema_version": 2}, "schema_version"),
        ({"run_id": "../../etc/passwd.....", "label": "x"}, "run_id"),
        ({"accuracy": 1.0}, "Extra inputs"),
    ],
    ids=[
        "done without training",
        "done without metrics",
        "failed without error",
        "done with error",
        "another schema",
        "an id that is a path",
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
    program = "import sys, ordbench.runs.record; print({'torch', 'numpy'} & set(sys.modules))"
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert got.stdout == "set()\n"
