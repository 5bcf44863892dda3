"""Features that a dataset brings in place of images, as if they had been encoded."""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.features.cache import key_of
from ordbench.features.extraction import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray


def given_features(rows: NDArray[np.float32], *, normalize: bool) -> Features:
    """Features ``(N, D)`` of a dataset, which share its memory.

    Args:
        rows: In the order of the samples, each number finite.
        normalize: Whether rows are brought to unit length, in memory of their own.
    """
    rows = np.ascontiguousarray(rows)
    content = hashlib.sha256(f"{rows.shape}".encode())
    content.update(rows.astype("<f4", copy=False).data)
    features = as_tensor(rows)
    return Features(
        features=F.normalize(features, dim=1) if normalize else features,
        rejected=(),
        key=key_of({"given": content.hexdigest(), "normalize": normalize}),
        fingerprint="",
        images_hash=content.hexdigest(),
        dtype="float32",
        cosine=None,
        transform="",
        seconds=0.0,
        from_cache=True,
    )


def as_tensor(rows: NDArray[np.float32]) -> Tensor:
    """The same memory as a tensor; it may be read-only, as no head writes to features."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(rows)
