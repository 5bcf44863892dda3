import json
import math

import pytest
from pydantic import JsonValue

from ordbench.canonical import canonical, run_id


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


def test_canonical_json_keeps_floats_exactly() -> None:
    values = [0.1, 1e-300, 2 / 3, -0.0]
    assert json.loads(canonical([*values])) == values
