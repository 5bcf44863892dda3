import hashlib
import json
import math

import pytest
from pydantic import JsonValue

from ordbench.utils.canonical_json import (
    EditedError,
    add_checksum,
    canonical,
    run_id,
    verify_checksum,
)


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


TEXT = '{"baseline":{"mae":1.5},"hashes":{"checksum":"aa"},"label":"é","metrics":{"mae":0.25}}'


SEALED = add_checksum(TEXT).encode()


def test_the_checksum_is_that_of_the_text_without_it() -> None:
    fields = json.loads(SEALED)
    assert fields.pop("checksum") == hashlib.sha256(TEXT.encode()).hexdigest()
    assert fields == json.loads(TEXT)
    assert verify_checksum(SEALED) == TEXT.encode()


@pytest.mark.parametrize("text", ['{"a":1}', '{"z":1}', "{}"], ids=["last", "first", "alone"])
def test_it_may_stand_anywhere(text: str) -> None:
    assert verify_checksum(add_checksum(text).encode()) == text.encode()


def test_spaces_and_the_order_of_keys_do_not_matter() -> None:
    fields = json.loads(SEALED)
    turned = {key: fields[key] for key in reversed(fields)}
    for content in (SEALED + b"\r\n", json.dumps(turned, indent=4).encode()):
        assert verify_checksum(content) == TEXT.encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"0.25", b"0.24"), (b'"aa"', b'"ab"'), (b"1.5", b"1.50000000000000022"), (b"mae", b"rps")],
    ids=["a score", "a hash", "the last bit of a score", "a name"],
)
def test_an_edit_is_seen(old: bytes, new: bytes) -> None:
    assert old in SEALED
    with pytest.raises(EditedError, match="checksum mismatch"):
        verify_checksum(SEALED.replace(old, new))


def test_a_field_more_or_less_is_seen() -> None:
    fields = json.loads(SEALED)
    for changed in (fields | {"note": "mine"}, {k: v for k, v in fields.items() if k != "label"}):
        with pytest.raises(EditedError, match="checksum mismatch"):
            verify_checksum(json.dumps(changed).encode())


def test_a_text_without_a_checksum_is_not_sealed() -> None:
    with pytest.raises(EditedError, match="it has no checksum"):
        verify_checksum(TEXT.encode())


@pytest.mark.parametrize(
    "content",
    [b"", SEALED[:40], b"[]", b"\xff{}", b'{"mae":NaN,"checksum":"0"}', b"[" * 100_000],
    ids=["nothing", "torn", "a list", "not UTF-8", "NaN", "too deep"],
)
def test_what_is_no_json_object_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(ValueError, match="Invalid JSON: ") as caught:
        verify_checksum(content)
    assert not isinstance(caught.value, EditedError)
    assert "\n" not in str(caught.value)
