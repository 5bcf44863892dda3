from pathlib import Path

import pytest

from ordbench.errors import StoreError
from ordbench.results.layout import ARCHIVE, archive_path, record_path, stamps

ID = "ab" + "0" * 18


def put(path: Path, content: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    path = put(record_path(tmp_path, ID))
    first = stamps(tmp_path)[ID]
    assert stamps(tmp_path) == {ID: first}
    path.write_text("{ }")
    second = stamps(tmp_path)[ID]
    put(path.with_name("new"), "{ }").replace(path)
    assert len({first, second, stamps(tmp_path)[ID]}) == 3


def test_only_files_with_the_name_of_a_run_in_its_folder_are_records(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(record_path(tmp_path, ID))
    silent = [f"ab/{ID}.parquet", f"ab/{ID}.trace", f"ab/.{ID}.json.1-aa.tmp", "ab/._x.json"]
    named = [f"cd/{ID}.json", f"a/{ID}.json", "ab/notes.json", f"ab/{ID} (1).json"]
    named += [f"ab/{ID[:-1]}G.json", f"ab/{ID}0.json", f"ab/{ID[:-1]}.json"]
    for name in [*silent, *named, "loose.txt"]:
        put(tmp_path / "runs" / name)
    assert list(stamps(tmp_path)) == [ID]
    for name in named:
        path = tmp_path / "runs" / name
        assert f"{path} is left out: its name is not that of a run" in caplog.messages
    assert len(caplog.messages) == len(named)


def test_a_link_to_nothing_is_not_there(tmp_path: Path) -> None:
    path = record_path(tmp_path, ID)
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "nowhere")
    assert stamps(tmp_path) == {}


def test_no_folder_is_no_records_and_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    assert stamps(tmp_path) == {}
    put(tmp_path / "runs")
    with pytest.raises(StoreError, match=f"cannot read {tmp_path / 'runs'}: Not a directory"):
        stamps(tmp_path)


def test_a_compact_file_is_found_by_itself_or_by_its_folder(tmp_path: Path) -> None:
    assert archive_path(tmp_path) is None
    path = put(tmp_path / ARCHIVE)
    assert archive_path(tmp_path) == archive_path(path) == path
