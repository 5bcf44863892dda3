"""A linear probe that dies, or waits, where a file beside it says so: it tests the engines."""

import os
import signal
import sys
import time
from pathlib import Path

from ordbench.head import Problem
from ordbench_heads.linear import Linear

HERE = Path(__file__).parent
PATIENCE = 120  # seconds; a test that gave up on a head must not wait for it


class Fragile(Linear):
    """Fragile: a linear probe that breaks down on request.

    Args:
        problem: What the head is told. Each head that is made leaves a line in the file ``tries``.
        fatal: Kill the process, always.
    """

    def __init__(self, problem: Problem, *, fatal: bool = False) -> None:
        super().__init__(problem)
        if os.environ.get("FRAGILE") == "raise":
            raise RuntimeError("as FRAGILE says")
        with (HERE / "tries").open("a") as tries:
            tries.write(f"{os.getpid()} {int(problem.train_counts.max())} {fatal}\n")
        if fatal or taken(HERE / "kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if taken(HERE / f"hold-{node()}"):
            hold()

    def kept(self) -> None:
        """Nothing: to load a head is to make one more."""


def hold() -> None:
    """Leave this process's id in the file ``held-NODE``, and wait for the file ``go-NODE``."""
    # Another process on this node may hold at this very moment.
    holding = HERE / f"holding-{os.getpid()}"
    holding.write_text(str(os.getpid()))
    holding.replace(HERE / f"held-{node()}")
    deadline = time.monotonic() + PATIENCE
    while not (HERE / f"go-{node()}").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no file go-{node()} after {PATIENCE} s")
        time.sleep(0.02)


def node() -> str:
    """Which node of a Ray cluster this is, or "here"."""
    ray = sys.modules.get("ray")
    return ray.get_runtime_context().get_node_id() if ray and ray.is_initialized() else "here"


def taken(order: Path) -> bool:
    """Whether this process is the one that takes an order, which is a file."""
    try:
        order.unlink()
    except FileNotFoundError:
        return False
    return True
