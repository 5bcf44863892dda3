"""A page for each public module, whose names mkdocstrings reads from the code."""

from __future__ import annotations

import ast
from pathlib import Path

# What is on the page of a module; None for what its ``__init__.py`` offers.
MODULES = {
    "ordbench": None,
    "ordbench.nn": None,
    "ordbench.prompts": None,
    "ordbench.plots": None,
    "ordbench.testing": ("heads", "datasets", "backbones"),
    "ordbench.sklearn": ("OrdinalHeadClassifier",),
}
INTRODUCTION = "Look up a public name here. It does not change without notice; other modules may."


def navigation() -> list[str | dict[str, str]]:
    """A page a module."""
    return [{name: f"python/{name}.md"} for name in MODULES]


def pages(root: Path) -> dict[str, str]:
    """All pages by their path."""
    return {
        f"python/{module}.md": _page(module, names or offered(root, module))
        for module, names in MODULES.items()
    }


def offered(root: Path, module: str) -> list[str]:
    """The names that a module imports as themselves, which makes them public."""
    text = (root / module.replace(".", "/") / "__init__.py").read_text("utf-8")
    imported = [one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.ImportFrom)]
    names = [alias for one in imported for alias in one.names]
    return sorted(alias.name for alias in names if alias.asname == alias.name)


def _page(module: str, names: list[str] | tuple[str, ...]) -> str:
    shown = "\n\n".join(f"::: {module}.{name}" for name in names)
    return f"# {module}\n\n{INTRODUCTION}\n\n{shown}\n"
