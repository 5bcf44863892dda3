import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from ordbench.errors import StoreError
from ordbench.results.archive import read_archive, write_archive
from ordbench.results.layout import ARCHIVE
from ordbench.runs.record import Record
from ordbench.runs.spec import RunSpec
from ordbench.utils.canonical_json import run_id


def record(seed: int) -> Record:
    return Record(
        run_id=run_id({"seed": seed}),
        status="failed",
        label="coral",
        spec=RunSpec(head="coral", dataset="fgnet", data_seed=seed),
        error="out of memory",
        created="2026-11-22T00:00:00+00:00",
    )


def test_a_compact_file_holds_the_records_by_run_id(tmp_path: Path) -> None:
    records = [record(seed) for seed in range(9)]
    write_archive(records, tmp_path / ARCHIVE)
    assert [*read_archive(tmp_path / ARCHIVE)] == sorted(records, key=lambda r: r.run_id)


def test_the_bytes_depend_on_the_records_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "one.jsonl.gz", tmp_path / "other.jsonl.gz"
    assert write_archive([record(0), record(1)], one) == 2
    assert write_archive([record(1), record(0), record(1)], other) == 2
    assert one.read_bytes() == other.read_bytes()
    header = one.read_bytes()[:10]
    assert header[3] == 0, "flags: no file name"
    assert header[4:8] == b"\0\0\0\0", "modification time"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content[:-20], "line [123]: "),
        (lambda content: content[:20] + b"\xff\xff\xff" + content[23:], "line [123]: "),
        (lambda content: b"{}", "line 1: it is damaged or not whole: Not a gz"),
        (lambda content: gzip.compress(b"{}\n"), "line 1: it has no checksum"),
        (
            lambda content: gzip.compress(gzip.decompress(content).replace(b"memory", b"luck")),
            "line 1: checksum mismatch",
        ),
        (lambda content: gzip.compress(gzip.decompress(content) + b"{"), "line 4: Invalid JSON"),
        (lambda content: content + content, "line 4: run [0-9a-f]+ is also in an earlier line"),
    ],
    ids=["cut", "damaged", "not gzip", "no record", "edited", "torn line", "twice"],
)
def test_a_damaged_file_is_refused_by_name_and_line(
    tmp_path: Path, damage: Callable[[bytes], bytes], words: str
) -> None:
    path = tmp_path / ARCHIVE
    write_archive([record(seed) for seed in range(3)], path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StoreError, match=f"{ARCHIVE} {words}") as caught:
        list(read_archive(path))
    assert "\n" not in str(caught.value)


def test_no_file_of_another_kind_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text("mine")
    with pytest.raises(StoreError, match=r"notes\.json: wanted a name that ends in \.jsonl\.gz; "):
        write_archive([record(0)], path)
    assert path.read_text() == "mine"
