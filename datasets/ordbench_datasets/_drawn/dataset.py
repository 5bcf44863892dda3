"""The base of datasets that are drawn on first use."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ordbench.dataset import Dataset, Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.task import Task
from ordbench_datasets._drawn import folder

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image


class DrawnDataset(Dataset):
    """Pictures of 64 x 64 pixels that are drawn on first use (seconds) and then kept.

    The files lie in a folder of their own below the root, one for each version, seed and number a
    rank; picture i of a rank depends on seed, rank and i only. The bytes are the same wherever
    NumPy and Pillow are the same.

    Attributes:
        version: Numbered anew with each change that alters a single pixel.
        labels: A number for each rank, as it stands in file names.
        task: The ranks.

    Args:
        root: Folder in which the pictures are put.
        argument: Not used.
        seed: Draws the pictures; 0 or more.
        per_rank: Pictures of each rank; 1 to 1000.

    Raises:
        SpecError: If ``seed`` or ``per_rank`` is out of range.
    """

    version: ClassVar[int]
    labels: ClassVar[Sequence[int]]
    task: ClassVar[Task]

    def __init__(self, root: Path, argument: str = "", *, seed: int, per_rank: int) -> None:
        super().__init__(root, argument)
        name = self.card.title
        if seed < 0:
            raise SpecError(f"dataset {name}, option seed={seed}: must be 0 or more")
        if not 1 <= per_rank <= 1000:
            raise SpecError(f"dataset {name}, option per_rank={per_rank}: must be 1 to 1000")
        self.seed = seed
        self.per_rank = per_rank

    @staticmethod
    @abstractmethod
    def draw(label: int, rng: np.random.Generator) -> Image:
        """Draw one picture; ``rng`` is its own."""

    def read(self) -> Samples:
        """List the pictures by rank and number; draw them if they are not there or incomplete.

        Raises:
            DatasetError: If they cannot be written.
        """
        name, key = self.card.title, f"v{self.version}-seed{self.seed}-n{self.per_rank}"
        place = self.root / key
        if not folder.is_whole(place):
            try:
                folder.make(place, self._pictures())
            except OSError as error:
                raise DatasetError(
                    f"{name} cannot be drawn into {place}: {error.strerror or error}; "
                    "make room, move away what is in the way, or choose another --cache"
                ) from error
            except BrokenExecutor:
                raise DatasetError(
                    f"{name} cannot be drawn: a process that draws was killed from outside, or "
                    "for lack of memory; free some memory, and run it again"
                ) from None
        samples = (
            Sample(f"{key}/{_name(label, i)}", place / _name(label, i), rank)
            for rank, label in enumerate(self.labels)
            for i in range(self.per_rank)
        )
        return Samples(task=self.task, samples=tuple(samples))

    def _pictures(self) -> Iterator[tuple[str, bytes]]:
        from joblib.externals.loky import cpu_count

        from ordbench.utils.processes import executor, no_interrupts

        pool = executor(cpu_count())
        try:
            with no_interrupts():
                drawn = pool.map(self._pictures_of, self.labels, chunksize=3)
            for pictures in drawn:
                yield from pictures
        finally:  # who stops here does not want the rest
            pool.shutdown(kill_workers=True)

    def _pictures_of(self, label: int) -> list[tuple[str, bytes]]:
        """Draw all pictures of one rank; it runs in a process of its own."""
        from ordbench_datasets._drawn.paint import png

        streams = [generator(self.seed, label, i) for i in range(self.per_rank)]
        return [(_name(label, i), png(self.draw(label, rng))) for i, rng in enumerate(streams)]


def generator(seed: int, label: int, number: int) -> np.random.Generator:
    """What draws one picture: first what it looks like, then all the rest."""
    import numpy as np

    return np.random.default_rng((seed, label, number))


def _name(label: int, number: int) -> str:
    return f"{label:03d}_{number:03d}.png"
