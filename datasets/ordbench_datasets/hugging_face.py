"""Datasets of Hugging Face: from the hub, a folder of ``save_to_disk``, or a folder of Parquet.

Source: https://huggingface.co/docs/datasets; columns as in `ordbench_datasets.csv_file`.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, NamedTuple

from ordbench.data.hub import Snapshot, fetch, fetched, is_repository
from ordbench.data.tables import ENDINGS, schema_of
from ordbench.dataset import PARTS, DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench.utils.extras import extra
from ordbench.utils.text import one_line
from ordbench_datasets._table_rows import Row, labelled_rows, used_columns
from ordbench_datasets.families.cells import parts_win
from ordbench_datasets.families.own_images import OwnImages

Splits = dict[str, list[Path]]
"""The files of each split, in order."""

NO_TEST = "the official validation images are the test images, as no others have labels"


class Parts(NamedTuple):
    """The official part of each split that is read, none where they are divided otherwise."""

    of_split: dict[str, Part]
    notes: list[str]


class HuggingFace(OwnImages):
    """Images in the rows of Arrow or Parquet files, which are read in place.

    The splits train, validation and test are the official parts. Rows without a label, as the test
    split of a competition has them, are skipped and counted.

    Args:
        root: Where the commit of each downloaded revision is noted; the files lie in the cache of
            huggingface_hub.
        argument: ``OWNER/NAME`` of the hub; or a folder of ``save_to_disk``, of Parquet or of Arrow
            files, in the layout of a repository of the hub.
        ranks: As in `OwnImages`.
        bins: As in `OwnImages`.
        context: As in `OwnImages`.
        unit: As in `OwnImages`.
        image: Name of the column of the images; empty for the only one there is.
        rank: Name of the column of the labels; empty for ``rank`` or ``label``, else the only class
            label, else the only column of numbers.
        group: Name of the column that says who is shown; ``-`` to read none, as for the next two.
        fold: Name of the column of the official folds.
        part: Name of the column of the official parts, in place of the splits; ``-`` to divide the
            images of all splits by fold.
        config: Name of the configuration, or of the subfolder, where there are several.
        revision: Branch, tag or commit of the hub; a branch is kept as it was when downloaded.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="a dataset of Hugging Face",
        source="the Hugging Face Hub, https://huggingface.co/datasets, or your own images",
        licence="that of the dataset",
        how_to_get="give --download (after pip install 'ordbench[hf]'), or save it by save_to_disk "
        "and write hf:FOLDER",
        layout="OWNER/NAME, or a folder of save_to_disk, of Parquet or of Arrow files; with a "
        "column of images and a column rank or label",
        ranks="the labels, by number, by bins= or in the order of ranks=",
        argument="PATH",
        reads=("/",),
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
        image: str = "",
        rank: str = "",
        group: str = "",
        fold: str = "",
        part: str = "",
        config: str = "",
        revision: str = "main",
    ) -> None:
        super().__init__(root, argument, ranks=ranks, bins=bins, context=context, unit=unit)
        self.columns = {"image": image, "rank": rank, "group": group, "fold": fold, "part": part}
        self.config = config
        self.revision = revision

    def download(self) -> None:
        """Fetch what is on the hub; of a local folder there is nothing to fetch.

        Raises:
            DatasetError: If it cannot be fetched.
        """
        if is_repository(self.argument) and not self.path.exists():
            fetch(self.root, self.argument, self.revision, self.config)

    def read(self) -> Samples:
        """List the rows by split, in their order.

        Raises:
            DatasetError: If it is not there, or a column is missing or unusable.
            SpecError: If the package is not installed, or an option names what is not there.
        """
        library = extra("datasets", "hf")
        snapshot = self._snapshot()
        splits = self._splits(library, snapshot.folder)
        schema = schema_of(next(file for files in splits.values() for file in files))
        features = library.Features.from_arrow_schema(schema)
        columns = self.columns | ({"part": "-"} if self._parts(splits).of_split else {})
        used = used_columns(columns, schema, features, where=self.path, write=f"hf:{self.argument}")
        found: list[Row | SkippedFile] = []
        for split, files in splits.items():
            found += labelled_rows(split, files, used, features, self.label)
        rejected = tuple(row for row in found if isinstance(row, SkippedFile))
        rows = [row for row in found if isinstance(row, Row)]
        if not rows:
            first = f", first {rejected[0].name!r} ({rejected[0].reason})" if rejected else ""
            raise DatasetError(
                f"{self.path}: none of its {len(rejected)} rows can be used{first}; name the "
                "column of the labels by rank=COLUMN"
            )
        parts, notes = self._parts([*dict.fromkeys(row.split for row in rows)])
        rows = [row for row in rows if not parts or row.split in parts]
        ranks = self.order((row.label for row in rows), "hf")
        return Samples(
            task=ranks.task(self.unit, self.context),
            samples=tuple(
                Sample(
                    row.name,
                    row.image,
                    ranks.rank(row.label),
                    row.group,
                    row.fold,
                    parts[row.split] if parts else row.part,
                )
                for row in rows
            ),
            rejected=rejected,
            notes=(
                *([f"{self.argument} at commit {snapshot.commit}"] if snapshot.commit else []),
                *self.notes(ranks, "hf"),
                "read " + ", ".join(f"{ours} from column {name}" for ours, name in used.items()),
                *notes,
                *parts_win(used),
            ),
        )

    def _snapshot(self) -> Snapshot:
        """The folder of a local path, or of what was downloaded."""
        if self.path.is_dir():
            return Snapshot(self.path, "")
        if self.path.exists() or not is_repository(self.argument):
            got = "is not a folder" if self.path.exists() else "does not exist"
            raise DatasetError(f"{self.path} {got}; wanted {self.card.layout}")
        if found := fetched(self.root, self.argument, self.revision, self.config):
            return found
        raise DatasetError(
            f"{self.path} is not a folder here, and the dataset of that name on the hub (revision "
            f"{self.revision}) is not downloaded; {self.card.how_to_get}"
        )

    def _splits(self, library: Any, folder: Path) -> Splits:  # noqa: ANN401
        """The files of a folder, as the datasets library would read them; it opens no image."""
        below = folder / self.config
        try:
            if self.config and below.is_dir():
                splits = _splits_of(library, below, "")
            else:
                splits = _splits_of(library, folder, self.config)
        except Exception as error:  # of many readers of files
            raise DatasetError(
                f"{self.path} cannot be read as a dataset of Hugging Face ({one_line(error)}); "
                f"wanted {self.card.layout}; or name one of several configurations by config="
            ) from None
        files = [file for files in splits.values() for file in files]
        if other := next((file for file in files if file.suffix not in ENDINGS), None):
            raise DatasetError(
                f"{self.path} holds {other.name}; wanted {self.card.layout}; for files of images "
                "take folder:PATH or csv:PATH, for tar archives webdataset:PATTERN"
            )
        if not files:
            raise DatasetError(f"{self.path} holds no rows; wanted {self.card.layout}")
        return splits

    def _parts(self, splits: Collection[str]) -> Parts:
        """The official part of each split, unless ``part`` says otherwise."""
        parts: dict[str, Part] = {
            name: PARTS[name.lower()] for name in splits if name.lower() in PARTS
        }
        if self.columns["part"] or len(set(parts.values())) < 2:
            return Parts({}, [])
        notes: list[str] = []
        if unread := [name for name in splits if name not in parts]:
            notes.append(f"splits not read: {', '.join(unread)}")
        if "test" not in parts.values():
            parts = {name: "test" if part == "val" else part for name, part in parts.items()}
            notes.append(NO_TEST)
        return Parts(parts, notes)


def _splits_of(library: Any, folder: Path, config: str) -> Splits:  # noqa: ANN401
    """The files of each split of a folder."""
    library.disable_progress_bars()
    if any((folder / name).is_file() for name in ("dataset_dict.json", "state.json")):
        saved = library.load_from_disk(str(folder), keep_in_memory=False)
        splits = saved if isinstance(saved, library.DatasetDict) else {"train": saved}
        return {
            str(name): [Path(file["filename"]) for file in rows.cache_files]
            for name, rows in splits.items()
        }
    with TemporaryDirectory() as locks:  # the library leaves them behind
        builder = library.load_dataset_builder(str(folder), config or None, cache_dir=locks)
    files = builder.config.data_files or {}
    return {str(split): [Path(file) for file in listed] for split, listed in files.items()}
