from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from ordbench.dataset import Samples
from ordbench.errors import DatasetError, SpecError
from ordbench_datasets.feature_table import FeatureTable

X = np.array([[1.5, -2.0], [0.25, 3.0], [7.0, 0.0]], dtype=np.float32)


def read(path: Path, **options: str) -> Samples:
    return FeatureTable(path.parent, str(path), **options).read()


def npz(folder: Path, **arrays: Any) -> Path:  # noqa: ANN401
    np.savez(folder / "x.npz", **arrays)
    return folder / "x.npz"


def csv(folder: Path, text: str) -> Path:
    (folder / "x.csv").write_text(text)
    return folder / "x.csv"


def given(listing: Samples) -> NDArray[np.float32]:
    assert listing.features is not None
    assert listing.features.dtype == np.float32
    return listing.features


def written(folder: Path, kind: str) -> Path:
    """The same three rows in each kind of file."""
    if kind == "npz":
        return npz(folder, features=X.astype(np.float64), rank=[3, 1, 3], group=["a", "b", "a"])
    frame = pd.DataFrame(
        {"f0": X[:, 0], "f1": X[:, 1], "rank": [3, 1, 3], "group": ["a", "b", "a"]}
    )
    if kind == "csv":
        frame.to_csv(folder / "x.csv", index=False)
    if kind == "parquet":
        frame.to_parquet(folder / "x.parquet")
    if kind == "lists":
        frame.drop(columns=["f0", "f1"]).assign(features=list(X)).to_parquet(folder / "x.lists")
        return (folder / "x.lists").rename(folder / "x.parquet")
    return folder / f"x.{kind}"


@pytest.mark.parametrize("kind", ["npz", "csv", "parquet", "lists"])
def test_every_kind_of_file_says_the_same(tmp_path: Path, kind: str) -> None:
    listing = read(written(tmp_path, kind))
    assert np.array_equal(given(listing), X)
    assert [(s.name, s.image, s.rank, s.group) for s in listing.samples] == [
        ("000001", None, 1, "a"),
        ("000002", None, 0, "b"),
        ("000003", None, 1, "a"),
    ]
    assert (listing.task.rank_names, listing.task.unit) == (("1", "3"), "units")
    named = "" if kind in ("npz", "lists") else ": f0, f1"
    assert listing.notes == ("ranks by number: 1 < 3", f"2 features{named}")


def test_labels_may_lie_in_a_second_npy_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "Y.npy", np.array([0.5, 2.5, 0.5], dtype=np.float32))
    listing = read(tmp_path / "x.npy", rank=str(tmp_path / "Y.npy"))
    assert np.array_equal(given(listing), X)
    assert listing.task.rank_values == (0.5, 2.5)
    with pytest.raises(SpecError, match=r"holds features alone; write features:.*:rank=LABELS"):
        read(tmp_path / "x.npy")
    np.save(tmp_path / "Y.npy", [1, 2])
    with pytest.raises(DatasetError, match=r"Y\.npy has 2 labels, but .*x\.npy has 3 rows"):
        read(tmp_path / "x.npy", rank=str(tmp_path / "Y.npy"))


def test_rows_stand_by_name_so_that_their_order_in_the_file_changes_nothing(tmp_path: Path) -> None:
    names, ranks = np.array(["c", "a", "b"]), np.array([1, 2, 3])
    listing = read(npz(tmp_path, features=X, rank=ranks, name=names))
    assert [s.name for s in listing.samples] == ["a", "b", "c"]
    assert np.array_equal(given(listing), X[[1, 2, 0]])
    other = [2, 0, 1]
    again = read(npz(tmp_path, features=X[other], rank=ranks[other], name=names[other]))
    assert again.samples == listing.samples
    assert np.array_equal(given(again), given(listing))


def test_parts_folds_groups_and_words_are_read_as_in_a_csv_file_of_images(tmp_path: Path) -> None:
    text = "a,label,patient,fold,subset\n1,low,007,0,train\n2,high,,1,TEST\n3,low,7,2.0,val\n"
    listing = read(csv(tmp_path, text), ranks="low;high")
    assert [s[2:6] for s in listing.samples] == [
        (0, "7", 0, "train"),
        (1, None, 1, "test"),
        (0, "7", 2, "val"),
    ]
    assert listing.notes[2] == (
        "read rank from column label, group from column patient, part from column subset"
    )


def test_columns_are_named_and_left_out(tmp_path: Path) -> None:
    path = csv(tmp_path, "Quality;x;note;who;part\n5;1.5;a;1;9\n6;2.5;b;2;8\n")
    listing = read(path, rank="quality", group="who", part="-", drop="NOTE")
    assert given(listing).tolist() == [[1.5], [2.5]]
    assert [s.group for s in listing.samples] == ["1", "2"]
    assert listing.notes[-1] == "columns not read: note, part"


def test_columns_beside_features_are_noted(tmp_path: Path) -> None:
    listing = read(npz(tmp_path, features=X, rank=[1, 2, 1], extra=[1.0, 2.0, 3.0]))
    assert given(listing).shape == (3, 2)
    assert listing.notes[-1] == "columns not read: extra"


@pytest.mark.parametrize(
    ("header", "options", "said"),
    [
        ("x,y", {}, r"has the columns x, y; wanted columns features .*:rank=COLUMN"),
        ("x,rank,label", {}, "columns rank and label, and each may be the rank; write rank=rank:"),
        ("x,rank,label", {"rank": "rank"}, "label would be a feature, but has the name of a rank"),
        ("x,rank,group,patient", {}, "columns group and patient, and each may be the group"),
        ("x,rank,X", {}, "has the column 'x' twice"),
        ("rank,group", {}, "has no column of features; it has rank, group"),
        ("x,rank", {"rank": "z"}, r"has no column 'z' \(rank=z\); it has x, rank"),
        ("x,rank", {"drop": "z"}, r"has no column 'z' \(drop=\); it has x, rank"),
    ],
)
def test_what_may_be_two_things_or_is_not_there_is_refused(
    tmp_path: Path, header: str, options: dict[str, str], said: str
) -> None:
    count = header.count(",") + 1
    path = csv(tmp_path, "\n".join([header, *(",".join([str(n)] * count) for n in (1, 2))]))
    with pytest.raises((DatasetError, SpecError), match=said) as caught:
        read(path, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("1,2\nhigh,3", r"x\.csv, x, row 2: wanted a finite number .*, got 'high'; .* drop=x"),
        ("1,2\n,3", r"x, row 2: wanted a finite number .*, got ''"),
        ('1,2\n"1,5",3', r"x, row 2: wanted .* \(decimals have a point, .*\), got '1,5'"),
        ("1,2\n1e39,3", r"x, row 2: wanted a finite number in single precision, got '1e\+39'"),
        ("1,2\nnan,3", r"x, row 2: wanted a finite number"),
        ("1,2\n1,", r"rank, row 2: wanted a rank, got ''; correct it or add it to ranks="),
        ("1,2\n1,NaN", r"rank, row 2: wanted a rank, got 'NaN'"),
        ("1,2\n1,2,3", r"x\.csv cannot be read: .*"),
        ("", "has no rows; wanted one a sample"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(tmp_path: Path, cells: str, said: str) -> None:
    with pytest.raises(DatasetError, match=said) as caught:
        read(csv(tmp_path, f"x,rank\n{cells}\n"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"features": X, "rank": [1, 2]}, r"columns of different lengths: .*'rank': 2"),
        ({"features": X[:, :, None], "rank": [1, 2, 3]}, r"wanted shape \(N, D\), got \(3, 2, 1\)"),
        (
            {"features": X.astype(str), "rank": [1, 2, 3]},
            r"features: wanted numbers, got <U\d+; convert them$",
        ),
        ({"features": X[:, :0], "rank": [1, 2, 3]}, "features: wanted at least one number a row"),
        ({"features": X * 1e20, "rank": [1, 2, 3]}, r"largest feature is 7e\+20, .* to 1e\+15:"),
        ({"features": X * 1e-30, "rank": [1, 2, 3]}, r"largest feature is 7e-30, .* wanted 1e-15"),
        (
            {"features": X, "rank": np.array([b"\xe9", b"1", b"2"])},
            r"ranks that are no numbers, .* '\\\\xe9'",
        ),
        ({"features": X + np.nan, "rank": [1, 2, 3]}, "features, row 1: wanted a finite number"),
        ({"emb": X, "rank": [1, 2, 3]}, "column emb has several numbers a row; call it features"),
        ({"features": X, "rank": X}, "x.npz, rank: wanted one cell a row"),
        (
            {"features": X, "rank": [1, 2, 3], "name": list("aab")},
            "name: 'a' names two rows; correct",
        ),
        (
            {"features": X, "rank": np.array([1, {}, 2])},
            "x.npz cannot be read: it holds Python obj",
        ),
    ],
)
def test_arrays_that_cannot_be_used_are_named(
    tmp_path: Path, arrays: dict[str, Any], said: str
) -> None:
    with pytest.raises(DatasetError, match=said):
        read(npz(tmp_path, **arrays))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"a text")
    (tmp_path / "x.pkl").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"x\.npz cannot be read: "):
        read(tmp_path / "x.npz")
    with pytest.raises(DatasetError, match=r"x\.pkl is not a file of features; wanted \.npz, "):
        read(tmp_path / "x.pkl")
    with pytest.raises(DatasetError, match=r"gone\.csv is not there; wanted a file of features"):
        read(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("x,rank\n1,2\n".encode("utf-16"), r"is not text in UTF-8 \(it is UTF-16\); save it as"),
        ("x,é\n1,2\n".encode("latin-1"), r"is not text in UTF-8 \(line 1\)"),
        (b"\nx,rank\n1,2\n", "begins with an empty line"),
        (b"", "begins with an empty line, or is empty"),
        (b"sep=,\nx,rank\n1,2\n", "begins with 'sep=,', which only Excel reads; delete"),
        (b",x,rank\n0,1,2\n", r"column 1 has no name, as where pandas .* index=False"),
    ],
    ids=["UTF-16", "Latin-1", "blank line", "empty", "for Excel", "index of pandas"],
)
def test_a_csv_file_with_an_odd_start_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=rf"x\.csv:? {said}"):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("row", "said"),
    [([1.0], "row 3 has 1 number, row 1 has 2 numbers"), (None, "row 3 has no list, row 1 has 2")],
)
def test_rows_of_other_lengths_are_named(
    tmp_path: Path, row: list[float] | None, said: str
) -> None:
    frame = pd.DataFrame({"features": [[1.0, 2.0], [3.0, 4.0], row], "rank": [0, 1, 2]})
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DatasetError, match=rf"x\.parquet, features: {said}"):
        read(tmp_path / "x.parquet")


def test_what_is_no_array_in_an_archive_is_no_column(tmp_path: Path) -> None:
    path = npz(tmp_path, features=X, rank=[1, 2, 3])
    with ZipFile(path, "a") as archive:
        archive.writestr("README.txt", "about")
    assert np.array_equal(given(read(path)), X)


def test_an_index_of_pandas_is_no_feature(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "rank": [0, 1]}, index=pd.Index([7, 9], name="key"))
    frame.to_parquet(tmp_path / "x.parquet")
    assert given(read(tmp_path / "x.parquet")).tolist() == [[1.0], [2.0]]


def test_labels_are_cut_into_bins(tmp_path: Path) -> None:
    listing = read(csv(tmp_path, "x,rank\n1,10.5\n2,20\n3,35\n"), bins="20;30")
    assert [s.rank for s in listing.samples] == [0, 1, 2]
