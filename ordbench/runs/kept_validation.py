"""What a kept head said of the validation images, read without torch: tables need no more."""

from __future__ import annotations

import numpy as np
from safetensors import SafetensorError, deserialize

from ordbench.metrics.evaluation import Calibration

POSTERIOR, RANKS = "validation.posterior", "validation.ranks"


def read_calibration(content: bytes) -> Calibration | None:
    """The posterior and ranks of the validation images; None for a head without a posterior.

    Args:
        content: The file of a head, as `ordbench.runs.kept_head` makes it.

    Raises:
        ValueError: If it is not such a file.
    """
    try:
        tensors = dict(deserialize(content))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ValueError(f"it is not a head that ordbench kept: {error}") from error
    if POSTERIOR not in tensors or RANKS not in tensors:
        return None
    posterior, ranks = tensors[POSTERIOR], tensors[RANKS]
    return Calibration(
        np.frombuffer(posterior["data"], "<f4").reshape(posterior["shape"]),
        np.frombuffer(ranks["data"], "<i8"),
    )
