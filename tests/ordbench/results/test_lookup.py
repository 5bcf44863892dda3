import math
from pathlib import Path

import pytest

from ordbench.errors import SpecError, StoreError
from ordbench.results.archive import write_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.lookup import best_run, find_run, newest_run
from ordbench.results.store import Store
from ordbench.runs.record import Record, TrainingFacts
from ordbench.runs.spec import RunSpec
from tests.ordbench.conftest import done, failed

IDS = [first + "0" * 19 for first in ("a", "b")] + ["ab" + "0" * 18, "ab1" + "0" * 17]


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """Runs with the ids a00..., b00..., ab0... and ab1...; the third was made last."""
    store = Store(tmp_path / "results")
    for number, run_id in enumerate(IDS):
        created = f"2026-01-0{9 if number == 2 else number + 1}T00:00:00+00:00"
        spec = done().spec.model_copy(update={"dataset": "drawn-faces"})
        store.write(done(number, run_id=run_id, created=created, spec=spec))
    return store.root


@pytest.fixture(params=["store", "archive"])
def results(request: pytest.FixtureRequest, four: Path) -> Path:
    """The four runs as a store, and as an archive."""
    if request.param == "store":
        return four
    archive = four.parent / "published" / ARCHIVE
    write_archive(Store(four).records(), archive)
    return archive.parent


@pytest.mark.parametrize(
    ("name", "number"), [("b", 1), ("ab1", 3), ("AB1", 3), (f" {IDS[0]} ", 0), (IDS[2], 2)]
)
def test_the_first_digits_are_enough(results: Path, name: str, number: int) -> None:
    assert find_run(results, name).run_id == IDS[number]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ab", f"^2 runs begin with ab: {IDS[2]} .coral on drawn-faces, .*{IDS[3]} .*more digits"),
        ("c", "^no run c in .*; `ordbench ls runs`"),
        ("", "^'' is not a run id; wanted up to 20"),
        ("latest", "^'latest' is not a run id"),
        ("a" * 21, "is not a run id"),
        ("../a", r"^'\.\./a' is not a run id"),
    ],
)
def test_other_names_are_refused_in_one_line(results: Path, name: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as refused:
        find_run(results, name)
    assert "\n" not in str(refused.value)


def test_of_many_runs_a_few_are_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(5):
        spec = done().spec.model_copy(update={"dataset": "drawn-faces"})
        store.write(done(number, run_id=f"a{number}" + "0" * 18, spec=spec))
    with pytest.raises(StoreError, match=r"^5 runs begin with a: .*a2.*; and 2 more; give") as said:
        find_run(tmp_path, "a")
    assert "a3000" not in str(said.value)


def test_the_newest_is_the_last_that_was_made(results: Path) -> None:
    assert newest_run(results).run_id == IDS[2]


def test_failed_runs_are_found(tmp_path: Path) -> None:
    run_id = Store(tmp_path).write(failed()).run_id
    assert find_run(tmp_path, run_id[:6]).status == newest_run(tmp_path).status == "failed"


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    for look in (lambda: find_run(tmp_path, "a"), lambda: newest_run(tmp_path)):
        with pytest.raises(StoreError, match=f"^no records in {tmp_path}"):
            look()


def test_a_damaged_record_is_named(four: Path) -> None:
    path = four / "runs" / "b0" / f"{IDS[1]}.json"
    path.write_bytes(path.read_bytes()[:80])
    with pytest.raises(StoreError, match=f"^{path} is not a record: "):
        find_run(four, "b")


def validated(
    number: int, val_mae: float, dataset: str = "drawn-faces", **changes: object
) -> Record:
    training = TrainingFacts(steps=1, best_step=1, val_mae=val_mae, parameters=1)
    spec = RunSpec(head="coral", dataset=dataset)
    fields = {"training": training, "spec": spec, "metrics": {"median": {"mae": 9 - val_mae}}}
    return done(number, **(fields | changes))


@pytest.fixture
def several(tmp_path: Path) -> Path:
    store = Store(tmp_path)
    store.write(validated(0, 3.0))
    store.write(validated(1, 2.0))
    store.write(validated(2, 1.0, ranked=False))
    store.write(validated(3, math.nan))
    store.write(validated(4, 2.5, "drawn-fruit"))
    store.write(failed(5))
    return tmp_path


def test_the_best_run_is_best_on_validation_and_ranked(several: Path) -> None:
    assert best_run(several, "drawn-faces").run_id == validated(1, 2.0).run_id
    assert best_run(several, "drawn-fruit").run_id == validated(4, 2.5).run_id


@pytest.mark.parametrize(
    ("dataset", "error", "said"),
    [
        ("", SpecError, "choose one, --dataset drawn-faces; there are: drawn-faces, drawn-fruit$"),
        ("utkface", StoreError, "^no run on utkface in .*; there are: drawn-faces, drawn-fruit$"),
    ],
)
def test_the_best_run_is_that_of_one_dataset(
    several: Path, dataset: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        best_run(several, dataset)


def test_a_dataset_to_choose_is_quoted_as_a_shell_needs_it(tmp_path: Path) -> None:
    for number, dataset in enumerate(("csv:a.csv:bins=20;40", "drawn-faces")):
        Store(tmp_path).write(validated(number, 1.0, spec=RunSpec(head="coral", dataset=dataset)))
    with pytest.raises(SpecError, match=r"choose one, --dataset 'csv:a.csv:bins=20;40'; there"):
        best_run(tmp_path)


def test_options_of_a_dataset_make_another_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number, dataset in enumerate(("drawn-faces", "drawn-faces:per_rank=5")):
        spec = RunSpec(head="coral", dataset=dataset)
        store.write(validated(number, 1.0 + number, spec=spec))
    with pytest.raises(SpecError, match="there are: drawn-faces, drawn-faces:per_rank=5"):
        best_run(tmp_path, "drawn-faces")
    assert best_run(tmp_path, "drawn-faces:per_rank=5").run_id == validated(1, 2.0).run_id


def test_there_is_no_best_run_of_failures(tmp_path: Path) -> None:
    Store(tmp_path).write(failed())
    with pytest.raises(StoreError, match=r"^no run that is done and ranked in .*; there are: none"):
        best_run(tmp_path)
