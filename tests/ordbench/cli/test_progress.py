"""What is said of a sweep, and what of it at the end, once for all runs."""

import json

import pytest

from ordbench.cli.progress import Output, Report
from ordbench.dataset import SkippedFile
from ordbench.errors import SpecError
from ordbench.runs.record import Record, SplitFacts
from ordbench.runs.runner import RunResult
from ordbench.runs.spec import RunSpec
from ordbench.sweeps.cells import cells
from ordbench.sweeps.survey import RefusedCell
from tests.ordbench.conftest import done


def of_fold(fold: int, *notes: str) -> Record:
    return done(
        fold,
        spec=RunSpec(head="coral", dataset="fgnet", fold=fold),
        split=SplitFacts(hash="aa", train=8, val=4, test=2, notes=notes),
    )


@pytest.mark.parametrize(
    ("folds", "said"),
    [
        ([0], "fgnet: 1 rank is empty"),
        ([3], "fgnet, fold 3: 1 rank is empty"),
        ([2, 0], "fgnet, fold 0, 2: 1 rank is empty"),
    ],
)
def test_a_note_is_said_once_with_its_folds(
    folds: list[int], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [*(of_fold(fold, "1 rank is empty") for fold in folds), of_fold(5)]
    with Report([record.spec for record in records]) as report:
        for record in records:
            report.on_result(RunResult(record))
    *_, note, total = capsys.readouterr().out.splitlines()
    assert note == said
    assert total == f"{len(folds) + 1} trained, 0 already done"


def said(output: Output, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is printed of a sweep with a run that is done, one that failed and one skipped."""
    split = SplitFacts(
        hash="aa",
        train=8,
        val=4,
        test=2,
        notes=("a note",),
        rejected=(SkippedFile("a.png", "empty"),),
    )
    good = done(0, split=split)
    bad = done(1, status="failed", error="the loss is nan", metrics={})
    far = good.spec.model_copy(update={"shots": 9})
    with Report([good.spec, bad.spec, far], output) as report:
        report.on_result(RunResult(good))
        report.on_result(RunResult(bad))
        (cell,) = cells([far])
        report.on_skip(RefusedCell(cell, SpecError("too few images")))
    return capsys.readouterr().out.splitlines()


PROBLEM = "coral, all images, data seed 1, train seed 0: failed: the loss is nan"
END = [
    "fgnet: 1 file left out: a.png (empty)",
    "fgnet: a note",
    "skipped: coral, 9 shots: too few images",
    "1 trained, 0 already done, 1 failed, 1 cell skipped",
]


def test_without_an_option_each_run_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    first, run, *rest = said("lines", capsys)
    assert first == "3 runs: fgnet, clip:tiny"
    assert run == "coral, all images, seed 0: MAE 0.25 years (median)"
    assert rest == [PROBLEM, *END]


def test_verbose_adds_a_line_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said("verbose", capsys)
    assert lines[2].startswith("    step 5 of 10, val MAE 0.50, ")
    assert [*lines[:2], lines[3], *lines[5:]] == said("lines", capsys)


def test_quiet_is_problems_and_the_final_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert said("quiet", capsys) == [PROBLEM, END[0], *END[2:]]


def test_json_is_an_object_a_run_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    objects = [json.loads(line) for line in said("json", capsys)]
    assert [one["status"] for one in objects] == ["done", "failed", "skipped"]
