"""The contract of a dataset: a card, known before one image is read, and a reader of samples."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, cast

from ordbench.errors import DatasetError, SpecError
from ordbench.task import Task
from ordbench.utils.images import ImageSource, open_rgb
from ordbench.utils.last_few import LastFew

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

Part = Literal["train", "val", "test"]
# How folders, columns and list files call the official parts.
PARTS: Mapping[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
SMALLEST, LARGEST = 1e-15, 1e15  # of the largest feature of a dataset that brings them
KEPT = 16  # pools of folds, and the like, in memory
_USUAL_GROUPS = {str, type(None)}


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """What must be known of a dataset before one image is read.

    Attributes:
        title: Its name in print.
        source: Paper (authors, year, title, DOI) or project.
        licence: Terms of use, in one line.
        terms: What a user must agree to before a program downloads it, in one line; empty where
            nothing is asked.
        how_to_get: What a user does by hand when it is missing, in one line; "its folder" is the
            one of its name below the data root.
        layout: What the reader looks for below the data root, in one line.
        ranks: The ranks in words ("ages 1 to 116, in years").
        argument: What must stand after the colon ("PATH"); empty where nothing may.
        reads: How the files end that the argument may name; ``/`` for a folder.
        folds: Number of official folds; 0 where there are none.
        grouped: Whether people repeat, so that each sample must say whom it shows.
        embedded: Whether it comes with ordbench.
        brings_features: Whether it has features in place of images; its backbone is ``none``.
        cs_thresholds: The k of the CS@k that runs record, in the task's unit; None for 1, 3, 5
            if that is years, else none.
    """

    title: str
    source: str
    licence: str
    how_to_get: str
    layout: str
    ranks: str
    terms: str = ""
    argument: str = ""
    reads: tuple[str, ...] = ()
    folds: int = 0
    grouped: bool = False
    embedded: bool = False
    brings_features: bool = False
    cs_thresholds: tuple[float, ...] | None = None


class Sample(NamedTuple):
    """One labelled image, or one labelled row of features.

    Attributes:
        name: What identifies it inside its dataset: a relative path with forward slashes.
        image: Where its bytes lie: a file, or an `ImageBytes` such as the member of an archive.
            None where the dataset brings features.
        rank: 0..K-1.
        group: Who or what is shown, where that repeats.
        fold: Official fold, where there is one.
        part: Official part, where there is one.
        extra: More true values by name, for metrics: the raters' deviation, an attribute.
    """

    name: str
    image: ImageSource | None
    rank: int
    group: str | None = None
    fold: int | None = None
    part: Part | None = None
    extra: Mapping[str, float | str] = {}

    def open(self) -> Image:
        """Decode its image as `open_rgb` does: whole, upright and as 8-bit RGB.

        Raises:
            DatasetError: In one line that begins with where the image lies, if it cannot be read;
                or if there is none.
        """
        if self.image is None:
            raise DatasetError(f"sample {self.name!r} has features and no image")
        return open_rgb(self.image)


class SkippedFile(NamedTuple):
    """A file that a reader left out, and why."""

    name: str
    reason: str


class OfficialSplit(NamedTuple):
    """One official division, for divisions that overlap and so cannot stand in `Sample.fold`.

    Attributes:
        train: Names of the training samples.
        test: Names of the test samples.
        val: Names of the validation samples; empty where none are official.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    val: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What a reader found.

    Attributes:
        task: What a head is told.
        samples: In a fixed order, each name once.
        rejected: What was left out, by name.
        draws: Official divisions; fold N of the protocol is ``draws[N]``. They win over
            `Sample.part` and `Sample.fold`.
        leaky: The official division itself shows people on both sides: reported, not refused.
        notes: What a user should know of this reading, one line each.
        features: ``(N, D)`` in the order of the samples, where the dataset brings them.
        feature_names: Of the D features, where they have names; two datasets must agree in them.
        test_dataset: The dataset whose samples are tested, where it is another one; their names
            begin with it and a colon.

    Raises:
        DatasetError: If a name stands twice, a rank is not one of the task's, a rank or group is
            of another type, or features are not ``(N, D)`` finite numbers.
    """

    task: Task
    samples: tuple[Sample, ...]
    rejected: tuple[SkippedFile, ...] = ()
    draws: tuple[OfficialSplit, ...] = ()
    leaky: bool = False
    notes: tuple[str, ...] = ()
    features: NDArray[np.float32] | None = field(default=None, compare=False)
    feature_names: tuple[str, ...] = ()
    test_dataset: str = ""

    def __post_init__(self) -> None:
        if len({sample.name for sample in self.samples}) < len(self.samples):
            ((name, count),) = Counter(s.name for s in self.samples).most_common(1)
            raise DatasetError(f"sample {name!r} is listed {count} times; names must differ")
        num_ranks = self.task.num_ranks
        for sample in self.samples:
            if type(sample.rank) is not int or type(sample.group) not in _USUAL_GROUPS:
                _check_types(sample)
            if not 0 <= sample.rank < num_ranks:
                raise DatasetError(
                    f"sample {sample.name!r} has rank {sample.rank}; wanted 0..{num_ranks - 1}"
                )
        if self.features is not None:
            _check_features(self.features, len(self.samples))

    @cached_property
    def kept(self) -> LastFew:
        """What was worked out of these samples, by what it is, so that all draws share it."""
        return LastFew(KEPT)

    @property
    def places(self) -> Mapping[str, int]:
        """Where each sample stands, by name."""
        return self.kept.get("places", lambda: {s.name: n for n, s in enumerate(self.samples)})

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the task and of every sample, whatever their order, but not of the images.

        Groups, folds, parts, draws and extra values are in it where there are any.
        """
        task = self.task
        division = (
            sorted((s.name, *s[3:6]) for s in self.samples if s[3:6] != (None, None, None)),
            [[sorted(names) for names in draw] for draw in self.draws],
        )
        extra = sorted((s.name, sorted(s.extra.items())) for s in self.samples if s.extra)
        content = (
            (task.rank_names, [float(v) for v in task.rank_values], task.unit, task.context),
            sorted((sample.name, sample.rank) for sample in self.samples),
            *(division if any(division) else ()),
            *([extra] if extra else []),
        )
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _check_types(sample: Sample) -> None:
    for part, wanted in (("rank", int), ("group", str | None)):
        got = cast(object, getattr(sample, part))
        if not isinstance(got, wanted):
            raise DatasetError(
                f"sample {sample.name!r} has the {part} {got!r}, of type {type(got).__name__}; "
                f"wanted {'a whole number of type int' if part == 'rank' else 'text or None'}"
            )


def _check_features(features: NDArray[np.float32], count: int) -> None:
    shape = features.shape
    if features.dtype != "float32" or len(shape) != 2 or shape[0] != count or not shape[1]:
        raise DatasetError(
            f"features must be float32 numbers of shape ({count}, D), a row a sample, "
            f"got {features.dtype} of shape {shape}"
        )
    # No copy of the features is made; NaN is the least and the largest of numbers with a NaN.
    largest = float(max(features.max(initial=0), -features.min(initial=0)))
    if not isfinite(largest):
        raise DatasetError("features must be finite; some are NaN or infinite")
    if largest and not SMALLEST <= largest <= LARGEST:
        raise DatasetError(
            f"the largest feature is {largest:.3g}, and its square does not fit into single "
            f"precision; wanted {SMALLEST:g} to {LARGEST:g}: divide all by one number, and leave "
            "out what is no feature"
        )


def check_argument(card: DatasetCard, argument: str, name: str = "NAME") -> None:
    """Refuse an argument that a dataset does not take, and none where it needs one.

    Args:
        card: Of the dataset.
        argument: What stands after the colon; may be empty.
        name: What the dataset is called where it is registered.

    Raises:
        SpecError: If so.
    """
    if argument and not card.argument:
        raise SpecError(
            f"dataset {card.title} takes options only ({name}:KEY=VALUE), got {argument!r} "
            "after its name; leave it out"
        )
    if card.argument and not argument:
        raise SpecError(
            f"dataset {card.title!r} needs a {card.argument.lower()}; write {name}:{card.argument}"
        )


class Dataset(ABC):
    """A card and a reader. Options are keyword-only, annotated arguments of ``__init__``.

    A subclass has a `card` and writes `read`. One that can be fetched writes `download` as well.
    Importing the module of a dataset must import neither torch nor pandas. ``ordbench new-dataset
    NAME`` writes a package with a dataset and its tests, ``ordbench check-dataset MODULE:CLASS``
    checks one whose files are here.

    Args:
        root: Folder that holds this dataset, or in which it is to be put.
        argument: What stands after the colon in ``folder:PATH``; empty for most.

    Raises:
        SpecError: If an argument is given that the card does not name, or the other way round.

    >>> class Grades(Dataset):
    ...     card = DatasetCard(
    ...         title="Grades",
    ...         source="an example",
    ...         licence="CC0",
    ...         how_to_get="draw them",
    ...         layout="0/*.png and 1/*.png",
    ...         ranks="mild and severe",
    ...     )
    ...
    ...     def read(self):
    ...         files = sorted(self.root.glob("[01]/*.png"))
    ...         if not files:
    ...             raise DatasetError(f"no images in {self.root}; {self.card.how_to_get}")
    ...         return Samples(
    ...             task=Task(
    ...                 rank_names=("mild", "severe"),
    ...                 rank_values=(0, 1),
    ...                 unit="ranks",
    ...                 context="the damage is",
    ...             ),
    ...             samples=tuple(
    ...                 Sample(name=f"{file.parent.name}/{file.name}", image=file,
    ...                        rank=int(file.parent.name))
    ...                 for file in files
    ...             ),
    ...         )
    >>> Grades(Path("nowhere")).read()
    Traceback (most recent call last):
    ordbench.errors.DatasetError: no images in nowhere; draw them
    """

    card: ClassVar[DatasetCard]

    def __init__(self, root: Path, argument: str = "") -> None:
        check_argument(self.card, argument)
        self.root = root
        self.argument = argument

    @abstractmethod
    def read(self) -> Samples:
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


def downloadable(plugin: type[Dataset]) -> bool:
    """Whether a program may fetch a dataset: whether its class says how."""
    return plugin.download is not Dataset.download
