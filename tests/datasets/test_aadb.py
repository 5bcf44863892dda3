from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError, SpecError
from ordbench_datasets.aadb import LISTS, Aadb

Put = Callable[[Path, Iterable[str]], Path]
FACES = ["farm1_255_20057921351_26f7f7a0dc_b.jpg", "farm4_3826_19985393.jpg", "farm1_487_9_b.jpg"]


def listed(root: Path, *texts: str) -> Path:
    """Write the lists of training, validation and test."""
    (root / "imgListFiles_label").mkdir(parents=True)
    for name, text in zip(LISTS.values(), texts, strict=True):
        (root / "imgListFiles_label" / name).write_text(text)
    return root


@pytest.mark.parametrize("test_image", [FACES[2], f"0.500_{FACES[2]}"])
def test_scores_are_cut_into_ranks(tmp_path: Path, put: Put, test_image: str) -> None:
    put(tmp_path / "datasetImages_warp256", FACES[:2])
    put(tmp_path / "AADB_newtest", [test_image])
    texts = (f"{FACES[0]} 0.2 \r\n", f"{FACES[1]} 1.0\n", f"{FACES[2]} 0.5\n")
    listing = Aadb(listed(tmp_path, *texts)).read()
    assert [(s.name, s.rank, s.part, dict(s.extra)) for s in listing.samples] == [
        (FACES[0], 1, "train", {"mean": 0.2}),
        (FACES[2], 2, "test", {"mean": 0.5}),
        (FACES[1], 4, "val", {"mean": 1.0}),
    ]
    assert listing.rejected == ()
    assert listing.notes == (
        "ranks in bins: below 0.2 < 0.2 to 0.4 < 0.4 to 0.6 < 0.6 to 0.8 < 0.8 or more",
    )


def test_bins_are_the_users_own(tmp_path: Path, put: Put) -> None:
    put(tmp_path, FACES)
    texts = (f"{FACES[0]} 0.499\n", f"{FACES[1]} 0.5\n", f"{FACES[2]} 0\n")
    listing = Aadb(listed(tmp_path, *texts), bins="0.5").read()
    assert [s.rank for s in listing.samples] == [0, 0, 1]
    with pytest.raises(SpecError, match=r"bins='0\.5;0\.2': wanted rising numbers"):
        Aadb(tmp_path, bins="0.5;0.2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.jpg 3\n", r"Validation.*line 1: wanted a score of 0 to 1, got 3"),
        ("a.jpg\n", r"Validation.*line 1: wanted 2 words \(image, score\), got 1"),
    ],
)
def test_another_list_is_refused(tmp_path: Path, put: Put, text: str, message: str) -> None:
    put(tmp_path, FACES)
    with pytest.raises(DatasetError, match=message):
        Aadb(listed(tmp_path, f"{FACES[0]} 0.2\n", text, "")).read()


def test_without_lists_it_says_what_it_expects(tmp_path: Path, put: Put) -> None:
    put(tmp_path, FACES)
    with pytest.raises(DatasetError, match=r"imgListTestNewRegression_score\.txt of .* a name and"):
        Aadb(tmp_path).read()
