from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import pytest

from ordbench.dataset import Samples
from ordbench.errors import DatasetError
from ordbench.splits.draw import draw
from ordbench.splits.split import Split
from ordbench_datasets.morph import Morph

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]
FACES = ["009055_1M54.JPG", "009055_2M55.JPG", "100001_00F16.JPG", "100002_0M77.JPG"]


def drawn(listing: Samples, fold: int = 0, shots: int | None = None) -> Split:
    return draw(listing, dataset="morph", protocol="standard", fold=fold, shots=shots, data_seed=0)


@pytest.mark.parametrize(("ages", "ranks", "first"), [("0-100", 101, 54), ("16-77", 62, 38)])
def test_ages_are_the_ranks(
    tmp_path: Path, put: Put, ages: Literal["0-100", "16-77"], ranks: int, first: int
) -> None:
    listing = Morph(put(tmp_path, FACES), ages=ages).read()
    assert listing.task.num_ranks == ranks
    assert [listing.task.rank_values[s.rank] for s in listing.samples] == [54, 55, 16, 77]
    sample = listing.samples[0]
    assert (sample.name, sample.rank, sample.group) == ("009055_1M54.JPG", first, "009055")


def test_case_and_folder_do_not_matter(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [f"Album2/{name.lower()}" for name in FACES])
    assert [s.name for s in Morph(tmp_path).read().samples] == FACES


def test_odd_names_are_reported(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [*FACES, "9055_1M54.JPG", "200000_1M15.JPG"])
    (tmp_path / "morph.csv").touch()
    assert dict(Morph(tmp_path, ages="16-77").read().rejected) == {
        "200000_1M15.JPG": "age 15 is not in 16..77",
        "9055_1M54.JPG": "not named [person]_[picture][M or F][age].JPG",
        "morph.csv": "'.csv' is not the ending of an image file",
    }


def test_without_images_it_names_the_licence_the_folder_and_what_needs_nothing(
    tmp_path: Path,
) -> None:
    with pytest.raises(DatasetError) as caught:
        Morph(tmp_path / "morph").read()
    message = str(caught.value)
    assert message.startswith(
        f"MORPH II not found in {tmp_path / 'morph'}: there is no such folder"
    )
    assert "UNCW" in message
    assert "--dataset drawn-faces needs nothing" in message
    assert "\n" not in message


def test_setting_a_is_five_draws_that_show_people_twice_and_says_so(
    shared: Shared, tmp_path: Path, put: Put
) -> None:
    lists = shared("splits/l2rclip/datalist/morph/settingA")
    every = {
        name
        for file in lists.glob("*.txt")
        for name in re.findall(r"\d{6}_\d+[MF]\d\d\.JPG", file.read_text())
    }
    listing = Morph(put(tmp_path, [*every, "000000_0M20.JPG"]), list=str(lists)).read()
    assert len({sample.rank for sample in listing.samples}) == 55
    assert listing.notes[1:] == ("1 images are not in settingA and are left out",)
    leaks: list[int] = []
    for fold in range(5):
        split = drawn(listing, fold)
        assert (len(split.train) + len(split.val), len(split.test)) == (4394, 1098)
        (note,) = [note for note in split.notes if "show a person" in note]
        leaks.append(int(note.split()[0]))
    assert (min(leaks), max(leaks)) == (849, 871)
    few = drawn(listing, shots=4)
    person = {sample.name: sample.group for sample in listing.samples}
    assert not {person[name] for name in few.train} & {person[name] for name in few.val}


def lists(folder: Path, **contents: str) -> str:
    folder.mkdir(exist_ok=True)
    for name, text in contents.items():
        (folder / f"{name}.txt").write_text(text)
    return str(folder)


def test_disjoint_sets_are_folds(tmp_path: Path, put: Put) -> None:
    root = put(tmp_path / "root", [f"10000{n}_0M2{n}.JPG" for n in range(8)])
    sets = {f"morph_C_0{n}": f"../x/10000{n}_0M2{n}.JPG 2{n}\n" for n in range(5)}
    listing = Morph(root, list=lists(tmp_path / "C", **sets)).read()
    assert [s.fold for s in listing.samples] == [0, 1, 2, 3, 4]
    assert listing.notes == (
        "C: 5 sets, subject-exclusive (SE): nobody stands in more than one",
        "3 images are not in C and are left out",
    )
    assert drawn(listing, fold=3).test == ("100003_0M23.JPG",)


def test_of_three_sets_one_trains_and_two_test(tmp_path: Path, put: Put) -> None:
    faces = [f"10000{n}_{picture}M20.JPG" for n in range(6) for picture in (0, 1)]
    header = "race gender age filename database\r\n"
    sets = {
        f"Setting_B_fold{n}": header
        + "".join(f"1 0 20 {name} morph\r\n" for name in faces[4 * n :][:4])
        for n in range(3)
    }
    listing = Morph(put(tmp_path / "root", faces), list=lists(tmp_path / "B", **sets)).read()
    split = drawn(listing, fold=1)
    assert sorted(split.train + split.val) == faces[4:8]
    assert split.test == (*faces[:4], *faces[8:])
    assert "trains on set N and tests on the other two" in listing.notes[1]


def test_a_single_list_only_chooses_images(tmp_path: Path, put: Put) -> None:
    folder = lists(tmp_path / "lists", chosen="009055_1M54.JPG 54\n100001_00F16.JPG 16\n")
    listing = Morph(put(tmp_path / "root", FACES), list=f"{folder}/chosen.txt").read()
    assert [s.name for s in listing.samples] == ["009055_1M54.JPG", "100001_00F16.JPG"]
    assert {s.fold for s in listing.samples} == {None}
    assert not listing.leaky


def test_a_list_is_looked_for_below_the_root_too(tmp_path: Path, put: Put) -> None:
    put(tmp_path, FACES)
    lists(tmp_path / "lists", all="009055_1M54.JPG 54\n")
    assert len(Morph(tmp_path, list="lists/all.txt").read().samples) == 1
    with pytest.raises(DatasetError, match=r"list=gone: there is neither .* nor .*gone; give"):
        Morph(tmp_path, list="gone").read()


def test_listed_images_that_disagree_or_are_not_there_are_reported(
    tmp_path: Path, put: Put
) -> None:
    text = "009055_1M54.JPG 54\n009055_2M55.JPG 39\n300000_0M20.JPG 20\nface.jpg 20\n"
    folder = lists(tmp_path / "lists", some=text)
    listing = Morph(put(tmp_path / "root", FACES), list=f"{folder}/some.txt").read()
    assert [s.name for s in listing.samples] == ["009055_1M54.JPG"]
    file = f"{folder}/some.txt"
    assert dict(listing.rejected) == {
        "009055_2M55.JPG": f"age 55 by its name, 39 by {file} line 2",
        "300000_0M20.JPG": f"not below the root, but in {file} line 3",
        "FACE.JPG": f"not named [person]_[picture][M or F][age].JPG ({file} line 4)",
    }


@pytest.mark.parametrize(
    ("ages", "said"),
    [
        ((38, 39), "all 2 are 16 below the age in the file name; add 16 in the list"),
        ((55, 56), "all 2 are 1 above the age in the file name; subtract 1 in the list"),
        ((38, 54), r"none of its 2 images can be used .*\(age 54 by its name, 38 by"),
    ],
)
def test_labels_that_are_no_ages_are_refused_and_not_shifted(
    tmp_path: Path, put: Put, ages: tuple[int, int], said: str
) -> None:
    text = "".join(f"{face} {age}\n" for face, age in zip(FACES, ages, strict=False))
    folder = lists(tmp_path / "lists", ranks=text)
    root = put(tmp_path / "root", FACES)
    with pytest.raises(DatasetError, match=said):
        Morph(root, list=f"{folder}/ranks.txt").read()


def test_the_ranks_of_coral_are_ages_from_16_on(tmp_path: Path, put: Put) -> None:
    header = ",id_num,picture_num,race,Male,facial_hair,age,glasses,quality\n"
    for part, face in zip(("train", "valid", "test"), FACES[1:], strict=True):
        row = f"{face[:-4]}.jpg,9055,1,B,1,,{int(face[-6:-4]) - 16},,GOOD\n"
        (tmp_path / f"morph2_{part}.csv").write_text(header + row)
    listing = Morph(put(tmp_path / "root", FACES), list=f"{tmp_path}/morph2_test.csv").read()
    (split,) = listing.draws
    assert split == ((FACES[1],), (FACES[3],), (FACES[2],))
    assert [s.rank for s in listing.samples] == [55, 16, 77]
    assert listing.rejected == ()


def test_an_image_in_two_sets_is_refused(tmp_path: Path, put: Put) -> None:
    folder = lists(tmp_path / "lists", a0=f"{FACES[0]} 54", a1=f"{FACES[0]} 54")
    with pytest.raises(DatasetError, match=r"009055_1M54\.JPG is in the lists of folds 0 and 1"):
        Morph(put(tmp_path / "root", FACES), list=folder).read()
