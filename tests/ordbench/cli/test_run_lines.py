import pytest

from ordbench.cli.run_lines import details, line, rejections, skips
from ordbench.cli.run_names import RunNames
from ordbench.dataset import SkippedFile
from ordbench.errors import SpecError
from ordbench.runs.record import Record
from ordbench.sweeps.cells import cells
from ordbench.sweeps.survey import RefusedCell
from tests.ordbench.conftest import done


def names(*records: Record) -> RunNames:
    return RunNames([record.spec for record in records])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"metrics": {"argmax": {"mae": 3.0}, "median": {"mae": 0.25}}},
            "coral, seed 0: MAE 0.25 years (median)",
        ),
        ({"metrics": {"point": {"mae": 0.5}}}, "coral, seed 0: MAE 0.50 years (point)"),
        (
            {"status": "failed", "metrics": {}, "error": "the loss is nan"},
            "coral, seed 0: failed: the loss is nan",
        ),
    ],
)
def test_a_line_has_one_score_and_its_decode(changes: dict[str, object], said: str) -> None:
    record = done(0, **changes)
    assert line(record, names(record), done_before=False) == said
    assert line(record, names(record), done_before=True) == said.replace(":", " [already done]:", 1)


def test_details_are_steps_validation_time_and_the_run() -> None:
    record = done(0, seconds={"fit": 1.0, "test": 0.25})
    assert details(record) == f"    step 5 of 10, val MAE 0.50, 1.2 s, run {record.run_id}"
    failed = done(0, status="failed", error="the loss is nan", metrics={}, training=None)
    assert details(failed) == f"    run {failed.run_id}"


def test_cells_that_are_skipped_for_one_reason_are_one_line() -> None:
    specs = [done(0).spec.model_copy(update={"shots": shots}) for shots in (1, 2, 3)]
    skipped = [RefusedCell(cell, SpecError("too few images")) for cell in cells(specs)]
    found = RunNames(specs)
    assert skips(skipped[:1], found) == ["skipped: coral, 1 shot: too few images"]
    assert skips(skipped[:2], found) == ["skipped: coral, 1 shot and 1 more cell: too few images"]
    assert skips(skipped, found) == ["skipped: coral, 1 shot and 2 more cells: too few images"]


def test_files_left_out_are_counted_and_ten_of_them_named() -> None:
    files = [SkippedFile(f"{n}.png", "empty") for n in range(12)]
    assert rejections("csv", files[:1]) == "csv: 1 file left out: 0.png (empty)"
    assert rejections("csv", files).endswith("9.png (empty); and 2 more, see a record")
