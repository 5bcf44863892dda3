from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets._morph_lists import describe, read_lists, read_rows

Shared = Callable[[str], Path]


def test_a_single_list_of_a_pair_brings_its_partner(shared: Shared) -> None:
    folder = shared("splits/l2rclip/datalist/morph/settingA")
    for part in ("train", "test"):
        (found,) = read_lists(folder / f"Setting_A_fold3_{part}.txt").draws
        assert {name: len(images) for name, images in found.items()} == {
            "train": 4394,
            "test": 1098,
        }


def test_the_folder_of_all_settings_names_them(shared: Shared) -> None:
    with pytest.raises(DatasetError, match="name one of its folders: settingA, settingB, settingC"):
        read_lists(shared("splits/l2rclip/datalist/morph"))


@pytest.mark.parametrize(
    "text",
    [
        "race gender age filename database\r\n0 0 39 101157_5F39.JPG morph\r\n",
        ",race,gender,age,filename,database\n131,0,0,39,101157_5F39.JPG,morph\n\n",
        "../../my data/Morph/image/101157_5F39.JPG 39\n",
        "C:\\Morph\\101157_5f39.jpg,39\n",
        ",id_num,picture_num,race,Male,facial_hair,age,glasses,quality\n"
        "101157_5F39.jpg,101157,5,W,-1,,23,,GOOD\n",
        "data/101157_5F39.JPG 38 39 41\n",
    ],
    ids=["blanks", "commas", "path and age", "path of Windows", "ranks of CORAL", "several ages"],
)
def test_every_published_format_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(text.encode())
    (row,) = read_rows(file)
    assert row[:2] == ("101157_5F39.JPG", 39)
    assert row.where.startswith(f"{file} line ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"list\.txt is empty"),
        (
            "a.JPG 39\nb.JPG old\n",
            r"list\.txt line 2: wanted a file name and an age .* 'b\.JPG old'",
        ),
        ("a.JPG\n", r"list\.txt line 1: wanted a file name and an age"),
        ("a.png 20\n", r"list\.txt line 1: wanted a file name and an age"),
        (",race,age\na.jpg,W,\n", r"list\.txt line 2: wanted a file name and an age"),
        ("filename age\na.JPG\n", r"list\.txt line 2: wanted"),
        ("filename years\na.JPG 39\n", r"columns filename, years; wanted filename and age"),
    ],
)
def test_a_list_that_cannot_be_read_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_rows(tmp_path / "list.txt")


def written(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (folder / name).write_text(f"10000{number}_0M20.JPG 20\n")
    return folder


def test_sets_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = [f"fold{number}.txt" for number in range(12)]
    lists = read_lists(written(tmp_path, *names))
    people = [next(iter(fold))[:7] for fold in lists.folds]
    assert people[:3] == ["100000_", "100001_", "100002_"]
    assert people[-1] == "1000011"


def test_train_valid_and_test_are_one_draw(tmp_path: Path) -> None:
    lists = read_lists(written(tmp_path, "m2_test.csv", "m2_train.csv", "m2_valid.csv"))
    (found,) = lists.draws
    assert {part: len(names) for part, names in found.items()} == {"test": 1, "train": 1, "val": 1}
    assert describe(lists).startswith("1 train/test draw, subject-exclusive (SE)")


def test_validation_is_tested_where_there_is_no_test_list(tmp_path: Path) -> None:
    lists = read_lists(written(tmp_path, "ET_proto_train.txt", "ET_proto_val.txt"))
    (found,) = lists.draws
    assert found == {"train": {"100000_0M20.JPG"}, "test": {"100001_0M20.JPG"}}
    assert lists.notes == (
        "the validation images of et_proto are tested, as there is no test list",
    )


def test_a_pair_without_its_partner_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "a_fold0_train.txt", "a_fold0_test.txt", "a_fold1_train.txt")
    with pytest.raises(DatasetError, match="no list of 'a_fold1' says test in its name"):
        read_lists(tmp_path)


def test_lists_of_two_kinds_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "a_train.txt", "a_test.txt", "all.txt")
    with pytest.raises(DatasetError, match=r"all\.txt says neither train nor test"):
        read_lists(tmp_path)


def test_a_folder_without_lists_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no list of images; wanted \.txt or \.csv"):
        read_lists(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(DatasetError, match=r"pipe\.txt is neither a list of images nor a folder"):
        read_lists(tmp_path / "pipe.txt")
