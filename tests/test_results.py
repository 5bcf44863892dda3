"""The leaderboards in the repository say what the records beside them say."""

from pathlib import Path

import matplotlib
import pytest

from ordbench.plots import load_tables, plot_curves, save
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


def test_the_curve_of_the_demo_is_drawn_from_its_records(tmp_path: Path) -> None:
    drawn, shown = tmp_path / "curve.svg", ROOT / "results" / "demo" / "curve.svg"
    if f"Matplotlib v{matplotlib.__version__}," not in shown.read_text("utf-8"):
        pytest.skip("it was drawn by another version of matplotlib")
    first, *_ = plot_curves(load_tables(ROOT / "results" / "demo", interval=True))
    figure = first.get_figure(root=True)
    assert figure is not None
    save(figure, drawn)
    assert drawn.read_bytes() == shown.read_bytes()
