import hashlib
import json

import pytest

from ordbench.seal import EditedError, seal, unseal

TEXT = '{"baseline":{"mae":1.5},"hashes":{"checksum":"aa"},"label":"é","metrics":{"mae":0.25}}'
SEALED = seal(TEXT).encode()


def test_the_checksum_is_that_of_the_text_without_it() -> None:
    fields = json.loads(SEALED)
    assert fields.pop("checksum") == hashlib.sha256(TEXT.encode()).hexdigest()
    assert fields == json.loads(TEXT)
    assert unseal(SEALED) == TEXT.encode()


@pytest.mark.parametrize("text", ['{"a":1}', '{"z":1}', "{}"], ids=["last", "first", "alone"])
def test_it_may_stand_anywhere(text: str) -> None:
    assert unseal(seal(text).encode()) == text.encode()


def test_spaces_and_the_order_of_keys_do_not_matter() -> None:
    fields = json.loads(SEALED)
    turned = {key: fields[key] for key in reversed(fields)}
    for content in (SEALED + b"\r\n", json.dumps(turned, indent=4).encode()):
        assert unseal(content) == TEXT.encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"0.25", b"0.24"), (b'"aa"', b'"ab"'), (b"1.5", b"1.50000000000000022"), (b"mae", b"rps")],
    ids=["a score", "a hash", "the last bit of a score", "a name"],
)
def test_an_edit_is_seen(old: bytes, new: bytes) -> None:
    assert old in SEALED
    with pytest.raises(EditedError, match="edited since it was written"):
        unseal(SEALED.replace(old, new))


def test_a_field_more_or_less_is_seen() -> None:
    fields = json.loads(SEALED)
    for changed in (fields | {"note": "mine"}, {k: v for k, v in fields.items() if k != "label"}):
        with pytest.raises(EditedError, match="edited since it was written"):
            unseal(json.dumps(changed).encode())


def test_a_text_without_a_checksum_is_not_sealed() -> None:
    with pytest.raises(EditedError, match="it has no checksum"):
        unseal(TEXT.encode())


@pytest.mark.parametrize(
    "content",
    [b"", SEALED[:40], b"[]", b"\xff{}", b'{"mae":NaN,"checksum":"0"}', b"[" * 100_000],
    ids=["nothing", "torn", "a list", "not UTF-8", "NaN", "too deep"],
)
def test_what_is_no_json_object_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(ValueError, match="Invalid JSON: ") as caught:
        unseal(content)
    assert not isinstance(caught.value, EditedError)
    assert "\n" not in str(caught.value)
