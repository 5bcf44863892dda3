"""The leaderboards in the repository say what the records beside them say."""

from pathlib import Path

import pytest

from ordbench.report.publish import read_settings, render_embedded, render_page
from ordbench.results.archive import read_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.rows import without_paths

ROOT = Path(__file__).parent.parent
PUBLISHED = sorted(page.parent for page in (ROOT / "results").glob("*/README.md"))


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_a_page_shows_what_its_records_say(folder: Path) -> None:
    records, page = [*read_archive(folder / ARCHIVE)], folder / "README.md"
    settings = read_settings(page.read_text("utf-8"))
    assert page.read_text("utf-8") == render_page(records, settings)
    assert {record.status for record in records} == {"done"}
    assert not [record for record in records if record.spec != without_paths(record.spec)]


def test_the_readme_shows_what_the_records_of_the_demo_say() -> None:
    folder, readme = ROOT / "results" / "demo", ROOT / "README.md"
    records = [*read_archive(folder / ARCHIVE)]
    settings = read_settings((folder / "README.md").read_text("utf-8"))
    assert readme.read_text("utf-8") == render_embedded(readme, "demo", records, settings)
