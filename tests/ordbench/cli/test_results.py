import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ordbench.cli.results import results_app
from ordbench.errors import StoreError
from ordbench.results.archive import read_archive, write_archive
from ordbench.results.layout import ARCHIVE, record_path
from ordbench.results.store import Store
from ordbench.utils.canonical_json import run_id
from tests.ordbench.conftest import PREDICTIONS, done

SCORES = {"median": {"mae": 0.25}, "argmax": {"accuracy": 0.5}, "posterior": {"rps": 0.75}}


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(results_app, [*map(str, arguments)])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "ours")
    for seed in range(2):
        store.write(done(seed, metrics=SCORES), PREDICTIONS)
    return store


def test_verify_says_that_nothing_is_wrong(store: Store) -> None:
    result = call("verify", store.root)
    assert (result.exit_code, result.output) == (0, "2 records, no fault\n")


def test_verify_says_what_is_wrong_a_line_each_and_fails(store: Store) -> None:
    path = record_path(store.root, run_id({"seed": 0}))
    path.write_bytes(path.read_bytes()[:50])
    path.with_name("notes.json").write_text("")
    result = call("verify", store.root)
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in sorted(result.output.splitlines())] == [
        "foreign",
        "torn",
    ]


def test_verify_merge_and_diff_print_one_json_object_with_the_same_exit_code(
    store: Store, tmp_path: Path
) -> None:
    whole = call("verify", store.root, "--json")
    assert (whole.exit_code, json.loads(whole.stdout)) == (0, {"records": 2, "findings": []})
    other = Store(tmp_path / "other")
    other.write(done(0, metrics=SCORES | {"median": {"mae": 0.5}}), PREDICTIONS)
    other.write(done(2, metrics=SCORES), PREDICTIONS)
    ids = [run_id({"seed": seed}) for seed in range(3)]
    compared = call("diff", store.root, other.root, "--json")
    assert compared.exit_code == 1
    change = {"name": "mae_median", "first": 0.25, "second": 0.5}
    assert json.loads(compared.stdout) == {
        "only_in_first": [ids[1]],
        "only_in_second": [ids[2]],
        "changed": [{"run_id": ids[0], "head": "coral", "changes": [change]}],
        "same": [],
    }
    merged = call("merge", store.root, other.root, "--json")
    assert merged.exit_code == 1
    found = json.loads(merged.stdout)
    assert found["counts"] == {"copied": 1, "already present": 0, "conflict": 1, "left out": 0}
    (problem,) = found["problems"]
    assert problem["where"] == str(record_path(other.root, ids[0]))
    record_path(store.root, ids[1]).write_text("{")
    torn = call("verify", "--results", store.root, "--json")
    assert torn.exit_code == 1
    assert [one["kind"] for one in json.loads(torn.stdout)["findings"]] == ["torn"]


def test_compact_writes_one_file(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "all.jsonl.gz"
    result = call("compact", store.root, out)
    assert (result.exit_code, result.output) == (0, f"{out}: 2 records\n")
    assert [*read_archive(out)] == [*store.records()]


def test_no_compact_file_is_written_where_it_would_hide_runs(store: Store) -> None:
    for arguments in (
        ("compact", store.root, store.root / ARCHIVE),
        ("publish", store.root, store.root, "--title", "One head"),
    ):
        result = call(*arguments)
        assert isinstance(result.exception, StoreError)
        assert str(result.exception).endswith("; choose another folder")
    assert [path.name for path in store.root.iterdir()] == ["runs"]
    assert call("compact", store.root, store.root / "all.jsonl.gz").exit_code == 0


def test_merge_counts_what_became_of_the_runs_and_fails_if_some_were_not_taken(
    store: Store, tmp_path: Path
) -> None:
    for name, maes in {"b": {1: 0.25, 2: 0.25}, "c": {0: 0.5, 3: 0.25}}.items():
        for seed, mae in maes.items():
            metrics = SCORES | {"median": {"mae": mae}}
            Store(tmp_path / name).write(done(seed, metrics=metrics), PREDICTIONS)
    result = call("merge", store.root, tmp_path / "b")
    assert (result.exit_code, result.output) == (
        0,
        f"{store.root}: 1 copied, 1 already present, 0 conflict, 0 left out\n",
    )
    result = call("merge", store.root, tmp_path / "b", tmp_path / "c")
    assert result.exit_code == 1
    conflict, last = result.output.splitlines()
    assert conflict.startswith("conflict: ")
    assert last == f"{store.root}: 1 copied, 2 already present, 1 conflict, 0 left out"


def test_diff_is_silent_but_for_its_counts_where_nothing_differs(
    store: Store, tmp_path: Path
) -> None:
    compact = tmp_path / ARCHIVE
    write_archive(store.records(), compact)
    result = call("diff", store.root, compact)
    assert result.exit_code == 0
    only = f"0 only in {store.root}, 0 only in {compact}"
    assert result.output == f"coral: {only}, 0 differ, 2 same\n"


def test_diff_fails_where_something_differs_beyond_the_tolerance(
    store: Store, tmp_path: Path
) -> None:
    other = Store(tmp_path / "other")
    other.write(done(0, metrics=SCORES | {"median": {"mae": 0.5}}))
    other.write(done(1, metrics=SCORES))
    result = call("diff", store.root, other.root)
    assert result.exit_code == 1
    assert "mae_median 0.25 and 0.5" in result.output
    assert call("diff", store.root, other.root, "--tolerance", "0.25").exit_code == 0


def test_publish_writes_a_folder_and_the_table_of_a_document(store: Store, tmp_path: Path) -> None:
    out, document = tmp_path / "demo", tmp_path / "README.md"
    document.write_text("<!-- demo -->\n<!-- /demo -->\n")
    said = ("--title", "One head", "--command", "ordbench run", "--command", "ordbench table")
    result = call("publish", store.root, out, *said, "--readme", document, "--mark", "demo")
    assert result.exit_code == 0, result.output
    assert "| `coral` |" in document.read_text()
    assert "$ ordbench run\n$ ordbench table\n" in (out / "README.md").read_text()
    assert gzip.decompress((out / ARCHIVE).read_bytes()).count(b"\n") == 2


def test_what_a_user_can_mend_is_an_error_of_ours(tmp_path: Path) -> None:
    result = call("verify", tmp_path)
    assert isinstance(result.exception, StoreError)
