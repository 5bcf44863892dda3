"""What is said at the end of a sweep, once for all runs."""

import pytest

from ordbench.cli.progress import Report
from ordbench.runs.record import Record, SplitFacts
from ordbench.runs.runner import RunResult
from ordbench.runs.spec import RunSpec
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
    with Report(total=3, as_json=False) as report:
        for fold in folds:
            report.on_result(RunResult(of_fold(fold, "1 rank is empty")))
        report.on_result(RunResult(of_fold(5)))
    *_, note, total = capsys.readouterr().out.splitlines()
    assert note == said
    assert total == f"{len(folds) + 1} trained, 0 already done"
