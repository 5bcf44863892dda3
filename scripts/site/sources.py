"""Files of the repository as pages, so that a link to a test works without a network."""

from __future__ import annotations

import re
from pathlib import Path

FRONT = "---\nsearch:\n  exclude: true\n---\n\n"


def source_page(root: Path, path: str) -> tuple[str, str]:
    """The address and the text of a page that shows a Python file."""
    code = (root / path).read_text("utf-8")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return page_of(path), f"{FRONT}# {path}\n\n{fence}python\n{code}{fence}\n"


def page_of(path: str) -> str:
    """Where the page of a file is."""
    return f"source/{path.removesuffix('.py')}.md"


def tests_of(root: Path, module: str, folder: str) -> list[str]:
    """The tests that import a module, else those that walk all of its kind."""
    word = re.compile(rf"\b{re.escape(module)}\b")
    found = [
        path.relative_to(root).as_posix()
        for path in sorted((root / "tests" / folder).glob("test_*.py"))
        if word.search(path.read_text("utf-8"))
    ]
    return found or [f"tests/{folder}/test_contract.py"]
