"""A new package for a plug-in of one's own: it installs with pip, and passes its own tests."""

from __future__ import annotations

import ast
import keyword
import re
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import metadata
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from ordbench.errors import SpecError
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS, Registry
from ordbench.utils.files import cannot_write

Kind = Literal["head", "dataset", "backbone"]
_REGISTRIES: Mapping[Kind, Registry[Any]] = {
    "head": HEADS,
    "dataset": DATASETS,
    "backbone": BACKBONES,
}
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
# A file of that name means something to setuptools or pytest, and "all" to ordbench run.
_TAKEN = {"all", "conftest", "setup", *keyword.kwlist, *sys.stdlib_module_names}


def new_package(kind: Kind, name: str, folder: Path | None = None) -> Path:
    """Write a package with a small plug-in that works, its tests and a README; all or nothing.

    Args:
        kind: What it brings.
        name: What users will type. With underscores for hyphens it is the name of its module.
        folder: Where it is put; None for the folder ``name``.

    Returns:
        The folder.

    Raises:
        SpecError: If the name or the folder cannot be used.
        StoreError: If the files cannot be written.
    """
    folder = folder or Path(name)
    content = _content(kind, name)
    if folder.exists() or folder.is_symlink():
        raise SpecError(f"{folder} exists already; name another folder, or move it away")
    temporary = folder.with_name(f".{folder.name}.{token_hex(4)}.tmp")
    try:
        temporary.mkdir(parents=True)
        for file, text in content.items():
            (temporary / file).write_text(text, encoding="utf-8", newline="\n")
        temporary.rename(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise cannot_write(folder, error) from error
    return folder


def _content(kind: Kind, name: str) -> dict[str, str]:
    """The text of each file of a package."""
    _check_name(kind, name)
    module = name.replace("-", "_")
    class_name = "".join(part.capitalize() for part in module.split("_"))
    ordbench = metadata("ordbench")
    facts = {
        "kind": kind,
        "name": name,
        "module": module,
        "class_name": class_name,
        "version": ordbench["Version"],
        "python": ordbench["Requires-Python"],
    }
    templates = Environment(
        loader=PackageLoader("ordbench.scaffold"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    files = {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "README.md.j2",
        f"{module}.py": f"{kind}.py.j2",
        f"test_{module}.py": f"test_{kind}.py.j2",
    }
    content = {
        file: templates.get_template(template).render(facts) for file, template in files.items()
    }
    if class_name in _imported(content[f"{module}.py"]):
        raise SpecError(
            f"{kind} {name!r}: its class {class_name} would hide what the module imports; "
            f"choose another name, such as my-{name}"
        )
    return content


def _check_name(kind: Kind, name: str) -> None:
    """Refuse what cannot be a name and a module, and what is there already."""
    if not _NAME.fullmatch(name):
        raise SpecError(
            f"{name!r} cannot be the name of a {kind}; wanted lower-case letters and digits, with "
            f"hyphens between words, such as my-{kind}"
        )
    registry, module = _REGISTRIES[kind], name.replace("-", "_")
    if name in registry:
        raise SpecError(f"there is a {kind} {name!r} already, of {registry.package(name)}; "
                        "choose another name")  # fmt: skip
    found = None if module in _TAKEN else find_spec(module)
    if module in _TAKEN or (found and found.origin):  # a folder without a file is no module
        raise SpecError(
            f"{kind} {name!r}: its module could not be called {module!r}, as that means something "
            f"else to Python; choose another name, such as my-{name}"
        )


def _imported(source: str) -> set[str]:
    """The names that the import statements of a module bind."""
    statements = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return {alias.asname or alias.name for one in statements for alias in one.names}
