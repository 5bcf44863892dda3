"""The contract of a dataset: a card, known before one image is read, and a reader of samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from ordbench.errors import DatasetError
from ordbench.task import Task

Part = Literal["train", "val", "test"]


@dataclass(frozen=True, kw_only=True)
class Card:
    """What must be known of a dataset before one image is read.

    Attributes:
        title: Its name in print.
        source: Paper (authors, year, title, DOI) or project.
        licence: Terms of use, in one line.
        how_to_get: What to do when it is missing, in one line.
        layout: What the reader looks for below the data root, in one line.
        ranks: The ranks in words ("ages 1 to 116, in years").
        folds: Number of official folds; 0 where there are none.
        grouped: Whether people repeat, so that splits must keep them apart.
        embedded: Whether it comes with ordbench.
        downloadable: Whether ``--download`` fetches it.
    """

    title: str
    source: str
    licence: str
    how_to_get: str
    layout: str
    ranks: str
    folds: int = 0
    grouped: bool = False
    embedded: bool = False
    downloadable: bool = False


class Sample(NamedTuple):
    """One labelled image.

    Attributes:
        name: What identifies it inside its dataset: a relative path with forward slashes.
        image: Its file.
        rank: 0..K-1.
        group: Who or what is shown, where that repeats.
        fold: Official fold, where there is one.
        part: Official part, where there is one.
    """

    name: str
    image: Path
    rank: int
    group: str | None = None
    fold: int | None = None
    part: Part | None = None


class Rejected(NamedTuple):
    """A file that a reader left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a reader found: the task, the samples in a fixed order, and what it left out."""

    task: Task
    samples: tuple[Sample, ...]
    rejected: tuple[Rejected, ...] = ()


class Dataset(ABC):
    """A card and a reader. Options are keyword-only, annotated arguments of ``__init__``.

    Importing the module of a dataset must import neither torch nor pandas.

    Args:
        root: Folder that holds this dataset, or in which it is to be put.
        argument: What stands after the colon in ``folder:PATH``; empty for most.
    """

    card: ClassVar[Card]

    def __init__(self, root: Path, argument: str = "") -> None:
        self.root = root
        self.argument = argument

    @abstractmethod
    def read(self) -> Listing:
        """List the samples without decoding an image.

        Raises:
            DatasetError: If the files are not there or the labels cannot be used.
        """

    def download(self) -> None:
        """Fetch the files into ``root``; only ever called on request.

        Raises:
            DatasetError: If the dataset cannot be fetched by a program.
        """
        raise DatasetError(f"{self.card.title} cannot be downloaded: {self.card.how_to_get}")
