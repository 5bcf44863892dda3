"""Settings of Python and torch that hold for a while and are put back."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_garbage_collection() -> Generator[None]:
    """Do not look for circles of objects, which takes time at moments of its own choosing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def threads(number: int) -> Generator[None]:
    """Compute on so many threads. Sums split over threads change in the last bit with them."""
    import torch  # a table is printed without it

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
