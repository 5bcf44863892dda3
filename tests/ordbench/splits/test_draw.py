from __future__ import annotations

import json
import os
import random
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordbench.dataset import OfficialSplit, Part, Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.splits import folds
from ordbench.splits.draw import draw
from ordbench.splits.folds import digests
from ordbench.splits.manifest import apply_manifest, read_manifest, write_manifest
from ordbench.splits.split import Split
from ordbench.task import Task

SHOTS = (1, 2, 4, 8, None)
GOLDEN_TRAIN = ("000.png", "009.png", "011.png", "013.png", "026.png", "028.png")
GOLDEN_HASHES = ["32883c394afd9a1a", "95fa9666ec42ed00", "3db165cc862e735e", "5ad935c7a2e6c8ec"]


def listing(samples: Sequence[Sample]) -> Samples:
    names = ("0", "1", "2")
    task = Task(rank_names=names, rank_values=(0, 1, 2), unit="grade", context="it is")
    return Samples(task=task, samples=tuple(samples))


def alone(count: int = 90) -> Samples:
    names = [f"{n:03}.png" for n in range(count)]
    return listing([Sample(name, Path(name), n % 3) for n, name in enumerate(names)])


def people(sizes: Sequence[int] = (6,) * 20) -> Samples:
    return listing(
        [
            Sample(f"{who}-{n}.png", Path("x"), (who + n) % 3, f"p{who}")
            for who, size in enumerate(sizes)
            for n in range(size)
        ]
    )


def drawn(
    there: Samples,
    *,
    protocol: str = "standard",
    fold: int = 0,
    shots: int | None = None,
    data_seed: int = 0,
) -> Split:
    return draw(there, dataset="x", protocol=protocol, fold=fold, shots=shots, data_seed=data_seed)


def ranks(there: Samples, names: Sequence[str]) -> Counter[int]:
    rank_of = {sample.name: sample.rank for sample in there.samples}
    return Counter(rank_of[name] for name in names)


def groups(there: Samples, names: Sequence[str]) -> set[str | None]:
    group_of = {sample.name: sample.group for sample in there.samples}
    return {group_of[name] for name in names}


def test_the_draw_is_what_it_was_when_the_first_records_were_made() -> None:
    assert drawn(alone(30), shots=2).train == GOLDEN_TRAIN
    hashes = [
        drawn(there, shots=shots).hash[:16] for there in (alone(), people()) for shots in (None, 4)
    ]
    assert hashes == GOLDEN_HASHES


def test_all_images_are_used_once() -> None:
    split = drawn(alone())
    assert sorted(split.train + split.val + split.test) == [s.name for s in alone().samples]
    assert (len(split.train), len(split.val), len(split.test)) == (63, 9, 18)
    assert ranks(alone(), split.val) == {0: 3, 1: 3, 2: 3}


def test_every_image_is_tested_in_one_fold() -> None:
    tested = [name for fold in range(5) for name in drawn(people(), fold=fold).test]
    assert sorted(tested) == sorted(s.name for s in people().samples)


@pytest.mark.parametrize("shots", SHOTS)
def test_neither_the_order_of_files_nor_of_calls_nor_random_state_matters(
    shots: int | None,
) -> None:
    for there in (alone(), people()):
        first = drawn(there, shots=shots)
        random.seed(shots)
        drawn(there, shots=1, data_seed=5)
        shuffled = random.sample(there.samples, len(there.samples))
        assert drawn(listing(shuffled), shots=shots) == first


def test_test_images_depend_on_neither_seed_nor_shots_nor_protocol() -> None:
    protocols: tuple[str, ...] = ("standard", "paper")
    for there in (alone(), people()):
        tests = {
            drawn(there, shots=shots, data_seed=seed, protocol=protocol).test
            for shots in SHOTS
            for seed in (0, 1)
            for protocol in protocols
        }
        assert len(tests) == 1


def test_the_data_seed_draws_other_shots_and_changes_nothing_without() -> None:
    for there in (alone(), people()):
        assert drawn(there, shots=4).train != drawn(there, shots=4, data_seed=1).train
        assert drawn(there).hash == drawn(there, data_seed=1).hash


def test_names_are_hashed_once_for_all_shots_and_once_a_data_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: Counter[str] = Counter()

    def counted(names: Iterable[str], *salt: str) -> list[bytes]:
        names = list(names)
        hashed[" ".join(salt)] += len(names)
        return digests(names, *salt)

    monkeypatch.setattr(folds, "digests", counted)
    there = alone()
    shared = [drawn(there, shots=s, data_seed=seed) for s in SHOTS for seed in range(3)]
    pool = len(there.samples) * 4 // 5
    seeds = {f"x shots {seed} 0": pool for seed in range(3)}
    assert +hashed == {"x fold": len(there.samples), "x val": pool, **seeds}
    anew = [drawn(alone(), shots=s, data_seed=seed) for s in SHOTS for seed in range(3)]
    assert shared == anew


@given(st.lists(st.integers(1, 9), min_size=10, max_size=30), st.integers(0, 3))
def test_people_stay_apart_and_shots_nest(sizes: list[int], seed: int) -> None:
    there = people(sizes)
    fewer: set[str] = set()
    for shots in (1, 2):
        split = drawn(there, shots=shots, data_seed=seed)
        parts = [groups(there, part) for part in (split.train, split.val, split.test)]
        assert sum(map(len, parts)) == len(set[str | None]().union(*parts))
        assert fewer <= set(split.train)
        fewer = set(split.train)
    whole = drawn(there)
    assert fewer <= set(whole.train)


@pytest.mark.parametrize(("shots", "val"), [(1, 1), (2, 2), (4, 4), (8, 4), (16, 4)])
def test_few_shot_validates_on_as_many_but_at_most_four_a_rank(shots: int, val: int) -> None:
    for there in (alone(), people((6,) * 40)):
        split = drawn(there, shots=shots)
        assert ranks(there, split.train) == dict.fromkeys(range(3), shots)
        assert ranks(there, split.val) == dict.fromkeys(range(3), val)
        assert not set(split.train) & set(split.val)


def test_a_rank_gives_what_it_has() -> None:
    short = [s for s in alone(60).samples if s.rank or s.name < "010.png"]  # 4 of rank 0
    split = drawn(listing(short), shots=8, fold=1)
    in_train = 4 - ranks(listing(short), split.test)[0]
    assert ranks(listing(short), split.train) == {0: in_train, 1: 8, 2: 8}
    assert set(ranks(listing(short), split.val)) == {1, 2}
    assert "1 of 3 ranks have fewer than 8 training images" in split.notes


def test_with_every_image_in_train_somebody_is_left_to_validate_on() -> None:
    split = drawn(people(), shots=28)  # all that may train
    assert split.val
    assert not groups(people(), split.train) & groups(people(), split.val)


def test_nothing_left_to_validate_on_says_what_to_do() -> None:
    with pytest.raises(DatasetError, match=r"left for val \(2 train.*take fewer shots"):
        drawn(alone(3), shots=1)


def test_more_shots_than_images_says_how_many_there_are() -> None:
    with pytest.raises(
        SpecError,
        match="not enough images for 22 shots: no rank of x has more than 21 training images",
    ):
        drawn(alone(), shots=22)


@pytest.mark.parametrize("there", [alone(), people()], ids=["alone", "people"])
@pytest.mark.parametrize("shots", [1, 4, 16, 21])
def test_few_shots_lie_in_all_and_leave_every_rank_to_validate_on(
    there: Samples, shots: int
) -> None:
    few, every = drawn(there, shots=shots), drawn(there)
    assert set(few.train) <= set(every.train)
    assert ranks(there, few.val).keys() == {0, 1, 2}


def test_each_fold_has_few_shots_of_its_own() -> None:
    one, other = (set(drawn(alone(900), fold=fold, shots=4).train) for fold in (0, 1))
    assert len(one & other) <= 1  # of 12 among 720, by chance 0.2


@pytest.mark.parametrize("shots", [0, -1])
def test_no_shots_are_refused(shots: int) -> None:
    with pytest.raises(SpecError, match=f"shots must be at least 1 per rank, got {shots}"):
        drawn(alone(), shots=shots)


def test_paper_trains_on_all_and_validates_on_test() -> None:
    split = drawn(alone(), protocol="paper")
    assert split.val == split.test
    assert len(split.train) == 72
    assert split.notes == ("validation images are the test images (protocol paper)",)
    assert len(drawn(alone(), protocol="paper", shots=24).train) == 72


def test_paper_trains_on_official_validation_images_too() -> None:
    there = with_parts("train", "val", "test")
    wanted = [s.name for s in there.samples if s.part != "test"]
    assert list(drawn(there, protocol="paper").train) == sorted(wanted)


def with_parts(*parts: Part | None, per_rank: int = 6) -> Samples:
    samples = alone(3 * per_rank * len(parts)).samples
    size = 3 * per_rank
    return listing([s._replace(part=parts[n // size]) for n, s in enumerate(samples)])


def test_official_parts_are_taken_as_they_are() -> None:
    there = with_parts("train", "val", "test")
    split = drawn(there)
    named = {
        p: tuple(s.name for s in there.samples if s.part == p) for p in ("train", "val", "test")
    }
    assert (split.train, split.val, split.test) == (named["train"], named["val"], named["test"])
    few = drawn(there, shots=2)
    assert set(few.val) < set(named["val"])
    assert ranks(there, few.val) == {0: 2, 1: 2, 2: 2}


def test_official_parts_without_validation_give_up_an_eighth_of_train() -> None:
    there = with_parts("train", "test", per_rank=8)
    split = drawn(there)
    assert ranks(there, split.val) == {0: 1, 1: 1, 2: 1}
    assert split.test == tuple(s.name for s in there.samples if s.part == "test")


def test_a_part_that_only_some_images_have_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"18 images have no part, first '018\.png'"):
        drawn(with_parts("train", None, "test"))


@pytest.mark.parametrize(("given", "lacking"), [("train", "test"), ("test", "train")])
def test_official_parts_without_train_or_test_are_refused(given: Part, lacking: Part) -> None:
    with pytest.raises(DatasetError, match=f"have official parts, but none is for {lacking}; name"):
        drawn(with_parts(given))


def test_official_folds_are_taken_as_they_are() -> None:
    there = listing([s._replace(fold=n // 3 % 4 * 2) for n, s in enumerate(alone().samples)])
    assert drawn(there, fold=4).test == tuple(s.name for s in there.samples if s.fold == 4)
    with pytest.raises(SpecError, match="x has no fold 1; available: 0, 2, 4, 6"):
        drawn(there, fold=1)


def test_a_fold_that_only_some_images_have_is_refused() -> None:
    first, *others = alone().samples
    with pytest.raises(DatasetError, match="89 images have no fold"):
        drawn(listing([first._replace(fold=0), *others]))


@pytest.mark.parametrize(
    ("there", "folds"),
    [(alone(), "0, 1, 2, 3, 4"), (with_parts("train", "test"), "0")],
    ids=["by hash", "official parts"],
)
def test_a_fold_that_is_not_there_is_refused(there: Samples, folds: str) -> None:
    with pytest.raises(SpecError, match=rf"x has no fold 5; available: {folds}$"):
        drawn(there, fold=5)


def test_official_draws_win_and_images_that_cannot_be_read_are_left_out() -> None:
    names = [s.name for s in alone().samples]
    draws = (
        OfficialSplit(train=tuple(names[:60]), test=tuple(names[60:])),
        OfficialSplit(train=(*names[30:], "unreadable.png"), test=tuple(names[:30])),
    )
    there = replace(alone(), draws=draws)
    assert [drawn(there, fold=fold).test for fold in (0, 1)] == [
        tuple(names[60:]),
        tuple(names[:30]),
    ]
    split = drawn(there, fold=1)
    assert sorted(split.train + split.val) == names[30:]
    with pytest.raises(SpecError, match="x has no fold 2; available: 0, 1"):
        drawn(there, fold=2)


def leaking() -> Samples:
    """One person in train and test, by the parts that are given."""
    samples = [s._replace(group=f"p{n}") for n, s in enumerate(with_parts("train", "test").samples)]
    return listing([*samples[:-1], samples[-1]._replace(group="p0")])


def test_a_person_in_train_and_test_fails_the_build() -> None:
    with pytest.raises(DatasetError, match="x, fold 0: group 'p0' is in two parts"):
        drawn(leaking())


def test_a_split_that_is_published_like_that_says_how_many_it_concerns() -> None:
    split = drawn(replace(leaking(), leaky=True))
    assert split.leaks == 1
    assert (
        split.notes[0] == "1 of 18 test images show a person or picture also in train or validation"
    )


def test_a_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    split = drawn(people(), shots=2, data_seed=3, fold=1)
    write_manifest(split, tmp_path / "deep" / "split.json")
    again = read_manifest(tmp_path / "deep" / "split.json")
    assert again == split
    assert apply_manifest(people(), again) == split
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["split.json"]


def test_names_of_a_manifest_meet_in_either_unicode_form() -> None:
    names = [f"é{number}.png" for number in range(3)]
    listing = replace(
        people(),
        samples=tuple(
            sample._replace(name=name, group=None)
            for name, sample in zip(names, people().samples, strict=False)
        ),
    )
    train, val, test = (unicodedata.normalize("NFD", name) for name in names)
    manifest = Split(dataset="x", train=(train,), val=(val,), test=(test,))
    composed = Split(dataset="x", train=(names[0],), val=(names[1],), test=(names[2],))
    split = apply_manifest(listing, manifest)
    assert split.hash == apply_manifest(listing, composed).hash == composed.hash
    assert split.test == (names[2],)


def test_a_manifest_says_its_hash_and_its_names_by_eye(tmp_path: Path) -> None:
    split = Split(dataset="x", train=("jörg.png",), val=("b",), test=("c",))
    write_manifest(split, tmp_path / "split.json")
    text = (tmp_path / "split.json").read_text(encoding="utf-8")
    assert f'"hash": "{split.hash}"' in text
    assert '"jörg.png"' in text


@pytest.mark.parametrize(
    ("line", "edited"),
    [
        ('"shots": 2', '"shots": 4'),
        ('"fold": 1', '"fold": 0'),
        ('"data_seed": 3', '"data_seed": 4'),
        (' "000.png",\n', ""),
    ],
)
def test_a_written_manifest_that_was_edited_is_refused(
    tmp_path: Path, line: str, edited: str
) -> None:
    path = tmp_path / "split.json"
    write_manifest(drawn(alone(), shots=2, data_seed=3, fold=1), path)
    text = path.read_text()
    assert line in text
    path.write_text(text.replace(line, edited))
    with pytest.raises(DatasetError, match=r"split\.json: checksum mismatch"):
        read_manifest(path)


def by_hand(path: Path, **changes: object) -> Path:
    names = [s.name for s in alone().samples]
    content: dict[str, object] = {
        "dataset": "x",
        "train": names[:60],
        "val": names[60:70],
        "test": names[70:],
    }
    path.write_text(json.dumps(content | changes))
    return path


def test_a_manifest_written_by_hand_needs_four_lines(tmp_path: Path) -> None:
    manifest = read_manifest(by_hand(tmp_path / "split.json"))
    split = apply_manifest(alone(), manifest)
    assert split.test == tuple(s.name for s in alone().samples[70:])
    assert split.hash == manifest.hash


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hash": "0" * 64}, 'no checksum; .* delete its lines "hash" and "checksum"'),
        ({"hash": ["a"]}, "no checksum"),
        ({"checksum": "0" * 64}, "checksum mismatch"),
        ({"format": "other"}, "wanted format 'ordbench-split-1', got 'other'"),
        ({"train": 3}, "train: wanted a list, got 3$"),
        ({"train": ["000.png", 7]}, "train, entry 2: wanted text, got 7$"),
        ({"trian": []}, "trian: unknown key; did you mean train"),
        ({"val": []}, "val: wanted a list that is not empty"),
        ({"shots": 0}, "shots: wanted at least 1, got 0$"),
        ({"shots": True}, "shots: wanted a whole number, got True$"),
        ({"fold": -1}, "fold: wanted at least 0, got -1$"),
        ({"fold": 2**32}, "fold: wanted less than 4294967296"),
        ({"data_seed": 2**32}, "data_seed: wanted less than 4294967296"),
        ({"dataset": ""}, "dataset: wanted text that is not empty"),
        ({"dataset": "folder:d"}, "dataset: wanted the name alone, 'folder', got 'folder:d'"),
        ({"protocol": "papre"}, "protocol: unknown protocol 'papre'; did you mean paper"),
        ({"notes": ["\ud800"]}, "a character that UTF-8 cannot hold"),
    ],
)
def test_a_manifest_that_is_not_one_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        read_manifest(by_hand(tmp_path / "split.json", **changes))
    assert "split.json" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read: it is empty; wanted a JSON file"),
        (b"[1]", "wanted an object with dataset, train, val and test"),
        (b"{", "cannot be read: it is not JSON: Expecting property name"),
        (b'{"train": [], "train": ["a"]}', "cannot be read: the key 'train' is given twice"),
        (b'{"train": ' + b"[" * 100_000, "cannot be read: it is nested too deeply"),
        ('{"é": 1}'.encode("latin-1"), "cannot be read: it is not text in UTF-8"),
        (b"{}", "dataset: it is missing"),
    ],
    ids=["empty", "list", "cut", "key twice", "deep", "latin-1", "no key"],
)
def test_a_file_that_is_no_manifest_is_one_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "split.json").write_bytes(content)
    with pytest.raises(DatasetError, match=rf"^split .*split\.json[:,]? {message}"):
        read_manifest(tmp_path / "split.json")


def test_a_manifest_that_is_no_file_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("gone", "No such file or directory"),
        (".", "Is a directory"),
        ("pipe", "not a regular file"),
    ):
        with pytest.raises(DatasetError, match=f"cannot be read: {why}; wanted a JSON file"):
            read_manifest(tmp_path / name)


def test_a_manifest_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = by_hand(tmp_path / "split.json")
    plain = read_manifest(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_manifest(path) == plain


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"test": ["./000.png"]},
            r"1 image that x does not have .*'\./000\.png', while its first .* called '000\.png'",
        ),
        ({"train": ["000.png", "000.png"]}, r"image '000\.png' is twice in train; name it once"),
        ({"val": ["000.png"] * 3}, r"image '000\.png' is twice in val"),
        ({"test": ["000.png"]}, r"image '000\.png' is in two parts of the split"),
        ({"shots": 4}, "says shots: 4, but rank '0' has 20 training images"),
    ],
    ids=["missing", "twice in train", "twice in val", "overlap", "shots"],
)
def test_a_manifest_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    manifest = read_manifest(by_hand(tmp_path / "split.json", **changes))
    with pytest.raises(DatasetError, match=message):
        apply_manifest(alone(), manifest)


def test_a_manifest_that_divides_a_person_fails_the_build() -> None:
    manifest = Split(dataset="x", train=("0-0.png",), val=("1-0.png",), test=("0-1.png",))
    with pytest.raises(DatasetError, match="group 'p0' is in two parts"):
        apply_manifest(people(), manifest)


def test_a_manifest_that_validates_on_test_is_refused_without_paper() -> None:
    manifest = drawn(alone(), protocol="paper")
    with pytest.raises(SpecError, match="made for --protocol paper, the run asks for standard"):
        apply_manifest(alone(), manifest)
    assert apply_manifest(alone(), manifest, "paper") == manifest
    other = manifest.model_copy(update={"val": manifest.test[:3]})
    with pytest.raises(
        DatasetError, match="validates on its test images, but its val and test differ"
    ):
        apply_manifest(alone(), other, "paper")
