"""What an engine is: it takes prepared cells and returns futures of their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeAlias, TypeVar

from ordbench.runs.preparation import PreparedRun
from ordbench.runs.runner import RunResult

T = TypeVar("T")
Results: TypeAlias = Future[list[RunResult]]


class WorkerDiedError(Exception):
    """The process that trained is gone. The text says what may have killed it and what to do."""


class Engine(Protocol):
    """Trains cells, in this process or elsewhere."""

    @property
    def size(self) -> int:
        """How many cells to submit at a time."""
        ...

    def submit(self, runs: Sequence[PreparedRun]) -> Results:
        """Start a cell; never called for more than `size` unfinished cells.

        The future raises `WorkerDiedError` if the worker died and `CancelledError` if the cell was
        cancelled before it began. Cancelling a cell that has begun has no effect.
        """
        ...


def settle(
    outer: Results,
    inner: Future[T],
    receive: Callable[[T], list[RunResult]],
    translate: Callable[[BaseException], BaseException],
) -> None:
    """Finish ``outer`` when ``inner`` finishes.

    Args:
        outer: What the scheduler waits for.
        inner: What the worker's library returned.
        receive: Makes results of the inner result.
        translate: Makes the outer error of the inner one.
    """

    def finish(done: Future[T]) -> None:
        try:
            results = receive(done.result())
        except BaseException as error:
            outer.set_exception(translate(error))
        else:
            outer.set_result(results)

    inner.add_done_callback(finish)
