"""Hashes of source code: of a plug-in with the modules that it imports, and of the trainer."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

# Errors and file helpers change what a run says and where it is written, never its outcome.
_NOT_FOLLOWED = ("ordbench.errors", "ordbench.utils")


@cache
def source_hash(plugin: type) -> str:
    """SHA-256 over the modules of a class and of its bases, and over the modules they import.

    Imports are followed within the package that brings the class, and within ordbench. A head
    that is edited is another head, and so is one whose loss or prompt encoder is edited.
    """
    return _hash_of(base.__module__ for base in plugin.__mro__)


@cache
def trainer_hash() -> str:
    """SHA-256 over the modules of `ordbench.training`, which every run depends on."""
    package = "ordbench.training"
    folder = Path(str(_file(package))).parent
    return _digest({f"{package}.{file.stem}": file for file in folder.glob("*.py")})


def _hash_of(names: Iterable[str]) -> str:
    names = list(names)
    own = frozenset().union(*(_neighbours(name.partition(".")[0]) for name in names))
    found: dict[str, Path] = {}
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        if name in found or not _is_followed(name, own) or (file := _file(name)) is None:
            continue
        found[name] = file
        waiting |= _imports(name, file, own)
    return _digest(found)


def _digest(files: Mapping[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        content = file.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _is_followed(name: str, own: frozenset[str]) -> bool:
    return name.partition(".")[0] in own and not f"{name}.".startswith(
        tuple(f"{module}." for module in _NOT_FOLLOWED)
    )


@cache
def _neighbours(top: str) -> frozenset[str]:
    """The top-level modules of the distribution that brings one, and of ordbench."""
    if top in sys.stdlib_module_names or top == "torch":
        return frozenset()
    distributions = packages_distributions()
    mine = set(distributions.get(top, ()))
    others = {name for name, owners in distributions.items() if mine.intersection(owners)}
    return frozenset(others | {top, "ordbench"})


@cache
def _file(module: str) -> Path | None:
    """The source file of a module, or None if it is no module or has no file."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin and Path(spec.origin).is_file() else None


@cache
def _imports(module: str, file: Path, own: frozenset[str]) -> frozenset[str]:
    """The modules that a module imports, read from its text; types alone do not count."""
    if file.suffix != ".py":
        return frozenset()
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in _statements(_tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, package)
            if source.partition(".")[0] in own:  # to look into others may import them
                found |= {_home(source, alias.name) for alias in node.names}
    return frozenset(found)


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below one, but for those under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from _statements(child)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that a ``from`` statement names, where ``package`` holds the statement."""
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [node.module])])


def _home(package: str, name: str) -> str:
    """The module that ``from package import name`` reads: a submodule, or where it is re-exported.

    >>> _home("ordbench", "Recipe"), _home("ordbench.nn", "losses")
    ('ordbench.recipe', 'ordbench.nn.losses')
    """
    file = _file(package)
    if file is None or file.name != "__init__.py":
        return package
    for node in ast.walk(_tree(file)):  # a lazy package says under TYPE_CHECKING what it exports
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    source = _absolute(node, package)
                    return package if source == package else _home(source, alias.name)
    submodule = f"{package}.{name}"
    return submodule if _file(submodule) else package
