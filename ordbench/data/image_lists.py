"""Images that a user names one by one, by folder or by a CSV file: no dataset and no ranks."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from ordbench.data.folders import image_folder
from ordbench.data.image_files import FoundImage, has_image_name, header_problem
from ordbench.errors import DatasetError
from ordbench.utils.files import expanded

FILE = "file"  # the column of a CSV file


def list_images(paths: Iterable[str | Path]) -> list[FoundImage]:
    """The images at some paths, in their order; those of a folder by name.

    Of a folder, or a zip archive, files that are not called like images are left out. A CSV file
    has a column ``file`` with paths relative to it.

    Args:
        paths: Images, folders, zip archives and CSV files.

    Returns:
        Each image under its path; with a problem, where it is none.

    Raises:
        DatasetError: If a folder or a CSV file cannot be read, or a name is empty.
    """
    paths = list(paths)
    if "" in paths:  # a shell's unset variable; as a path it would be the current folder
        raise DatasetError("the name of an image is empty; name an image, or . for this folder")
    return [image for path in paths for image in _at(expanded(path))]


def _at(path: Path) -> Iterator[FoundImage]:
    folder = image_folder(path)
    if folder:
        for found in folder.files():
            if has_image_name(found.name):
                yield found._replace(name=str(path / found.name))
    elif path.suffix.lower() == ".csv":
        for file in _listed(path):
            yield FoundImage(str(file), file, header_problem(file))
    else:
        yield FoundImage(str(path), path, header_problem(path))


def _listed(path: Path) -> list[Path]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if FILE not in (rows.fieldnames or ()):
                raise DatasetError(
                    f"{path} has no column {FILE!r} with the paths of images, got "
                    f"{', '.join(map(repr, rows.fieldnames or ())) or 'no columns'}"
                )
            return [path.parent / row[FILE] for row in rows if row[FILE]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not a CSV file in UTF-8"
        raise DatasetError(f"{path} cannot be read: {why}") from None
