"""The leaderboards in the repository say what the records beside them say."""

from pathlib import Path

from ordbench.report.publish import read_settings, render_embedded, render_page
from ordbench.results.archive import read_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.rows import without_paths

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "results" / "demo"


def test_the_demo_shows_what_its_records_say() -> None:
    records = [*read_archive(DEMO / ARCHIVE)]
    page, readme = DEMO / "README.md", ROOT / "README.md"
    settings = read_settings(page.read_text("utf-8"))
    assert page.read_text("utf-8") == render_page(records, settings)
    assert readme.read_text("utf-8") == render_embedded(readme, "demo", records, settings)


def test_the_records_of_the_demo_are_done_and_hold_no_path() -> None:
    records = [*read_archive(DEMO / ARCHIVE)]
    assert {record.status for record in records} == {"done"}
    assert not [record for record in records if record.spec != without_paths(record.spec)]
