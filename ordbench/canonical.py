"""One text for equal content, and run ids made of it; needs nothing but the standard library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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


def run_id(identity: Mapping[str, JsonValue]) -> str:
    """The id of the run that ``identity`` describes: same content, same id.

    The first 20 hexadecimal digits (80 bits) of the SHA-256 of `canonical`, in UTF-8. Among a
    million runs, two share one with a probability below 1e-12.

    Args:
        identity: Everything that can change the outcome, and nothing else.

    >>> run_id({"head": "coral", "shots": 4}) == run_id({"shots": 4, "head": "coral"})
    True
    """
    text = canonical(dict(identity))
    return hashlib.sha256(text.encode()).hexdigest()[:RUN_ID_LENGTH]
