from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.dataset import Sample, SkippedFile
from ordbench.errors import DatasetError
from ordbench.splits.draw import draw
from ordbench_datasets.adience import RANGES, Adience, labelled

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]
HEADER = (
    "user_id\toriginal_image\tface_id\tage\tgender\tx\ty\tdx\tdy\ttilt_ang\tfiducial_yaw_angle\t"
    "fiducial_score\n"
)


def listed(root: Path, folds: dict[int, list[tuple[str, str, int, str]]]) -> Path:
    """Write the five lists: album, photograph, face and age of each row."""
    root.mkdir(exist_ok=True)
    for fold in range(5):
        rows = [
            f"{user}\t{image}\t{face}\t{age}\tf\t0\t0\t9\t9\t-115\t30\t17\n"
            for user, image, face, age in folds.get(fold, [])
        ]
        (root / f"fold_{fold}_data.txt").write_text(HEADER + "".join(rows), encoding="utf-8")
    return root


def face(user: str, image: str, number: int) -> str:
    return f"aligned/{user}/landmark_aligned_face.{number}.{image}"


def test_the_published_lists_have_the_published_folds(shared: Shared) -> None:
    folder = shared("splits/adience_official/Folds/original_txt_files")
    rows = list(labelled([folder / f"fold_{fold}_data.txt" for fold in range(5)]))
    samples = [row for row in rows if isinstance(row, Sample)]
    assert Counter(s.fold for s in samples) == {0: 4316, 1: 3101, 2: 3339, 3: 2975, 4: 3693}
    albums = {(sample.group, sample.fold) for sample in samples}
    assert len(albums) == len({group for group, _ in albums}), "an album is in one fold"
    refused = Counter(row.reason.split("'")[1] for row in rows if isinstance(row, SkippedFile))
    assert (refused["None"], refused["(27, 32)"], refused["(25, 23)"]) == (753, 77, 72)


@pytest.mark.parametrize("part", ["test", "train"])
def test_the_lists_of_poe_agree(shared: Shared, part: str) -> None:
    folder = shared("splits/adience_official/Folds")
    lists = [folder / f"original_txt_files/fold_{fold}_data.txt" for fold in range(5)]
    ours = {r.name: r for r in labelled(lists) if isinstance(r, Sample)}
    text = (folder / f"train_val_txt_files_per_fold/test_fold_is_0/age_{part}.txt").read_text()
    theirs = [line.split() for line in text.splitlines()]
    assert all(ours[name].rank == int(rank) for name, rank in theirs)
    assert {ours[name].fold == 0 for name, _ in theirs} == {part == "test"}


def test_folds_albums_and_ranges_are_read(tmp_path: Path, put: Put) -> None:
    ages = list(RANGES)
    folds = {fold: [(f"{fold}@N0", "1_o.jpg", fold, age)] for fold, age in enumerate(ages[:5])}
    put(listed(tmp_path, folds), [face(f"{fold}@N0", "1_o.jpg", fold) for fold in range(5)])
    listing = Adience(tmp_path).read()
    assert listing.rejected == ()
    assert [(s.name, s.rank, s.group, s.fold) for s in listing.samples[:2]] == [
        ("0@N0/landmark_aligned_face.0.1_o.jpg", 0, "0@N0", 0),
        ("1@N0/landmark_aligned_face.1.1_o.jpg", 1, "1@N0", 1),
    ]
    assert listing.samples[0].extra == {"gender": "female"}
    assert listing.task.rank_names[-1] == "60+"
    split = draw(listing, dataset="adience", protocol="standard", fold=3, shots=None, data_seed=0)
    assert split.test == ("3@N0/landmark_aligned_face.3.1_o.jpg",)


def test_dirty_ages_and_repeated_rows_are_counted(tmp_path: Path, put: Put) -> None:
    rows = [
        ("7@N0", "a.jpg", 1, "(25, 32)"),
        ("7@N0", "a.jpg", 1, "(25, 32)"),
        ("7@N0", "b.jpg", 1, "(25, 23)"),
        ("7@N0", "c.jpg", 1, "35"),
        ("7@N0", "d.jpg", 1, "None"),
        ("7@N0", "gone.jpg", 1, "(0, 2)"),
    ]
    put(listed(tmp_path, {0: rows}), [face("7@N0", f"{letter}.jpg", 1) for letter in "abcdx"])
    listing = Adience(tmp_path).read()
    assert [(s.name.rpartition(".1.")[2], s.rank) for s in listing.samples] == [("a.jpg", 4)]
    reasons = [(name.rpartition(".1.")[2], why) for name, why in listing.rejected]
    said = "is none of the eight ranges"
    assert reasons == [
        ("a.jpg", "listed more than once"),
        ("b.jpg", f"age '(25, 23)' {said}"),
        ("c.jpg", f"age '35' {said}"),
        ("d.jpg", f"age 'None' {said}"),
        ("gone.jpg", "listed, but not below the root"),
        ("x.jpg", "in no list"),
    ]


def test_a_face_with_two_ranges_is_refused(tmp_path: Path, put: Put) -> None:
    rows = [("7@N0", "a.jpg", 1, "(0, 2)"), ("7@N0", "a.jpg", 1, "(4, 6)")]
    put(listed(tmp_path, {0: rows}), [face("7@N0", "a.jpg", 1)])
    with pytest.raises(DatasetError, match=r"face\.1\.a\.jpg is listed with two ranks"):
        Adience(tmp_path).read()


def test_a_missing_list_is_named(tmp_path: Path, put: Put) -> None:
    put(listed(tmp_path, {}), [face("7@N0", "a.jpg", 1)])
    (tmp_path / "fold_3_data.txt").unlink()
    with pytest.raises(DatasetError, match=r"Adience not found in .*'fold_3_data\.txt'"):
        Adience(tmp_path).read()


def test_a_pipe_in_place_of_a_list_is_not_waited_for(tmp_path: Path, put: Put) -> None:
    put(listed(tmp_path, {}), [face("7@N0", "a.jpg", 1)])
    (tmp_path / "fold_3_data.txt").unlink()
    os.mkfifo(tmp_path / "fold_3_data.txt")
    with pytest.raises(DatasetError, match=r"'fold_3_data\.txt' \(the list is not there\)"):
        Adience(tmp_path).read()


def test_an_edited_list_is_named(tmp_path: Path, put: Put) -> None:
    put(listed(tmp_path, {}), [face("7@N0", "a.jpg", 1)])
    (tmp_path / "fold_2_data.txt").write_text("user_id,original_image,face_id,age\n")
    with pytest.raises(DatasetError, match=r"fold_2_data\.txt has no column 'user_id'; it has"):
        Adience(tmp_path).read()
    (tmp_path / "fold_2_data.txt").write_text(
        "user_id\toriginal_image\tface_id\tage\tgender\n7@N0\ta.jpg\n"
    )
    with pytest.raises(DatasetError, match=r"fold_2_data\.txt line 2: wanted the columns user_id"):
        Adience(tmp_path).read()
