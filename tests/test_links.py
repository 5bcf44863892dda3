"""Links of the pages in this repository lead to files that are in it, for others too."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


def tracked() -> list[str]:
    """What a clone has."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no clone of the repository")
    return listed.stdout.splitlines()


def test_links_lead_to_files_that_a_clone_has() -> None:
    files = tracked()
    # mkdocs checks those of docs/, some of which are made when it is built.
    pages = [ROOT / name for name in files if re.fullmatch(r"(?!docs/).*\.md", name)]
    links = {
        (page.relative_to(ROOT).as_posix(), (page.parent / link).resolve())
        for page in pages
        for link in LINK.findall(page.read_text("utf-8"))
    }
    there = {(ROOT / name).resolve() for name in files}
    folders = {folder for file in there for folder in file.parents}
    assert len(pages) > 3
    assert len(links) > 3
    assert sorted((page, str(to)) for page, to in links if to not in there | folders) == []
