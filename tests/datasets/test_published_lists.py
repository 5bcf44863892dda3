"""Published lists as the splits of datasets whose images are not here, only their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.dataset import Sample, Samples
from ordbench.errors import DatasetError
from ordbench.splits.list_files import read_lists
from ordbench.splits.listed import HELD_OUT, divide, draw_divided
from ordbench.splits.split import Split
from ordbench.task import Task
from ordbench_datasets import adience, clap2015, morph
from ordbench_datasets.aesthetics import GRADES
from ordbench_datasets.families.faces import Face, age_task

Shared = Callable[[str], Path]
DATALIST = "splits/l2rclip/datalist"
AGES = range(16, 78)


def ranked(names: Iterable[str]) -> Task:
    names = tuple(names)
    values = tuple(map(float, range(len(names))))
    return Task(rank_names=names, rank_values=values, unit="ranks", context="")


def morph_of(folder: Path) -> Samples:
    """MORPH II as its reader lists it, of the names in some lists."""
    text = "".join(file.read_text(encoding="utf-8") for file in folder.iterdir())
    faces = [morph.parse(name) for name in sorted(set(re.findall(r"\d{6}_\w+\.JPG", text)))]
    samples = [
        Sample(face.name, Path(face.name), AGES.index(face.age), face.group)
        for face in faces
        if isinstance(face, Face)
    ]
    return Samples(task=age_task(AGES), samples=tuple(samples), leaky=True)


def drawn(listing: Samples, path: Path, dataset: str, fold: int = 0) -> Split:
    divided = divide(listing, read_lists(path), dataset=dataset, protocol="standard")
    return draw_divided(divided, dataset=dataset, fold=fold, shots=None, data_seed=0)


@pytest.mark.parametrize(
    ("setting", "fold", "tested", "trained"), [("A", 3, 1098, 4394), ("D", 4, 11015, 44119)]
)
def test_settings_of_morph(
    shared: Shared, setting: str, fold: int, tested: int, trained: int
) -> None:
    folder = shared(f"{DATALIST}/morph/setting{setting}")
    split = drawn(morph_of(folder), folder, "morph", fold)
    assert (len(split.test), len(split.train) + len(split.val)) == (tested, trained)
    assert HELD_OUT in split.notes
    seen = {name[:6] for name in (*split.train, *split.val)}
    assert split.leaks == sum(name[:6] in seen for name in split.test) > 0


def adience_of(folder: Path) -> Samples:
    lists = [folder / f"original_txt_files/fold_{fold}_data.txt" for fold in range(5)]
    there = {s.name: s for s in adience.labelled(lists) if isinstance(s, Sample)}
    task = ranked(adience.RANGES.values())
    return Samples(task=task, samples=tuple(there.values()), leaky=True)


def test_the_lists_of_adience_validate_in_albums_that_train(shared: Shared) -> None:
    folder = shared("splits/adience_official/Folds")
    listing = adience_of(folder)
    lists = folder / "train_val_txt_files_per_fold" / "test_fold_is_0"
    with pytest.raises(DatasetError, match="holds several divisions: age, gender"):
        read_lists(lists)
    split = drawn(listing, lists / "age_test.txt", "adience")
    assert set(split.test) == {sample.name for sample in listing.samples if sample.fold == 0}
    assert len(split.train) + len(split.val) + len(split.test) == 17_320
    assert "1 image in no list: not used" in split.notes
    assert "19 images listed for train and val: in val only" in split.notes
    assert split.leaks == 0
    with pytest.raises(DatasetError, match="gender_"):
        drawn(listing, lists / "gender_test.txt", "adience")


def test_lists_of_adience_that_name_other_images_are_refused(shared: Shared) -> None:
    listing = adience_of(shared("splits/adience_official/Folds"))
    with pytest.raises(DatasetError, match="name 149 images that adience does not have"):
        drawn(listing, shared(f"{DATALIST}/adience"), "adience")


def test_the_list_of_clap2015_has_its_official_parts(shared: Shared) -> None:
    path = shared(f"{DATALIST}/clap2015/total_2015.csv")
    samples = [s for s in clap2015.labelled(path) if isinstance(s, Sample)]
    listing = Samples(task=age_task(clap2015.AGES), samples=tuple(samples))
    split = drawn(listing, path, "clap2015")
    assert (len(split.train), len(split.val), len(split.test)) == (2476, 1136, 1079)


def test_lists_of_decades_divide_nothing(shared: Shared) -> None:
    with pytest.raises(DatasetError, match="each of its 5 lists has images of one label"):
        read_lists(shared(f"{DATALIST}/hci"))


def test_grades_from_1_are_ranks_from_0(shared: Shared) -> None:
    folder = shared(f"{DATALIST}/crowdbeauty")
    rows = [line.split() for line in (folder / "people_datasets.txt").read_text().splitlines()]
    samples = [Sample(Path(name).stem, Path(name), int(float(grade)) - 1) for name, grade in rows]
    listing = Samples(task=ranked(GRADES), samples=tuple(samples))
    split = drawn(listing, folder / "people_test.txt", "aesthetics")
    assert (len(split.train) + len(split.val), len(split.test)) == (2156, 539)
    assert split.notes[0] == "labels of the lists are ranks + 1"
