"""`ordbench show run`: what is printed of imagined runs, in one process."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ordbench.cli.main import app
from ordbench.dataset import SkippedFile
from ordbench.errors import SpecError, StoreError
from ordbench.results.archive import write_archive
from ordbench.results.store import Store
from ordbench.runs.predictions import Predictions
from ordbench.runs.record import SplitFacts, TaskFacts, TrainingFacts, Tried
from tests.ordbench.conftest import done, failed

AGES = tuple(float(age) for age in range(1, 31))
TASK = TaskFacts(title="Faces", num_ranks=30, unit="years", rank_values=AGES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Runs with a posterior (0), with point estimates (1), without predictions (2), failed (3)."""
    store = Store(tmp_path)
    ranks = np.repeat(np.arange(30), 4)
    names = [f"{number:03}.png" for number in range(120)]
    posterior = np.full((120, 30), 0.45 / 29, np.float32)
    posterior[np.arange(120), np.minimum(ranks + 2, 29)] = 0.55
    tried = tuple(Tried(changed={"learning_rate": 10.0**-n}, val_mae=4.0 + n) for n in range(12))
    tuned = TrainingFacts(
        steps=10, best_step=5, val_mae=4.0, parameters=6, tried=tried, chosen=tried[0].changed
    )
    split = SplitFacts(
        hash="aa",
        train=8,
        val=4,
        test=120,
        notes=("two sources",),
        rejected=(SkippedFile("x.gif", "torn"),),
    )
    store.write(
        done(0, task=TASK, training=tuned, split=split),
        Predictions(samples=names, ranks=ranks, posterior=posterior),
    )
    estimates = np.asarray(AGES)[ranks] + 1
    points = Predictions(samples=names, ranks=ranks, estimates={"point": estimates})
    store.write(done(1, task=TASK, metrics={"point": {"mae": 1.0}}), points)
    store.write(done(2, task=TASK, baseline={"mae": 3.5}))
    store.write(failed(3), trace="Traceback: line 1\n")
    return tmp_path


def ids() -> list[str]:
    return [*(done(seed).run_id for seed in range(3)), failed(3).run_id]


def shown(folder: Path, *arguments: str) -> str:
    call = CliRunner().invoke(app, ["show", "run", *arguments, "--results", str(folder)])
    assert call.exit_code == 0, call.output
    return call.output


def test_a_run_is_shown_with_its_facts_scores_and_errors_in_groups_of_ranks(folder: Path) -> None:
    text = shown(folder, ids()[0][:8])
    assert text.startswith(f"run       {ids()[0]}\nstatus    done\n")
    assert "\nimages    8 train, 4 validation, 120 test\n" in text
    assert "\nleft out  x.gif (torn)\nnotes     two sources\n" in text
    assert "\ntraining  step 5 of 10; val MAE 4 years; 6 parameters\n" in text
    assert "tuning: 12 candidates, best on validation first" in text
    assert "\nand 2 more, see --json\nchosen: learning_rate=1.0\n" in text
    assert "(median, years; 30 ranks in 10 groups, see --json)" in text
    # Estimates are two years too high, so of three ages two fall into the next group.
    lines = [line.split() for line in text.splitlines()]
    assert ["1..3", "4", "8", *["0"] * 8] in lines
    assert ["1..3", "12", "+2.000", "2.000"] in lines
    # All images have probability 0.55 of a wrong rank, but for the four of the last age.
    assert "ECE 0.517" in text
    assert ["0.53..0.60", "120", "0.550", "0.033"] in lines
    assert ["000.png", "1", "3.000", "+2.000"] in lines


def test_a_point_head_has_no_reliability_and_the_number_of_images_is_asked_for(
    folder: Path,
) -> None:
    text = shown(folder, ids()[1], "--worst", "1")
    assert "reliability" not in text
    assert text.endswith("true  estimate   error\n000.png     1     2.000  +1.000\n")


def test_a_run_without_predictions_says_so_and_shows_its_scores(folder: Path) -> None:
    text = " ".join(shown(folder, ids()[2]).split())
    assert "median baseline mae 0.250 3.500" in text
    assert "no error analysis: run " in text
    assert "holds no predictions" in text


def test_a_failed_run_is_shown_with_its_error_and_where_its_traceback_is(folder: Path) -> None:
    text = shown(folder, ids()[3])
    assert "\nerror      out of memory\n" in text
    assert f"{ids()[3]}.trace" in text
    assert Path(json.loads(shown(folder, ids()[3], "--json"))["trace"]).read_text()


def test_json_holds_the_record_and_every_rank(folder: Path) -> None:
    found = json.loads(shown(folder, ids()[0], "--json", "--worst", "2"))
    assert found["record"]["run_id"] == ids()[0]
    analysis = found["analysis"]
    assert [len(row) for row in analysis["confusion"]] == [30] * 30
    assert analysis["errors_by_rank"][28] == {
        "low": 29.0, "high": 29.0, "images": 4, "bias": 1.0, "mae": 1.0
    }  # fmt: skip
    assert len(analysis["worst"]) == 2
    assert json.loads(shown(folder, ids()[2], "--json"))["analysis"] is None


def test_a_run_of_an_archive_is_shown_without_errors(folder: Path) -> None:
    archive = folder / "all.jsonl.gz"
    write_archive(Store(folder).records(), archive)
    assert "an archive, which holds no predictions" in " ".join(shown(archive, ids()[0]).split())


def test_a_run_of_a_dataset_that_is_not_installed_is_shown(folder: Path) -> None:
    spec = done(0).spec.model_copy(update={"dataset": "moons", "dataset_argument": "new"})
    Store(folder).write(done(9, spec=spec))
    assert "\ndataset   moons:new\n" in shown(folder, done(9).run_id)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "zz"], "'zz' is not a run id"),
        (["run", "ab", "--results", "nowhere"], "no records in nowhere"),
        (["head", "coral", "--worst", "3"], "are of show run, not of show head"),
    ],
)
def test_what_cannot_be_shown_is_one_line(arguments: list[str], message: str) -> None:
    call = CliRunner().invoke(app, ["show", *arguments])
    assert isinstance(call.exception, SpecError | StoreError)
    assert message in str(call.exception)


def test_no_torch_is_loaded(folder: Path) -> None:
    program = (
        "import sys, ordbench.cli.main as m;"
        f"sys.argv = ['ordbench', 'show', 'run', '{ids()[0]}', '--results', {str(folder)!r}];"
        "m.main(); print('torch' in sys.modules)"
    )
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert got.stdout.endswith("\nFalse\n"), got.stderr
