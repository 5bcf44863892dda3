from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.aesthetics import Aesthetics, labelled

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]
HEADER = "#flickr_photo_id\tcategory\tbeauty_scores\n"
ROWS = (
    "1\tnature\t3,4,4,5,2\n22\tanimals\t3,4,3,4,5,2\n333\turban\t1,1,1,1,1\n4\tpeople\t5,5,5,5,4\n"
)


def listed(root: Path, text: str, name: str = "beauty-icwsm15-dataset.tsv") -> Path:
    (root / name).write_text(HEADER + text)
    return root


@pytest.mark.parametrize("name", ["beauty-icwsm15-dataset.tsv", "beauty.tsv"])
def test_the_rank_is_the_lower_median(tmp_path: Path, put: Put, name: str) -> None:
    put(tmp_path, ["nature/1.png", "22.jpg", "333.png", "55.png"])
    listing = Aesthetics(listed(tmp_path, ROWS, name)).read()
    assert [(s.name, s.rank, s.extra["category"]) for s in listing.samples] == [
        ("1", 3, "nature"),
        ("22", 2, "animals"),
        ("333", 0, "urban"),
    ]
    assert listing.rejected == (
        ("4", "listed, but not below the root"),
        ("55.png", "in no list"),
    )


def test_one_category_leaves_the_others_out(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["1.png", "22.jpg"])
    listing = Aesthetics(listed(tmp_path, ROWS), category="animals").read()
    assert [s.name for s in listing.samples] == ["22"]
    assert listing.notes == ("1 photograph of other categories left out",)
    with pytest.raises(DatasetError, match="holds no photograph of category urban"):
        Aesthetics(tmp_path, category="urban").read()


# Rows of the published list: an id, its category and its grades.
PUBLISHED = """\
4955360193\tanimals\t4,3,4,4,3,3,3,3,4,4
3685998412\tanimals\t4,5,4,4,5,5
63529070\turban\t3,3,2,3,2,2
4248006213\tanimals\t2,2,2,3,2,2,4,3,3,3
15975916\tpeople\t2,2,3,3,3,3,2,3,2,2
4315117023\tnature\t4,3,5,5,5
343167590\tnature\t5,5,5,3,5,1,5,5,5,1
4176075327\tnature\t2,3,5,4,4,4,1,1,5,1
"""


def test_rounded_means_are_the_labels_of_l2rclip(shared: Shared, tmp_path: Path) -> None:
    path = listed(tmp_path, PUBLISHED) / "beauty-icwsm15-dataset.tsv"
    folder = shared("splits/l2rclip/datalist/crowdbeauty")
    texts = [file.read_text() for file in folder.glob("*_datasets.txt")]
    theirs = dict(line.split() for text in texts for line in text.splitlines())
    ours = list(labelled(path, "mean"))
    assert len(ours) == 8
    assert [s.rank + 1 for s in ours] == [float(theirs[f"{s.name}.png"]) for s in ours]
    assert [s.rank + 1 for s in labelled(path, "median")] == [3, 4, 2, 2, 2, 5, 5, 3]


@pytest.mark.parametrize("scores", ["", "3,,4", "3,6", "0,1", "3.5", "3;4"])
def test_an_edited_grade_is_named(tmp_path: Path, put: Put, scores: str) -> None:
    put(tmp_path, ["1.png"])
    with pytest.raises(DatasetError, match="line 2, column beauty_scores: wanted grades of 1 to 5"):
        Aesthetics(listed(tmp_path, f"1\tnature\t{scores}\n")).read()
