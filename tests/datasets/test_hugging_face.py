from __future__ import annotations

import io
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ordbench.dataset import Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.splits.draw import draw
from ordbench_datasets import hugging_face
from ordbench_datasets.hugging_face import NO_TEST, HuggingFace

datasets: Any = pytest.importorskip("datasets")

Read = Callable[..., Samples]
CLASSES = ["mild", "none", "severe"]
LABELS = {"train": [1, 0, 2, 0], "validation": [2, 1], "test": [0, -1, 2]}


def picture(number: int) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (3, 2), (number, 0, 7 * number % 256)).save(buffer, "PNG")
    return buffer.getvalue()


def saved(folder: Path, columns: dict[str, list[Any]], **kinds: object) -> Path:
    """A folder of save_to_disk with an image a row."""
    count = len(next(iter(columns.values())))
    features = datasets.Features({"image": datasets.Image(), **kinds})
    rows = {"image": [{"bytes": picture(n), "path": None} for n in range(count)], **columns}
    datasets.disable_progress_bars()
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(folder))
    return folder


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One dataset three times: of save_to_disk, as Parquet, and as Parquet of two shards."""
    top = tmp_path_factory.mktemp("faces")
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=CLASSES)}
    )
    datasets.disable_progress_bars()
    splits = {
        split: datasets.Dataset.from_dict(
            {
                "image": [
                    {"bytes": picture(len(split) * n), "path": None} for n, _ in enumerate(labels)
                ],
                "label": labels,
            },
            features=features,
        )
        for split, labels in LABELS.items()
    }
    datasets.DatasetDict(splits).save_to_disk(str(top / "saved"))
    for folder, shards in (("whole", 1), ("shards", 2)):
        (top / folder / "data").mkdir(parents=True)
        for split, rows in splits.items():
            for shard in range(shards):
                name = f"data/{split}-{shard:05}-of-{shards:05}.parquet"
                part = rows.shard(shards, shard, contiguous=True)
                part.to_parquet(str(top / folder / name), batch_size=2)
    return top


@pytest.mark.parametrize("layout", ["saved", "whole", "shards"])
def test_splits_are_parts_and_images_the_bytes_that_were_stored(faces: Path, layout: str) -> None:
    listing = HuggingFace(faces, str(faces / layout), ranks="none;mild;severe").read()
    expected = [
        (f"{split}/{row}", ["none", "mild", "severe"].index(CLASSES[label]), part)
        for split, part in (("train", "train"), ("validation", "val"), ("test", "test"))
        for row, label in enumerate(LABELS[split])
        if label >= 0
    ]
    assert [(s.name, s.rank, s.part) for s in listing.samples] == expected
    assert listing.rejected == (("test/1", "no label: label is ''"),)
    for sample in listing.samples:
        split, row = sample.name.split("/")
        assert not isinstance(sample.image, Path)
        assert sample.image is not None
        assert pickle.loads(pickle.dumps(sample.image)).read() == picture(len(split) * int(row))
    whole = HuggingFace(faces, str(faces / "whole"), ranks="none;mild;severe").read()
    assert listing.fingerprint == whole.fingerprint
    split = draw(listing, dataset="hf", protocol="standard", fold=0, shots=None, data_seed=0)
    assert (split.val, split.test) == (("validation/0", "validation/1"), ("test/0", "test/2"))


def test_the_order_of_class_labels_is_not_taken_for_an_order(faces: Path) -> None:
    with pytest.raises(DatasetError, match=r"'mild', 'none', 'severe'; write hf:.*:ranks=\"LOWEST"):
        HuggingFace(faces, str(faces / "saved")).read()


def test_splits_may_be_divided_by_fold_instead(faces: Path) -> None:
    listing = HuggingFace(faces, str(faces / "saved"), ranks="none;mild;severe", part="-").read()
    assert {sample.part for sample in listing.samples} == {None}
    assert len(listing.samples) == 8


def test_validation_is_tested_where_no_test_split_has_labels(tmp_path: Path) -> None:
    for split, labels in (("train", [1, 2]), ("validation", [2, 1]), ("test", [-1, -1])):
        saved(tmp_path / "x" / split, {"age": labels}, age=datasets.ClassLabel(num_classes=3))
    (tmp_path / "x" / "dataset_dict.json").write_text('{"splits": ["train", "validation", "test"]}')
    listing = HuggingFace(tmp_path, str(tmp_path / "x")).read()
    assert [s.part for s in listing.samples] == ["train", "train", "test", "test"]
    assert NO_TEST in listing.notes
    assert len(listing.rejected) == 2


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read one split with columns of strings, whole numbers and fractions."""

    def reader(columns: dict[str, list[Any]], types: dict[str, str], **options: str) -> Samples:
        kinds = {name: datasets.Value(kind) for name, kind in types.items()}
        folder = saved(tmp_path / "one", columns, **kinds)
        return HuggingFace(tmp_path / "unused", str(folder), **options).read()

    return reader


def test_the_only_column_of_numbers_is_the_label_and_may_be_binned(read: Read) -> None:
    columns = {"score": [0.1, 7.5, None], "who": ["a", "b", "c"]}
    listing = read(columns, {"score": "float32", "who": "string"})
    assert listing.task.rank_names == ("0.1", "7.5")
    assert listing.rejected == (("train/2", "no label: score is ''"),)
    assert "read image from column image, rank from column score" in listing.notes
    assert [s.part for s in listing.samples] == [None, None]
    binned = read(columns, {"score": "float32", "who": "string"}, bins="1;5")
    assert [s.rank for s in binned.samples] == [0, 2]


def test_groups_folds_and_parts_are_columns_as_in_a_csv_file(read: Read) -> None:
    columns = {
        "Rank": [3, 4, 3],
        "id": [1, 2, 3],
        "subject": ["007", "7.0", "b"],
        "fold": [0, 1, 1],
        "split": ["train", "Val", "test"],
    }
    types = dict.fromkeys(("Rank", "id", "fold"), "int64")
    types |= {"subject": "string", "split": "string"}
    listing = read(columns, types)
    assert [s[2:6] for s in listing.samples] == [
        (0, "7", 0, "train"),
        (1, "7", 1, "val"),
        (0, "b", 1, "test"),
    ]
    plain = read(columns, types, group="-", fold="-", part="-", rank="ID")
    assert [s[2:6] for s in plain.samples] == [(n, None, None, None) for n in range(3)]
    with pytest.raises(
        DatasetError, match=r"column subject, row 2: wanted a whole .* write fold=-"
    ):
        read(columns, types, fold="subject")


@pytest.mark.parametrize(
    ("types", "options", "message"),
    [
        (
            {"age": "int64", "height": "float64"},
            {},
            "several columns of labels, age, height; wanted",
        ),
        ({"who": "string"}, {}, r"no column of labels; wanted .* hf:.*one:rank=COLUMN \(it has im"),
        (
            {"age": "int64"},
            {"rank": "years"},
            r"no column 'years' \(rank=years\); it has image, age",
        ),
        (
            {"age": "int64"},
            {"image": "age"},
            r"column age \(image=\) holds int64 and no bytes; those",
        ),
    ],
)
def test_columns_that_are_not_clear_are_refused(
    read: Read, types: dict[str, str], options: dict[str, str], message: str
) -> None:
    columns = {name: ["1", "2"] if kind == "string" else [1, 2] for name, kind in types.items()}
    with pytest.raises((DatasetError, SpecError), match=message):
        read(columns, types, **options)


def test_bytes_without_the_type_of_an_image_are_read(tmp_path: Path) -> None:
    table = pa.table({"jpeg": [picture(1), picture(2)], "rank": [5, 6]})
    pq.write_table(table, tmp_path / "x.parquet")
    listing = HuggingFace(tmp_path, str(tmp_path)).read()
    assert [s.open().getpixel((0, 0)) for s in listing.samples] == [(1, 0, 7), (2, 0, 14)]


def test_a_word_that_may_say_that_a_label_is_unknown_is_a_rank_where_it_is_named(
    read: Read,
) -> None:
    columns = {"label": ["none", "mild"]}
    with pytest.raises(DatasetError, match="column label, row 0: wanted a rank, got 'none'; add"):
        read(columns, {"label": "string"}, ranks="mild;severe")
    listing = read(columns, {"label": "string"}, ranks="none;mild")
    assert [s.rank for s in listing.samples] == [0, 1]


def test_a_subfolder_may_be_the_configuration(faces: Path) -> None:
    listing = HuggingFace(faces, str(faces), config="whole", ranks="none;mild;severe").read()
    assert len(listing.samples) == 8


def test_what_is_no_table_or_broken_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("image,label\na.png,1\n")
    with pytest.raises(DatasetError, match=r"holds rows\.csv; wanted .* take folder:PATH or csv"):
        HuggingFace(tmp_path, str(tmp_path)).read()
    (tmp_path / "rows.csv").rename(tmp_path / "rows.parquet")
    with pytest.raises(DatasetError, match=r"rows\.parquet cannot be read: .*; fetch the file ag"):
        HuggingFace(tmp_path, str(tmp_path)).read()


def test_a_dataset_of_the_hub_is_fetched_on_request_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        DatasetError, match=r"org/faces .* \(revision main\) is not downloaded; give"
    ):
        HuggingFace(tmp_path, "org/faces").read()
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(hugging_face, "fetch", lambda *wanted: asked.append(wanted))
    HuggingFace(tmp_path, str(tmp_path)).download()
    HuggingFace(tmp_path, "org/faces", revision="v1", config="small").download()
    assert asked == [(tmp_path, "org/faces", "v1", "small")]


def test_the_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        SpecError, match=r"datasets is not installed; run: pip install 'ordbench\[hf"
    ):
        HuggingFace(tmp_path, str(tmp_path)).read()


def test_a_run_on_a_folder_of_save_to_disk(tmp_path: Path, cli: Callable[..., Any]) -> None:
    labels = [n % 2 for n in range(40)]
    saved(tmp_path / "faces", {"label": labels}, label=datasets.ClassLabel(names=["low", "high"]))
    command = ("run", "--head", "linear", "--shots", "4", "--json", "--recipe", "epochs=1")
    done = cli(*command, "--dataset", 'hf:faces:ranks="low;high"', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["spec"]["dataset_argument"] == "faces"
