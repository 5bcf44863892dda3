from pathlib import Path

import pytest

from ordbench.errors import StoreError
from ordbench.results.archive import write_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.lookup import find_run, newest_run
from ordbench.results.store import Store
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
