"""`ordbench new-head`, `new-dataset`, `new-backbone`: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ordbench.scaffold.package import Kind

Name = Annotated[str, typer.Argument(help="What users will type, such as my-head.")]
Folder = Annotated[
    Path | None, typer.Argument(help="Where to put the package.", show_default="NAME")
]


def new_head(name: Name, folder: Folder = None) -> None:
    """Write a package with a head that works, and its tests, to begin your own with."""
    _write("head", name, folder)


def new_dataset(name: Name, folder: Folder = None) -> None:
    """Write a package with a dataset that works, and its tests, to begin your own with."""
    _write("dataset", name, folder)


def new_backbone(name: Name, folder: Folder = None) -> None:
    """Write a package with a backbone that works, and its tests, to begin your own with."""
    _write("backbone", name, folder)


def _write(kind: Kind, name: str, folder: Path | None) -> None:
    from ordbench.scaffold.package import new_package

    written = new_package(kind, name, folder)
    typer.echo(f"wrote {written}: {', '.join(sorted(file.name for file in written.iterdir()))}")
    typer.echo(f"next: cd {written}; pip install -e . (README.md has the commands after that)")
