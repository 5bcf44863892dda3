"""Random numbers that depend on a seed alone, whichever library draws them."""

from __future__ import annotations

import random
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int, device: torch.device | str = "cpu") -> Generator[None]:
    """Seed torch, NumPy and Python for a while; what others draw later does not depend on it.

    >>> with seeded(0):
    ...     first = torch.rand(1), np.random.rand(), random.random()
    >>> with seeded(0):
    ...     first == (torch.rand(1), np.random.rand(), random.random())
    True
    """
    device = torch.device(device)
    before = random.getstate(), np.random.get_state()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])
