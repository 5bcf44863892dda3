from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from ordbench.data.duplicates import MAX_BITS, Look, look, looks, near_hashes, near_identical
from ordbench.dataset import Sample

Picture = Callable[[int], Image.Image]


def test_pairs_of_near_hashes_are_those_of_a_scan_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2**64, 60, dtype=np.uint64).repeat(5)
    flips = rng.random((len(base), 64)) < 0.06  # about 4 bits each, so 7 or 8 between two
    hashes = base ^ np.packbits(flips, axis=1).view(np.uint64).ravel()
    near = {
        (first, second)
        for first, second in combinations(range(len(hashes)), 2)
        if int(hashes[first] ^ hashes[second]).bit_count() <= MAX_BITS
    }
    found = [tuple(sorted(pair.tolist())) for pairs in near_hashes(hashes) for pair in pairs.T]
    assert 100 < len(near) < 500, "some of the 600 pairs of one base are near, and some are not"
    assert sorted(found) == sorted(near), "each pair once"


def test_copies_are_found_and_pictures_of_one_shape_in_other_colours_are_not(
    tmp_path: Path, picture: Picture
) -> None:
    one = picture(0)
    one.save(tmp_path / "a.png")
    one.save(tmp_path / "re-encoded.jpg", quality=60)
    one.resize((61, 59)).save(tmp_path / "resized.png")
    ImageEnhance.Brightness(one).enhance(1.05).save(tmp_path / "brighter.png")
    red, green, blue = picture(1).split()
    Image.merge("RGB", (red, green, green)).save(tmp_path / "red.png")
    Image.merge("RGB", (blue, green, red)).save(tmp_path / "swapped.png")
    Image.merge("RGB", (red, green, blue)).save(tmp_path / "straight.png")
    for number in range(2, 40):
        picture(number).save(tmp_path / f"other{number}.png")
    names = sorted(path.name for path in tmp_path.iterdir())
    (group,) = near_identical([look(tmp_path / name) for name in names])
    assert [names[place] for place in group] == [
        "a.png",
        "brighter.png",
        "re-encoded.jpg",
        "resized.png",
    ]


def test_plain_pictures_have_one_hash_and_are_told_by_their_colours() -> None:
    levels = (0, 5, 100, 104, 200)
    plain = [
        Look("", str(n), 0, np.full((16, 16, 3), level, dtype=np.uint8))
        for n, level in enumerate(levels)
    ]
    assert near_identical(plain) == [[0, 1], [2, 3]]


def test_twenty_thousand_copies_are_one_group_at_once() -> None:
    grey, white = (np.full((16, 16, 3), level, dtype=np.uint8) for level in (100, 255))
    pictures = [Look("", "", 5, white if n == 7 else grey) for n in range(20_000)]
    assert near_identical(pictures) == [[n for n in range(20_000) if n != 7]]


def test_pictures_are_joined_through_what_lies_between_them() -> None:
    chain = [Look("", "", 0, np.full((16, 16, 3), 10 * n, dtype=np.uint8)) for n in (0, 1, 2, 3, 5)]
    assert near_identical([*chain[::-1], chain[0]]) == [[1, 2, 3, 4, 5]]


def test_no_picture_is_like_no_other() -> None:
    assert near_identical([]) == []


def test_looks_come_in_the_order_of_the_samples_and_name_what_cannot_be_read(
    tmp_path: Path, picture: Picture
) -> None:
    for number in range(8):
        picture(number).save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:60])
    samples = [Sample(f"{n}.png", tmp_path / f"{n}.png", rank=0) for n in range(8)]
    first, again = list(looks(samples, 1)), list(looks(samples, 4))
    assert isinstance(first[3], str)
    assert first[3].startswith("cannot be decoded (")
    for one, other, sample in zip(first, again, samples, strict=True):
        if isinstance(one, Look):
            assert isinstance(other, Look)
            assert one[:3] == other[:3] == look(tmp_path / sample.name)[:3]
        else:
            assert one == other
