"""A split as a file: a manifest of ours (JSON), or lists as other tools read them."""

from __future__ import annotations

from pathlib import Path

from ordbench.dataset import Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.splits.list_files import SplitLists, is_list, read_lists, write_folder, write_table
from ordbench.splits.manifest import read_manifest, write_manifest
from ordbench.splits.split import Split


def read_split(path: Path) -> Split | SplitLists:
    """Read what ``--split`` names: a folder or file of lists, else a manifest.

    Raises:
        DatasetError: If it cannot be read.
    """
    if not path.exists():
        raise DatasetError(
            f"split {path} cannot be read: No such file or directory; wanted a manifest "
            "(.json), a .csv, or a folder with train.txt and test.txt"
        )
    return read_lists(path) if is_list(path) else read_manifest(path)


def write_split(split: Split, listing: Samples, path: Path) -> None:
    """Write a split as the ending says: ``.json``, ``.csv``, or a folder of three lists.

    Only a manifest (``.json``) says how the split came about: its shots, fold and seed.

    Args:
        split: What to write.
        listing: The samples that it divides; their ranks stand in lists.
        path: With another ending, nothing is written.

    Raises:
        DatasetError: If a name cannot stand in a list.
        SpecError: If the ending is none of these, or a list cannot say what the split does.
        StoreError: If the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending == ".json":
        write_manifest(split, path)
    elif split.train_ranks:
        raise SpecError(
            f"{path}: the split changes the ranks of {len(split.train_ranks)} training images, "
            "which only a manifest can say; write a .json file"
        )
    elif ending == ".csv":
        write_table(split, listing, path)
    elif not ending or path.is_dir():
        write_folder(split, listing, path)
    else:
        raise SpecError(
            f"{path}: wanted .json (a manifest), .csv (a table) or no ending (a folder of "
            f"train.txt, val.txt and test.txt), got {path.suffix}"
        )
