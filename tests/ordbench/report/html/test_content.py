"""What is gathered for a page: folders, filters, and what is said where something is missing."""

import shutil
from pathlib import Path

import pytest

from ordbench.errors import StoreError
from ordbench.leaderboard.query import ask
from ordbench.report.html.content import Report, ReportQuery, gather
from ordbench.report.html.page import render_page
from ordbench.results.archive import write_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.loading import read_records
from ordbench.results.store import Store
from tests.ordbench.conftest import failed
from tests.ordbench.report.html.conftest import ERRORS, SCRIPT, write_run


def test_an_archive_has_leaderboards_and_says_why_there_is_no_more(
    hostile: Path, tmp_path: Path
) -> None:
    write_archive(read_records(hostile), tmp_path / ARCHIVE)
    both = gather([tmp_path, hostile], ReportQuery(table=ask()), "Two folders")
    packed, whole = both.folders
    assert packed.unstudied.endswith(
        "is an archive, which holds no predictions; name the folder of the runs"
    )
    assert not whole.unstudied
    assert [row.label for row in packed.boards[0].rows] == [
        row.label for row in whole.boards[0].rows
    ]
    assert not packed.settings
    assert {*packed.places.values()}.isdisjoint(whole.places.values())
    page = render_page(both)
    assert page.count('<h3 class="folder">') == 8, "two folders in four sections"
    assert "Not available: " in page


def test_a_metric_that_is_no_mean_over_images_has_no_comparisons(hostile: Path) -> None:
    (folder,) = gather([hostile], ReportQuery(table=ask("qwk")), "QWK").folders
    assert folder.unstudied.startswith("metric 'qwk' is no mean over test images")
    assert folder.boards[0].table.metric.name == "qwk"
    assert "Not available: metric" in render_page(Report(title="QWK", folders=[folder]))


def test_only_what_was_asked_for_is_told(hostile: Path) -> None:
    selection = {"head": ["linear", "coral"], "shots": ["4"]}
    (folder,) = gather([hostile], ReportQuery(table=ask(), selection=selection), "Few").folders
    assert [head.name for head in folder.heads] == ["coral", "linear"]
    assert folder.origin.runs == 4
    assert folder.commands == [
        "ordbench run --head coral,linear --dataset drawn-faces --backbone clip:tiny "
        "--shots 4 --seeds 0-1"
    ]
    assert folder.boards[0].chart is None, "one column"


def test_skipped_cells_are_selected_as_runs_are(hostile: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(hostile, tmp_path / "runs"))
    done = next(iter(read_records(folder))).spec
    Store(folder).write_skip(done.model_copy(update={"head": "knn"}), "too few images")

    def heads(asked: ReportQuery) -> set[str]:
        (told,) = gather([folder], asked, "Skipped").folders
        return {row.label for board in told.boards for row in board.rows}

    assert "knn" in heads(ReportQuery(table=ask()))
    some = ReportQuery(table=ask(), selection={"head": ["linear", "coral"]})
    assert heads(some) == {"linear", "coral"}


def test_heads_and_datasets_have_their_cards(report: Report) -> None:
    (folder,) = report.folders
    sections = {head.name: head for head in folder.heads}
    assert sections.keys() == ERRORS.keys()
    linear = sections["linear"]
    assert linear.description
    assert linear.description.facts["parity"]
    assert linear.parameters == (6, 6)
    unknown = sections[SCRIPT]
    assert unknown.description is None
    assert "unknown head" in unknown.missing
    (dataset,) = folder.datasets
    assert dataset.description
    assert dataset.description.facts["licence"]
    assert [(one.shots, one.train, one.test) for one in dataset.splits] == [
        ("1 shot", "8", "30"),
        ("4 shots", "8", "30"),
    ]
    assert dataset.splits[0].hashes == ["01010101", "11111111"]
    assert dataset.notes == [SCRIPT]


def test_runs_that_failed_have_no_part_but_in_the_notes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    write_run(store, "linear", 0, 1, 1.0)
    store.write(failed(4))
    (folder,) = gather([tmp_path], ReportQuery(table=ask()), "One").folders
    assert [head.name for head in folder.heads] == ["linear"]
    assert folder.origin.runs == 1


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="record"):
        gather([tmp_path], ReportQuery(table=ask()), "None")
