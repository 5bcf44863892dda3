"""The folder of the records, typed as an argument or as `--results`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordbench.errors import SpecError

FolderArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="RESULTS",
        help="Folder of records, or an archive (.jsonl.gz).",
        show_default="results",
    ),
]
FolderOption = Annotated[
    Path | None, typer.Option("--results", help="The same, as for ordbench run.")
]


def one_folder(argument: Path | None, option: Path | None) -> Path:
    """The folder that was typed in one way or the other.

    Raises:
        SpecError: If both were used, for two folders.

    >>> one_folder(None, Path("mine")).name, one_folder(None, None).name
    ('mine', 'results')
    """
    if argument and option and argument != option:
        raise SpecError(f"two folders of records: {argument} and --results {option}; give one")
    return argument or option or Path("results")
