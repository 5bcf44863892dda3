from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ordbench.data import tables
from ordbench.data.tables import TableImage, holds_images, read_columns, schema_of
from ordbench.errors import DatasetError

CELLS = [f"image {n}".encode() * 50 for n in range(500)]


def written(file: Path, cells: list[Any] = CELLS, rows_a_group: int = 7) -> Path:
    table = pa.table({"number": range(len(cells)), "image": cells})
    if file.suffix == ".parquet":
        pq.write_table(table, file, row_group_size=rows_a_group)
        return file
    new = pa.ipc.new_file if file.stem == "file" else pa.ipc.new_stream
    with new(str(file), table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_a_group)
    return file


@pytest.mark.parametrize("name", ["x.parquet", "stream.arrow", "file.arrow"])
def test_many_threads_read_the_rows_of_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(tables, "KEPT_BYTES", 10_000)  # groups are forgotten all the time
    file = written(tmp_path / name)
    images = [TableImage(file, "image", row) for row in range(len(CELLS))]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(TableImage.read, images)) == CELLS
    assert pickle.loads(pickle.dumps(images[3])) == images[3]
    assert str(images[3]) == f"{file}/image[3]"
    assert read_columns(file, ["number"]).column("number").to_pylist() == [*range(500)]
    assert schema_of(file).names == ["number", "image"]


def test_structs_are_read_by_their_bytes_and_a_path_alone_is_refused(tmp_path: Path) -> None:
    cells = [{"bytes": b"x", "path": "a.png"}, {"bytes": None, "path": "/etc/passwd"}]
    file = written(tmp_path / "x.parquet", cells)
    assert holds_images(schema_of(file).field("image").type)
    assert not holds_images(schema_of(file).field("number").type)
    assert TableImage(file, "image", 0).read() == b"x"
    with pytest.raises(DatasetError, match=r"x\.parquet/image\[1\] holds no bytes of an image"):
        TableImage(file, "image", 1).read()


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow"])
def test_what_is_missing_or_broken_is_named(tmp_path: Path, name: str) -> None:
    image = TableImage(tmp_path / name, "image", 2)
    with pytest.raises(DatasetError, match=r"x\.\w+/image\[2\] is not there"):
        image.read()
    written(tmp_path / name, CELLS[:2])
    for place in (image, TableImage(tmp_path / name, "picture", 0)):
        with pytest.raises(DatasetError, match=r"x\.\w+/\w+\[\d\] cannot be read: "):
            place.read()
    with pytest.raises(DatasetError, match="has no column 'picture', as the files beside it"):
        read_columns(tmp_path / name, ["picture"])
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match="cannot be read: "):
        schema_of(tmp_path / name)


def test_a_file_that_is_replaced_is_read_again(tmp_path: Path) -> None:
    file = written(tmp_path / "x.parquet")
    assert TableImage(file, "image", 1).read() == CELLS[1]
    file.unlink()
    written(file, CELLS[::-1][:9])
    assert TableImage(file, "image", 1).read() == CELLS[-2]


def test_a_row_group_that_is_too_large_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "x.parquet")
    monkeypatch.setattr(tables, "MAX_GROUP_BYTES", 100)
    with pytest.raises(DatasetError, match=r"image\[0\] cannot be read: .* row_group_size=100"):
        TableImage(file, "image", 0).read()
