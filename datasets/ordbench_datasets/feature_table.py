"""A user's own features, in place of images: a NumPy, Parquet or CSV file with one row a sample.

Source: columns as in `ordbench_datasets.csv_file`, with features where that has images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

from ordbench.data.image_files import composed, existing
from ordbench.dataset import DatasetCard, Part, Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.utils.files import expanded
from ordbench_datasets._columns import KINDS, Columns, as_features, as_texts, read_columns
from ordbench_datasets.families.cells import (
    USUAL,
    parts_win,
    plain_column,
    read_fold,
    read_group,
    read_part,
)
from ordbench_datasets.families.own_images import OwnImages
from ordbench_datasets.families.ranks import listed

T = TypeVar("T")
_USUAL = {**USUAL, "name": ("name", "id", "file")}
SHOWN = 8  # columns that a note or an error names


class Row(NamedTuple):
    """What is known of one sample, its rank not yet put in order."""

    name: str
    label: str
    group: str | None
    fold: int | None
    part: Part | None


class Used(NamedTuple):
    """What is read of a file.

    Attributes:
        labels: The column behind each of rank, group, fold, part and name that is there.
        features: Names of the columns of features.
        unread: Names of the others.
    """

    labels: dict[str, str]
    features: list[str]
    unread: list[str]


class FeatureTable(OwnImages):
    """Features in a file, with the ranks of the samples.

    If there is a column ``features`` of several numbers a row, these are the features. Else every
    column is a feature that is not one of rank, group, fold, part and name, and all of them must
    be numbers: a column that is to be left out is named in ``drop``. A column whose usual name says
    that it is a label, and which is not read as one, must be named there too.

    Args:
        root: Not used; the path is the user's own.
        argument: The file: ``.npz`` with arrays of these names, ``.parquet``, ``.csv``, or ``.npy``
            with features alone.
        ranks: As in `OwnImages`.
        bins: As in `OwnImages`.
        context: As in `OwnImages`.
        unit: As in `OwnImages`.
        rank: Name of the column of the labels; empty for the usual names, as for the others. Beside
            a ``.npy`` file the path of another one, with the labels.
        group: Name of the column of what must stay together; ``-`` to read none, as for the next.
        fold: Name of the column of the official folds.
        part: Name of the column of the official parts.
        name: Name of the column that names the samples; their number where there is none.
        drop: Names of columns that are no features, separated by ``;``.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="a file of features",
        source="your own features",
        licence="yours",
        how_to_get="write a .npz, .parquet or .csv file with the columns features and rank",
        layout="columns features (or one a feature) and rank (or label); where there are such: "
        "group, fold, part, name",
        ranks="the labels, by number, by bins= or in the order of ranks=",
        argument="PATH",
        reads=KINDS,
        brings_features=True,
    )

    def __init__(
        self,
        root: Path,
        argument: str = "",
        *,
        ranks: str = "",
        bins: str = "",
        context: str = "",
        unit: str = "",
        rank: str = "",
        group: str = "",
        fold: str = "",
        part: str = "",
        name: str = "",
        drop: str = "",
    ) -> None:
        super().__init__(root, argument, ranks=ranks, bins=bins, context=context, unit=unit)
        named = {"rank": rank, "group": group, "fold": fold, "part": part, "name": name}
        self.named = {ours: plain_column(theirs) for ours, theirs in named.items()}
        self.drop = {plain_column(column) for column in listed(drop)}
        self.rank = rank

    def read(self) -> Samples:
        """List the rows in the order of their names.

        Raises:
            DatasetError: If the file cannot be read, or a cell is missing or unusable.
            SpecError: If an option names a column that is not there.
        """
        columns = self._columns()
        used = self._used(columns)
        labels = self._labels(columns, used.labels)
        ranks = self.order((row.label for row in labels), "features")
        rank_of = {label: ranks.rank(label) for label in {row.label for row in labels}}
        features = as_features([(name, columns[name]) for name in used.features], self.path)
        order = sorted(range(len(labels)), key=lambda row: labels[row].name)
        return Samples(
            task=ranks.task(self.unit, self.context),
            samples=tuple(
                Sample(row.name, None, rank_of[row.label], row.group, row.fold, row.part)
                for row in (labels[number] for number in order)
            ),
            notes=(*self.notes(ranks, "features"), *_notes(used, features.shape[1])),
            features=features[order],
            feature_names=() if used.features == ["features"] else tuple(used.features),
        )

    def _columns(self) -> Columns:
        words = {name for usual in _USUAL.values() for name in usual} | {*self.named.values()}
        columns = read_columns(self.path, words)
        if self.path.suffix.lower() != ".npy":
            return columns
        labels = existing(expanded(self.rank))
        if not self.rank or labels.suffix.lower() != ".npy":
            raise SpecError(
                f"{self.path} holds features alone; write "
                f"features:{self.argument}:rank=LABELS.npy, or save both in one .npz file"
            )
        self.named["rank"] = ""
        columns["rank"] = read_columns(labels, ())["features"]
        count, wanted = len(columns["rank"]), len(columns["features"])
        if count != wanted:
            raise DatasetError(f"{labels} has {count} labels, but {self.path} has {wanted} rows")
        return columns

    def _used(self, columns: Columns) -> Used:
        """Which columns are what.

        Raises:
            DatasetError: If a column may be either of two things, or there is no rank or feature.
            SpecError: If an option names a column that is not there.
        """
        labels: dict[str, str] = {}
        for ours, usual in _USUAL.items():
            if column := self._label_column(ours, usual, columns):
                labels[ours] = column
        if missing := sorted(self.drop - columns.keys()):
            raise SpecError(
                f"{self.path} has no column {missing[0]!r} (drop=); it has {_few(columns)}"
            )
        if "rank" not in labels:
            raise DatasetError(
                f"{self.path} has the columns {_few(columns)}; wanted {self.card.layout}; or name "
                f"yours: features:{self.argument}:rank=COLUMN"
            )
        ignored = {n for ours, usual in _USUAL.items() if self.named[ours] == "-" for n in usual}
        left = [name for name in columns if name not in {*labels.values(), *self.drop, *ignored}]
        unread = [name for name in columns if name in self.drop | ignored]
        if "features" in left:
            return Used(labels, ["features"], unread + [n for n in left if n != "features"])
        self._refuse_no_features(columns, left)
        return Used(labels, left, unread)

    def _label_column(self, ours: str, usual: Sequence[str], columns: Columns) -> str | None:
        named = self.named[ours]
        if named == "-":
            return None
        if named:
            if named not in columns:
                raise SpecError(
                    f"{self.path} has no column {named!r} ({ours}={named}); it has {_few(columns)}"
                )
            return named
        there = [name for name in usual if name in columns and name not in self.drop]
        if len(there) > 1:
            raise DatasetError(
                f"{self.path} has the columns {' and '.join(there)}, and each may be the {ours}; "
                f"write {ours}={there[0]}:drop={there[1]}, or the other way round"
            )
        return there[0] if there else None

    def _refuse_no_features(self, columns: Columns, left: Sequence[str]) -> None:
        if not left:
            raise DatasetError(
                f"{self.path} has no column of features; it has {_few(columns)}; wanted "
                f"{self.card.layout}"
            )
        for name in left:
            if ours := next((ours for ours, usual in _USUAL.items() if name in usual), None):
                raise DatasetError(
                    f"{self.path}: the column {name} would be a feature, but has the name of a "
                    f"{ours}; write drop={name}, or rename it"
                )
            if columns[name].ndim > 1:
                raise DatasetError(
                    f"{self.path}: the column {name} has several numbers a row; call it features, "
                    f"or write drop={name}"
                )

    def _labels(self, columns: Columns, used: dict[str, str]) -> list[Row]:
        """What the columns that are no features say of each row.

        Raises:
            DatasetError: Naming the column and the row.
        """

        def cells(ours: str, wanted: str, read: Callable[[str], T], mend: str) -> list[T]:
            """Read one column."""
            column = columns[used[ours]]
            if column.ndim != 1:
                raise DatasetError(
                    f"{self.path}, {used[ours]}: wanted one cell a row, got {column.shape[1]}"
                )
            found: list[T] = []
            read = cache(read)  # most columns have few different cells
            for number, text in enumerate(as_texts(column), 1):
                try:
                    found.append(read(text))
                except ValueError:
                    raise DatasetError(
                        f"{self.path}, {used[ours]}, row {number}: wanted {wanted}, got {text!r}; "
                        f"{mend}"
                    ) from None
            return found

        def optional(
            ours: str, wanted: str, read: Callable[[str], T], mend: str = ""
        ) -> list[T | None]:
            """Read a column that need not be there."""
            mend = mend or f"correct it, or write {ours}=- to ignore the column"
            return [*cells(ours, wanted, read, mend)] if ours in used else [None] * count

        count = len(columns[used["rank"]])
        labels = cells("rank", "a rank", self.label, "correct it or add it to ranks=")
        names = optional("name", "a name", _name)
        if twice := [name for name, number in Counter(names).items() if name and number > 1]:
            raise DatasetError(
                f"{self.path}, {used['name']}: {twice[0]!r} names two rows; "
                "correct it, or write name=- to ignore the column"
            )
        rows = zip(
            [name or f"{number:06}" for number, name in enumerate(names, 1)],
            labels,
            optional("group", "a group, such as a person", read_group, "leave unknown ones empty"),
            optional("fold", "a whole number of at least 0", read_fold),
            optional("part", "train, val or test", read_part),
            strict=True,
        )
        return [Row(*row) for row in rows]


def _name(text: str) -> str:
    if not text:
        raise ValueError
    return composed(text)


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def _notes(used: Used, width: int) -> list[str]:
    """How many features there are and where they stand, and what is not read."""
    renamed = [f"{ours} from column {name}" for ours, name in used.labels.items() if ours != name]
    return [
        f"{width} features" + (f": {_few(used.features)}" if used.features != ["features"] else ""),
        *([f"read {', '.join(renamed)}"] if renamed else []),
        *([f"columns not read: {_few(used.unread)}"] if used.unread else []),
        *parts_win(used.labels),
    ]
