"""Lists from elsewhere against the samples of a dataset."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from ordbench.dataset import Sample, Samples, SkippedFile
from ordbench.errors import DatasetError, SpecError
from ordbench.splits.list_files import Line, SplitLists
from ordbench.splits.listed import HELD_OUT, Divided, divide, draw_divided
from ordbench.splits.split import PAPER_NOTE, Split
from ordbench.task import Task

AGES = Task(rank_names=("16", "17", "18"), rank_values=(16, 17, 18), unit="years", context="age")
RANGES = Task(rank_names=("0-2", "4-6"), rank_values=(1, 5), unit="years", context="age")


def listing(*names: str, task: Task = AGES, rejected: tuple[SkippedFile, ...] = ()) -> Samples:
    samples = [Sample(n, Path(n), place % task.num_ranks) for place, n in enumerate(names)]
    return Samples(task=task, samples=tuple(samples), rejected=rejected)


NAMES = tuple(f"{n:02}.jpg" for n in range(60))
THERE = listing(*NAMES)


def lists(train: str, test: str, val: str = "") -> SplitLists:
    """Lists of ``PATH=LABEL`` between blanks."""
    parts = {"train": train, "test": test, **({"val": val} if val else {})}
    draw = {
        part: [
            Line(word.split("=")[0], word.split("=")[1], f"{part}.txt line {n}")
            for n, word in enumerate(text.split(), 1)
        ]
        for part, text in parts.items()
    }
    return SplitLists(Path("lists"), (draw,))  # pyright: ignore[reportArgumentType]


def divided(there: Samples, one: SplitLists, protocol: str = "standard") -> Divided:
    return divide(there, one, dataset="x", protocol=protocol)


def found(there: Samples, *paths: str) -> list[str]:
    """The samples that paths mean, without labels."""
    one = lists(" ".join(f"{path}=" for path in paths), "")
    return list(divided(there, one).listing.draws[0].train)


def test_a_path_means_the_exact_name_or_the_longest_tail_that_is_there() -> None:
    there = listing("a.jpg", "x/a.jpg", "1/b.jpg", "2/b.jpg", "C.JPG")
    assert found(there, "a.jpg", "../../data/x/a.jpg") == ["a.jpg", "x/a.jpg"]
    assert found(there, "./2/b.jpg", "set\\1\\b.jpg") == ["2/b.jpg", "1/b.jpg"]
    assert found(there, "images/c.jpg") == ["C.JPG"]


def test_an_image_that_is_left_out_does_not_mean_another_of_its_name() -> None:
    there = listing("a/1.jpg", "a/2.jpg", rejected=(SkippedFile("b/1.jpg", "empty file"),))
    with pytest.raises(DatasetError, match=r"first 'data/b/1\.jpg' \(train\.txt line 1"):
        found(there, "data/b/1.jpg")
    assert found(there, "1.jpg", "data/a/2.jpg") == ["a/1.jpg", "a/2.jpg"]


def test_images_in_other_folders_are_counted() -> None:
    there = listing("a/1.jpg", "a/2.jpg", "a/3.jpg")
    notes = divided(there, lists("/data/a/1.jpg= c/b/2.png=", "3.jpg=")).notes
    assert [note for note in notes if "folder" in note] == [
        "1 image of the lists found in another folder, first 'c/b/2.png' as 'a/2.jpg'"
    ]


def test_a_path_means_its_other_unicode_forms_and_a_name_without_an_ending() -> None:
    name = "caf\N{LATIN SMALL LETTER E WITH ACUTE}.jpg"
    there = listing(name, "8039179792", "b.jpg")
    assert found(there, f"x/{unicodedata.normalize('NFD', name)}") == [name]
    assert found(there, "8039179792.png", "B") == ["8039179792", "b.jpg"]


def test_a_path_that_may_be_two_samples_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"line 1: 'b\.jpg' may be '1/b\.jpg' or '2/b\.jpg'"):
        found(listing("1/b.jpg", "2/b.jpg"), "b.jpg")


def test_two_paths_of_one_sample_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"line 2: 'y/a\.jpg' and 'x/a\.jpg' are both taken"):
        found(listing("a.jpg", "b.jpg"), "x/a.jpg", "y/a.jpg")


def test_names_that_are_not_there_are_counted_and_one_is_named() -> None:
    there = listing("a", "b", rejected=(SkippedFile("c", "no age"),))
    with pytest.raises(
        DatasetError,
        match=r"name 2 images that x does not have .* first 'c' \(train.txt line 2: no age\), "
        "while its first image is called 'a'",
    ):
        found(there, "a", "c", "d")


@pytest.mark.parametrize(
    ("labels", "task", "note"),
    [
        ("16 17 18", AGES, None),
        ("16.0 17 18.000", AGES, None),
        ("0 1 2", AGES, "labels of the lists are years - 16"),
        ("15 16 17", AGES, "labels of the lists are years - 1"),
        ("0-2 4-6 0-2", RANGES, None),
        ("0 1 0", RANGES, "labels of the lists are ranks counted from 0"),
        ("1 2 1", RANGES, "labels of the lists are ranks counted from 0 + 1"),
        ("1 5 1", RANGES, None),
    ],
)
def test_labels_are_names_values_or_a_constant_away(
    labels: str, task: Task, note: str | None
) -> None:
    a, b, c = labels.split()
    got = divided(listing("a", "b", "c", task=task), lists(f"a={a} b={b}", f"c={c}")).notes
    assert got == ((note,) if note else ())


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("16 17 17", r"test.txt line 1: label '17' is not that of 'c', whose rank is '18' .* 2 of"),
        ("0 2 2", r"line 2: label '2' is not that of 'b', whose rank is '17'"),
        ("16 old 18", "line 2: label 'old' is neither the name of a rank nor a number"),
        ("16 nan 18", "neither"),
        ("0 1 ", "test.txt line 1: label '' is neither"),
    ],
)
def test_the_first_label_that_disagrees_is_named(labels: str, said: str) -> None:
    a, b, c = labels.split(" ")
    with pytest.raises(DatasetError, match=said):
        divided(listing("a", "b", "c"), lists(f"a={a} b={b}", f"c={c}"))


def test_one_rank_proves_no_constant() -> None:
    there = listing("a", "x", "y", "b")
    with pytest.raises(DatasetError, match="label '40' is not that of 'a', whose rank is '16'"):
        divided(there, lists("a=40", "b=40"))


def test_lists_without_labels_say_so() -> None:
    assert divided(listing("a", "b"), lists("a=", "b=")).notes == (
        "the lists have no labels: names were compared, ranks were not",
    )


def test_images_in_no_list_and_lines_that_repeat_are_counted() -> None:
    got = divided(listing("a", "b", "c", "d"), lists("a=16 a=16 b=17", "c=18"))
    assert got.notes == (
        "1 image in no list: not used",
        "1 line of the lists repeat an image of the same part",
    )
    assert got.listing.draws[0].train == ("a", "b")


def labelled(places: range) -> str:
    return " ".join(f"{NAMES[n]}={16 + n % 3}" for n in places)


TRAIN, VAL, TEST = (labelled(places) for places in (range(30), range(30, 45), range(45, 60)))


def drawn(
    one: SplitLists, there: Samples = THERE, protocol: str = "standard", shots: int | None = None
) -> Split:
    return draw_divided(
        divided(there, one, protocol), dataset="x", fold=0, shots=shots, data_seed=0
    )


def test_the_lists_are_the_split() -> None:
    split = drawn(lists(TRAIN, TEST, VAL))
    assert (split.train, split.val, split.test) == (NAMES[:30], NAMES[30:45], NAMES[45:])
    assert (split.notes, split.division) == ((), "given lists")


def test_a_protocol_with_folds_of_its_own_is_refused() -> None:
    with pytest.raises(SpecError, match="--protocol kfold:folds=3 does not keep to given lists"):
        drawn(lists(TRAIN, TEST, VAL), protocol="kfold:folds=3")


def test_validation_is_held_out_of_train_where_none_is_listed() -> None:
    split = drawn(lists(TRAIN, TEST))
    assert split.notes == ("15 images in no list: not used", HELD_OUT)
    assert split.test == NAMES[45:]
    assert sorted(split.train + split.val) == list(NAMES[:30])
    assert len(split.val) == 3, "an eighth of ten images of each of three ranks, rounded"


def test_few_shots_are_drawn_from_the_lists() -> None:
    split = drawn(lists(TRAIN, TEST, VAL), shots=2)
    assert (len(split.train), len(split.val), split.test) == (6, 6, NAMES[45:])
    assert set(split.train) < set(NAMES[:30])
    assert set(split.val) < set(NAMES[30:45])


def test_a_validation_list_that_repeats_another_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"names the test images, .* add --protocol paper"):
        drawn(lists(TRAIN, TEST, TEST))
    with pytest.raises(DatasetError, match=r"names the training images, .* held out of train"):
        drawn(lists(TRAIN, TEST, TRAIN))


def test_the_paper_selects_on_a_validation_list_that_is_the_test_list() -> None:
    split = drawn(lists(TRAIN, TEST, TEST), protocol="paper")
    assert (split.train, split.val, split.test) == (NAMES[:30], NAMES[45:], NAMES[45:])
    assert PAPER_NOTE in split.notes


def test_an_image_for_train_and_val_only_validates() -> None:
    split = drawn(lists(TRAIN, TEST, f"{VAL} {labelled(range(2))}"))
    assert split.train == NAMES[2:30]
    assert "2 images listed for train and val: in val only" in split.notes


def test_an_image_that_trains_and_is_tested_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"image '00\.jpg' is in two parts of the split"):
        drawn(lists(TRAIN, f"{TEST} 00.jpg=16", VAL))


def test_people_on_both_sides_are_refused_unless_allowed() -> None:
    people = tuple(s._replace(group=str(n % 30)) for n, s in enumerate(THERE.samples))
    with pytest.raises(DatasetError, match=r"group '0' .* --allow-leak"):
        drawn(lists(TRAIN, TEST, VAL), Samples(task=AGES, samples=people))
    split = drawn(lists(TRAIN, TEST, VAL), Samples(task=AGES, samples=people, leaky=True))
    assert split.leaks == 15


def test_a_fold_that_is_not_listed_is_refused() -> None:
    one = divided(THERE, lists(TRAIN, TEST))
    with pytest.raises(SpecError, match="x has no fold 1; available: 0"):
        draw_divided(one, dataset="x", fold=1, shots=None, data_seed=0)
