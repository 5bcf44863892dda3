from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ordbench.dataset import Sample, Samples
from ordbench.errors import DatasetError
from ordbench.splits.list_files import Line, parse_line, read_lists, write_folder, write_table
from ordbench.splits.split import Split
from ordbench.task import Task

TASK = Task(rank_names=("16", "17", "18"), rank_values=(16, 17, 18), unit="years", context="age")


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(text, encoding="utf-8")
    return folder


def read(path: Path) -> list[dict[str, list[tuple[str, str]]]]:
    """Paths and labels by part, of each draw."""
    return [
        {part: [line[:2] for line in lines] for part, lines in draw.items()}
        for draw in read_lists(path).draws
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a/b c.jpg 17\n",
        "a/b c.jpg\t17\n",
        "a/b c.jpg,17\n\n",
        "\ufeffpath,age\na/b c.jpg,17\n",
        "age\tfile\r\n17\ta/b c.jpg\r\n",
        ',gender,age,filename\n8,f,17,"a/b c.jpg"\n',
    ],
)
def test_a_line_is_a_path_and_a_label_in_any_format(tmp_path: Path, text: str) -> None:
    write(tmp_path, train_txt=text, test_txt="x.jpg 16\n")
    assert read(tmp_path) == [{"train": [("a/b c.jpg", "17")], "test": [("x.jpg", "16")]}]


def test_lines_know_where_they_stand_and_may_have_no_label(tmp_path: Path) -> None:
    write(tmp_path, train_txt="a.jpg\n\nb.jpg\n", test_txt="c.jpg\n")
    train = read_lists(tmp_path).draws[0]["train"]
    assert train[1] == Line("b.jpg", "", f"{tmp_path / 'train.txt'} line 3")


def test_a_table_says_parts_in_a_column(tmp_path: Path) -> None:
    table = "filename,age,stdv,database\na,1,.5,train\nb,2,.5,valid\nc,3,.5,test\n"
    write(tmp_path, total_csv=table)
    want = [{"train": [("a", "1")], "val": [("b", "2")], "test": [("c", "3")]}]
    assert read(tmp_path / "total.csv") == read(tmp_path) == want


def test_a_column_that_names_a_database_says_no_part(tmp_path: Path) -> None:
    write(tmp_path, train_txt="age filename database\n1 a morph\n", test_txt="b 2\n")
    assert read(tmp_path) == [{"train": [("a", "1")], "test": [("b", "2")]}]


def test_one_file_brings_its_partners_and_no_others(tmp_path: Path) -> None:
    write(
        tmp_path,
        age_train_txt="a 1\n",
        age_val_txt="b 2\n",
        age_test_txt="c 3\n",
        age_train_subset_txt="d 4\n",
        gender_train_txt="a 0\n",
        gender_test_txt="c 1\n",
    )
    want = [{"train": [("a", "1")], "val": [("b", "2")], "test": [("c", "3")]}]
    assert read(tmp_path / "age_test.txt") == want
    with pytest.raises(DatasetError, match=r"several divisions: age, gender; .*age_test\.txt$"):
        read(tmp_path)


def test_divisions_that_differ_in_numbers_are_folds_in_their_order(tmp_path: Path) -> None:
    for fold in (10, 2):
        lists = {f"fold{fold}_train_txt": f"a{fold} 1\n", f"fold{fold}_test_txt": f"b{fold} 1\n"}
        write(tmp_path, **lists)
    write(tmp_path, notes_txt="x 1\n")
    lists = read_lists(tmp_path)
    assert [draw["train"][0].path for draw in lists.draws] == ["a2", "a10"]
    assert lists.notes == ("lists not read: notes.txt",)


def test_lists_without_a_part_are_folds(tmp_path: Path) -> None:
    write(tmp_path, s_0_txt="a 1\nb 2\n", s_1_txt="c 1\nd 3\n", s_2_txt="e 1\nf 2\n")
    lists = read_lists(tmp_path)
    test = [[line.path for line in draw["test"]] for draw in lists.draws]
    train = [{line.path for line in draw["train"]} for draw in lists.draws]
    assert test == [["a", "b"], ["c", "d"], ["e", "f"]]
    assert train == [set("cdef"), set("abef"), set("abcd")]
    assert lists.notes == ("3 lists as folds: fold N is tested on list N, fold 0 on s_0.txt",)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "got no list$"),
        ({"train_txt": "a 1\n"}, r"wanted train\.txt, test\.txt .* got train\.txt$"),
        ({"train_txt": "a 1\n", "test_txt": ""}, r"test\.txt is empty"),
        ({"val_txt": "a 1\n", "valid_txt": "a 1\n"}, r"valid\.txt both say val"),
        ({"1930s_txt": "a 1930s\n", "1940s_txt": "b 1940s\n"}, "images of one label"),
        (
            {"all_csv": "file,part\na,train\nb,tset\n"},
            r"all\.csv line 3, column part: wanted train, val or test, got 'tset'",
        ),
        ({"all_csv": "file,part\na,train\n"}, "no image is in test"),
        ({"all_csv": "file,part\na,train,9\n"}, r"all\.csv line 2: wanted 2 cells, got 3"),
        ({"all_csv": "file,part\n"}, "no line below its header"),
    ],
)
def test_what_divides_nothing_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        read_lists(write(tmp_path, **files))


def test_a_single_list_or_a_lone_part_is_refused(tmp_path: Path) -> None:
    write(tmp_path, all_txt="a 1\n", train_csv="a,1\n")
    with pytest.raises(DatasetError, match="does not say which images train"):
        read_lists(tmp_path / "all.txt")
    with pytest.raises(DatasetError, match="no list beside it says test in its name"):
        read_lists(tmp_path / "train.csv")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    write(tmp_path, train_txt="a 1\n")
    (tmp_path / "test.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match=r"test\.txt is not text in UTF-8"):
        read_lists(tmp_path)


def test_the_hash_is_that_of_the_parts_whatever_the_order_and_the_place(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = write(tmp_path / "a", train_txt="a 1\nb 2\n", test_txt="c 3\n")
    other = write(tmp_path / "b", train_csv="b,2\na,1\n", test_csv="c,3\n")
    assert read_lists(one).hash == read_lists(other).hash
    write(other, test_csv="c,4\n")
    assert read_lists(one).hash != read_lists(other).hash


def listing(*names: str) -> Samples:
    samples = [Sample(name, Path(name), place % 3) for place, name in enumerate(names)]
    return Samples(task=TASK, samples=tuple(samples))


def test_a_table_has_the_rank_its_name_and_its_value(tmp_path: Path) -> None:
    there = listing("a,b.jpg", "ü.jpg", 'c"d.jpg')
    split = Split(dataset="x", train=("a,b.jpg",), val=("ü.jpg",), test=('c"d.jpg',))
    write_table(split, there, tmp_path / "own.csv")
    with (tmp_path / "own.csv").open(encoding="utf-8", newline="") as lines:
        assert list(csv.reader(lines)) == [
            ["file", "part", "rank", "rank_name", "rank_value"],
            ["a,b.jpg", "train", "0", "16", "16"],
            ["ü.jpg", "val", "1", "17", "17"],
            ['c"d.jpg', "test", "2", "18", "18"],
        ]


def test_a_folder_has_a_list_of_each_part(tmp_path: Path) -> None:
    there = listing("a b.jpg", "b,1.jpg", "c.jpg")
    split = Split(dataset="x", train=("a b.jpg", "b,1.jpg"), val=("c.jpg",), test=("c.jpg",))
    write_folder(split, there, tmp_path / "own")
    assert (tmp_path / "own" / "train.txt").read_text() == "a b.jpg 0\nb,1.jpg 1\n"
    assert (tmp_path / "own" / "test.txt").read_text() == "c.jpg 2\n"
    assert sorted(file.name for file in (tmp_path / "own").iterdir()) == [
        "test.txt",
        "train.txt",
        "val.txt",
    ]


@pytest.mark.parametrize("name", ["a\nb.jpg", "a\tb.jpg", "a.jpg ", "a.jpg,"])
def test_a_name_that_breaks_its_line_is_not_written(tmp_path: Path, name: str) -> None:
    split = Split(dataset="x", train=("a.jpg",), val=("b.jpg",), test=(name,))
    with pytest.raises(DatasetError, match="cannot stand in a list"):
        write_folder(split, listing("a.jpg", "b.jpg", name), tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_an_image_that_is_called_like_a_column_is_read(tmp_path: Path) -> None:
    split = Split(dataset="x", train=("path", "x"), val=("y",), test=("z",))
    write_folder(split, listing("path", "x", "y", "z"), tmp_path)
    assert read(tmp_path)[0]["train"] == [("path", "0"), ("x", "1")]


@pytest.mark.parametrize("twice", ["file", "rank", "part"])
def test_a_column_that_stands_twice_is_refused(tmp_path: Path, twice: str) -> None:
    text = f"file,rank,part,{twice}\na.jpg,0,train,x\nb.jpg,1,test,y\n"
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(DatasetError, match=rf"own\.csv has the column '{twice}' twice"):
        read_lists(tmp_path / "own.csv")


def test_a_line_of_blanks_is_read_at_once() -> None:
    text = "a" + " " * 100_000 + ","
    assert parse_line(text, "") == (text, "", "")
