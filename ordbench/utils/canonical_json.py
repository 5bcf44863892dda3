"""Canonical JSON, its hash, and a checksum inside it that shows later edits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

RUN_ID_LENGTH = 20


def canonical(value: JsonValue) -> str:
    """JSON with sorted keys and without spaces; floats as their shortest ``repr``.

    Raises:
        ValueError: If a number is NaN or infinite, which JSON cannot say.

    >>> canonical({"b": 0.1, "a": [True, None, "é"]})
    '{"a":[true,null,"é"],"b":0.1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def content_hash(value: JsonValue) -> str:
    """SHA-256 of `canonical` JSON in UTF-8, in hexadecimal.

    >>> content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def run_id(identity: Mapping[str, JsonValue]) -> str:
    """The id of the run that ``identity`` describes: same content, same id.

    The first 20 hexadecimal digits (80 bits) of `content_hash`. Among a million runs, two share
    one with a probability below 1e-12.

    Args:
        identity: Everything that can change the outcome, and nothing else.

    >>> run_id({"head": "coral", "shots": 4}) == run_id({"shots": 4, "head": "coral"})
    True
    """
    return content_hash(dict(identity))[:RUN_ID_LENGTH]


def parse_typed(content: bytes) -> JsonValue:
    """Read JSON that people may have written: UTF-8, with or without a byte order mark.

    Raises:
        ValueError: If it is none, or a key is in one object twice; the message is one line.

    >>> parse_typed(b'{"shots": 4, "shots": 8}')
    Traceback (most recent call last):
    ...
    ValueError: the key 'shots' is given twice
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8") from None
    try:
        parsed: JsonValue = json.loads(text, object_pairs_hook=_each_once)
        canonical(parsed).encode()
    except UnicodeEncodeError:  # "\\ud800" is half a character
        raise ValueError("it has a character that UTF-8 cannot hold") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}" if text.strip() else "it is empty") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return parsed


def _each_once(pairs: Sequence[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ValueError(f"the key {twice!r} is given twice")
    return fields


class EditedError(ValueError):
    """A text that is not the one that was sealed."""


def add_checksum(text: str) -> str:
    """Put the SHA-256 of a canonical JSON object into it, as its field ``checksum``.

    >>> add_checksum('{"shots":4}')[:24]
    '{"checksum":"31fe0d115fb'
    """
    return canonical(json.loads(text) | {"checksum": _digest(text.encode())})


def verify_checksum(content: bytes) -> bytes:
    """Take the checksum out again; what remains is canonical.

    Spaces and the order of keys do not matter, as they say nothing.

    Raises:
        EditedError: If the checksum is missing or that of other content.
        ValueError: If the content is not a JSON object; the message is one line.
    """
    try:
        fields = json.loads(content)
        if not isinstance(fields, dict):
            raise ValueError("it is not an object")
        checksum = fields.pop("checksum", None)
        rest = canonical(fields).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"Invalid JSON: {error}") from None
    if checksum is None:
        raise EditedError("it has no checksum")
    if checksum != _digest(rest):
        raise EditedError("checksum mismatch: the file was modified")
    return rest


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
