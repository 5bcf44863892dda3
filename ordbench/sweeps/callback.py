"""What a sweep tells those who watch it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ordbench.runs.runner import RunResult
    from ordbench.sweeps.cells import Cell
    from ordbench.sweeps.survey import RefusedCell


class Callback:
    """What a sweep tells while it runs; override what you need."""

    def on_images(self, done: int, total: int) -> None:
        """So many images of a dataset are encoded."""

    def on_cell(self, cell: Cell) -> None:
        """A cell starts to train."""

    def on_skip(self, skipped: RefusedCell) -> None:
        """A cell cannot run."""

    def on_result(self, result: RunResult) -> None:
        """A run has its record, from now or from before."""
