from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ordbench.data.duplicates import looks
from ordbench.data.verify import Finding, Verification, verify
from ordbench.dataset import OfficialSplit, Part, Sample, Samples, SkippedFile
from ordbench.task import Task

Picture = Callable[[int], Image.Image]
PARTS: tuple[Part, ...] = ("train", "val", "test")
TASK = Task(rank_names=("low", "mid", "high"), rank_values=(0, 1, 2), unit="ranks", context="it is")


@pytest.fixture
def sound(tmp_path: Path, picture: Picture) -> Samples:
    """Thirty pictures of two of three ranks, each of a person of its own."""
    for number in range(30):
        picture(number).save(tmp_path / f"{number:02}.png")
    samples = tuple(
        Sample(f"{n:02}.png", tmp_path / f"{n:02}.png", rank=n % 2, group=f"p{n}")
        for n in range(30)
    )
    return Samples(task=TASK, samples=samples)


def verified(listing: Samples) -> Verification:
    return verify("mine", listing, list(looks(listing.samples)))


def of(listing: Samples, *kinds: str) -> list[Finding]:
    return [finding for finding in verified(listing).findings if finding.kind in kinds]


def numbered(listing: Samples) -> Iterator[tuple[int, Sample]]:
    return enumerate(listing.samples)


def with_sample(listing: Samples, sample: Sample) -> Samples:
    return replace(listing, samples=(*listing.samples, sample))


def test_nothing_is_wrong_with_a_sound_dataset(sound: Samples) -> None:
    found = verified(replace(sound, rejected=(SkippedFile("readme.txt", "no image"),)))
    assert found.findings == ()
    assert (found.images, found.people, found.folds) == (30, 30, 0)
    assert found.per_rank == {"low": 15, "mid": 15, "high": 0}
    assert sum(found.parts.values()) == 30
    assert all(found.parts.values())
    assert found.left_out == {"no image": 1}


def test_unreadable_and_left_out_images_are_named(sound: Samples, tmp_path: Path) -> None:
    (tmp_path / "04.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = verified(replace(sound, rejected=(SkippedFile("x.jpg", "in no list"),)))
    unreadable, left_out = found.findings
    assert unreadable[:2] == ("unreadable", ("04.png",))
    assert unreadable.reason.startswith("cannot be decoded (")
    assert left_out == Finding("left out", ("x.jpg",), "in no list")
    assert found.images == 29


def test_copies_say_what_is_not_the_same_of_them(sound: Samples, tmp_path: Path) -> None:
    (tmp_path / "copy.png").write_bytes((tmp_path / "00.png").read_bytes())
    Image.open(tmp_path / "01.png").save(tmp_path / "pixels.bmp")
    Image.open(tmp_path / "02.png").save(tmp_path / "near.jpg", quality=70)
    listing = with_sample(sound, Sample("copy.png", tmp_path / "copy.png", 2, "p0"))
    listing = with_sample(listing, Sample("pixels.bmp", tmp_path / "pixels.bmp", 1, "else"))
    listing = with_sample(listing, Sample("near.jpg", tmp_path / "near.jpg", 0, "p2"))
    assert verified(listing).findings == (
        Finding("identical files", ("00.png", "copy.png"), "ranks low, high", ("ranks",)),
        Finding("identical pictures", ("01.png", "pixels.bmp"), "people else, p1", ("people",)),
        Finding("near-identical", ("02.png", "near.jpg"), ""),
    )


def test_of_many_names_the_first_are_told() -> None:
    names = tuple(f"{n:02}.png" for n in range(12))
    assert str(Finding("identical files", names, "ranks low, high")) == (
        f"identical files: {', '.join(names[:10])} and 2 more: ranks low, high"
    )


def test_copies_in_two_parts_of_the_split_are_told_and_stand_first(
    sound: Samples, tmp_path: Path
) -> None:
    samples = [s._replace(part=PARTS[n % 3], group=None) for n, s in numbered(sound)]
    copied: tuple[tuple[int, Part], ...] = ((0, "train"), (3, "test"))
    for number, part in copied:  # 00.png and 03.png are in train
        Image.open(tmp_path / f"{number:02}.png").save(tmp_path / f"near{number}.jpg")
        copy = tmp_path / f"near{number}.jpg"
        samples.append(Sample(copy.name, copy, rank=number % 2, part=part))
    found = verified(replace(sound, samples=tuple(samples)))
    across, within = found.by_kind()["near-identical"]
    assert across[1:] == (("03.png", "near3.jpg"), "parts train, test", ("parts",))
    assert within[1:] == (("00.png", "near0.jpg"), "", ())


def test_a_person_in_two_official_parts_is_found(sound: Samples) -> None:
    samples = [s._replace(part=PARTS[n % 3], group=f"p{n % 10}") for n, s in numbered(sound)]
    listing = replace(sound, samples=tuple(samples))
    (refused,) = of(listing, "split")
    assert "mine, fold 0: group 'p0' (and 9 others) is in two parts of the split" in refused.reason
    (told,) = of(replace(listing, leaky=True), "split")
    assert told.reason.startswith("mine, fold 0: 10 of 10 test images show a person")


def test_each_official_draw_is_looked_at(sound: Samples) -> None:
    names = [sample.name for sample in sound.samples]
    people = [s._replace(group=f"p{n // 10}") for n, s in numbered(sound)]
    apart = OfficialSplit(tuple(names[:10]), tuple(names[20:]), tuple(names[10:20]))
    mixed = OfficialSplit(tuple(names[:15]), tuple(names[20:]), tuple(names[15:20]))
    listing = replace(sound, samples=tuple(people), draws=(apart, mixed, apart))
    (refused,) = of(listing, "split")
    assert refused.reason.startswith("mine, fold 1: group 'p1' is in two parts")


def test_features_are_counted_and_identical_rows_noted() -> None:
    samples = tuple(Sample(f"{n}", None, rank=n % 2) for n in range(20))
    rows = np.arange(20, dtype=np.float32)[:, None] // 2
    found = verify("mine", Samples(task=TASK, samples=samples, features=rows), [])
    assert (found.images, found.findings) == (20, ())
    assert found.notes[-1].startswith("identical rows: 20 samples have 10 rows")
