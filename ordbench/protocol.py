"""The contract of a protocol: which samples of a dataset train, validate and test."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from ordbench.dataset import Sample, Samples


class Parts(NamedTuple):
    """The samples of a split."""

    train: Sequence[Sample]
    val: Sequence[Sample]
    test: Sequence[Sample]


class SplitProtocol(ABC):
    """Divides the samples of a dataset. Options are keyword-only arguments of ``__init__``.

    A subclass has a `title` and writes `parts`; the entry point group is ``ordbench.protocols``.

    What it gives is checked: no part may be empty, and no image, person or picture may be in two.
    Training samples may bear another rank than their own: then heads are trained on that one.

    Attributes:
        title: What it does, in one line.
        source: Paper or project, in one line.
        ranked: Whether leaderboards rank its runs.
        validates_on_test: Whether the test samples select the step, too.
        seeded: Whether the data seed matters where all images train, too.
        folds: How many folds it makes of any dataset; None where the dataset says.

    >>> from ordbench import SpecError, Task
    >>> class EveryNth(SplitProtocol):
    ...     title = "tests every n-th image"
    ...
    ...     def __init__(self, *, n: int = 3) -> None:
    ...         self.n = n
    ...
    ...     def parts(self, listing, *, dataset, fold, shots, data_seed):
    ...         if shots is not None:
    ...             raise SpecError("protocol every-nth draws no few-shot sets; leave --shots out")
    ...         parts = Parts([], [], [])
    ...         for place, sample in enumerate(listing.samples):
    ...             turn = (place - fold) % self.n
    ...             part = {0: parts.test, 1: parts.val}.get(turn, parts.train)
    ...             part.append(sample)
    ...         return parts
    >>> task = Task(rank_names=("a", "b"), rank_values=(0, 1), unit="ranks", context="it is")
    >>> listing = Samples(task=task, samples=tuple(Sample(f"{n}.png", None, 0) for n in range(6)))
    >>> drawn = EveryNth().parts(listing, dataset="mine", fold=1, shots=None, data_seed=0)
    >>> [sample.name for sample in drawn.test]
    ['1.png', '4.png']
    """

    title: ClassVar[str]
    source: ClassVar[str] = ""
    ranked: ClassVar[bool] = True
    validates_on_test: ClassVar[bool] = False
    seeded: ClassVar[bool] = False
    folds: int | None = None

    @abstractmethod
    def parts(
        self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
    ) -> Parts:
        """Divide the samples of a dataset.

        The test samples must depend on the dataset and the fold alone.

        Args:
            listing: The dataset as it was read; identical pictures have one group.
            dataset: Its registered name, by which draws of two datasets differ.
            fold: Which fold is tested.
            shots: Training images a rank; None for all.
            data_seed: Draws the few-shot set, and what else is left to chance.

        Raises:
            SpecError: If there is no such fold, or if no rank has that many images.
            DatasetError: If the dataset does not say what the protocol needs.
        """

    def test_folds(self, listing: Samples, *, dataset: str) -> Sequence[int]:
        """The folds that can be tested: what ``--fold all`` means.

        Args:
            listing: The dataset as it was read.
            dataset: Its registered name.

        Returns:
            Their numbers, rising.
        """
        return range(self.folds or 1)

    def division(self, listing: Samples) -> str:
        """Where the test images come from, in a few words such as "official folds".

        Args:
            listing: The dataset as it was read.

        Returns:
            The words; empty where there is nothing to say.
        """
        return ""
