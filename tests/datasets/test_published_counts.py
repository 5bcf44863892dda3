"""What each reader makes of the published lists, beside the published counts.

No image is needed: a reader is told that every listed one lies there.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ordbench.data.image_files import FoundImage
from ordbench.dataset import Samples
from ordbench_datasets.adience import Adience
from ordbench_datasets.aesthetics import Aesthetics
from ordbench_datasets.agedb import AgeDb
from ordbench_datasets.clap2015 import Clap2015
from ordbench_datasets.clap2016 import Clap2016
from ordbench_datasets.fgnet import FgNet
from ordbench_datasets.hci import HistoricalColorImages
from ordbench_datasets.morph import Morph

Shared = Callable[[str], Path]
There = Callable[..., Path]
"""Pretend that images of these names lie below a folder, with lists; returns the folder."""

L2RCLIP = "splits/l2rclip/datalist"
FACEBASE = "splits/facial-age-benchmark-databases"


class Folder(NamedTuple):
    """An `ImageFolder` of images that need not exist."""

    found: list[FoundImage]

    def files(self) -> list[FoundImage]:
        return self.found


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> There:
    def pretend(images: Iterable[str], lists: Iterable[Path] = ()) -> Path:
        found = [FoundImage(name, tmp_path, None) for name in sorted(images)]
        folder = Folder(found + [FoundImage(path.name, path, "a list") for path in lists])
        for module in ("faces", "listed"):
            where = f"ordbench_datasets.families.{module}.image_folder"
            monkeypatch.setattr(where, lambda path: folder)
        return tmp_path

    return pretend


def entries(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def adience(shared: Shared, there: There) -> Samples:
    lists = sorted(shared("splits/adience_official/Folds/original_txt_files").glob("*.txt"))
    text = (line for path in lists for line in path.read_text(encoding="utf-8").splitlines())
    rows = csv.DictReader(text, delimiter="\t")
    face = "aligned/{user_id}/landmark_aligned_face.{face_id}.{original_image}"
    named = {face.format(**row) for row in rows if row["user_id"] != "user_id"}
    return Adience(there(named, lists)).read()


def aesthetics(shared: Shared, there: There) -> Samples:
    """The lists of L2RCLIP have rounded means; here each is the grade of its only rater."""
    rows = [
        (*line.split(), path.name.partition("_")[0])
        for path in shared(f"{L2RCLIP}/crowdbeauty").glob("*_datasets.txt")
        for line in path.read_text().splitlines()
    ]
    table = there(()) / "beauty.tsv"
    lines = [f"{name[:-4]}\t{category}\t{float(grade):.0f}\n" for name, grade, category in rows]
    table.write_text("#flickr_photo_id\tcategory\tbeauty_scores\n" + "".join(lines))
    return Aesthetics(there((name for name, _, _ in rows), [table])).read()


def agedb(shared: Shared, there: There) -> Samples:
    faces = entries(shared(f"{FACEBASE}/AgeDB.json"))
    return AgeDb(there(face["img_path"] for face in faces)).read()


def clap2015(shared: Shared, there: There) -> Samples:
    table = shared(f"{L2RCLIP}/clap2015/total_2015.csv")
    rows = csv.DictReader(table.read_text().splitlines())
    return Clap2015(there((row["filename"] for row in rows), [table])).read()


def clap2016(shared: Shared, there: There) -> Samples:
    """Its lists are written from the entries of "A Call to Reflect"."""
    faces = entries(shared(f"{FACEBASE}/CLAP2016.json"))
    lists = [there(()) / f"{part}_gt.csv" for part in ("train", "valid", "test")]
    for folder, path in enumerate(lists):
        of = [face for face in faces if face["folder"] == folder]
        rows = [f"{Path(f['img_path']).name},{f['age']},{f['std_age']}\n" for f in of]
        path.write_text("image,mean,stdv\n" + "".join(rows))
    return Clap2016(there((face["img_path"] for face in faces), lists)).read()


def fgnet(shared: Shared, there: There) -> Samples:
    faces = entries(shared(f"{FACEBASE}/FG-Net.json"))
    return FgNet(there(face["img_path"] for face in faces)).read()


def hci(shared: Shared, there: There) -> Samples:
    lists = shared(f"{L2RCLIP}/hci").glob("*.txt")
    rows = [line.split() for path in lists for line in path.read_text().splitlines()]
    names = [f"decade_database/{decade}/{Path(path).name}" for path, decade in rows]
    return HistoricalColorImages(there(names)).read()


def morph(setting: str) -> Callable[[Shared, There], Samples]:
    def read(shared: Shared, there: There) -> Samples:
        lists = shared(f"{L2RCLIP}/morph/{setting}")
        text = "".join(path.read_text() for path in lists.glob("*.txt"))
        names = set(re.findall(r"\d{6}_\d+[MF]\d\d\.JPG", text))
        return Morph(there(names), list=str(lists), ages="16-77").read()

    return read


class Published(NamedTuple):
    """What is published of a list, or was counted in it by other means.

    Attributes:
        images: Samples that are read.
        ranks: K.
        values: Lowest and highest value of a rank that occurs.
        dropped: What is left out, by the end of its reason.
        sizes: Of the official parts, of the test set of each draw, or of the folds, categories or
            ranks; smallest first. Empty where none are published.
        people: Groups; 0 where none are published.
        note: How the first note begins.
    """

    images: int
    ranks: int
    values: tuple[int, int]
    dropped: Mapping[str, int] = {}
    sizes: tuple[int, ...] = ()
    people: int = 0
    note: str = ""


# Of the 19,487 rows of Adience 17,424 have one of the eight ranges, and 17,321 faces are in them.
DIRTY = {"is none of the eight ranges": 2_063, "listed more than once": 103}
A = "settingA: 5 train/test draws, random (RS): up to 686 of 888 people in a test set are also in"
B = "settingB: 3 sets, random (RS): 4240 of 8992 people stand in more than one"
C = "settingC: 5 sets, random (RS): 12365 of 13617 people stand in more than one"
D = "settingD: 5 sets, subject-exclusive (SE) but for a few: 180 of 13617 people stand in"

CASES: dict[str, tuple[Callable[[Shared, There], Samples], Published]] = {
    "adience": (adience, Published(17_321, 8, (0, 7), DIRTY)),
    "aesthetics": (
        aesthetics,
        Published(13_316, 5, (0, 4), sizes=(2_695, 3_214, 3_294, 4_113)),
    ),
    "agedb": (agedb, Published(16_488, 101, (1, 101), people=567)),
    "clap2015": (clap2015, Published(4_691, 83, (3, 85), sizes=(1_079, 1_136, 2_476))),
    "clap2016": (clap2016, Published(7_591, 96, (1, 96), sizes=(1_500, 1_978, 4_113))),
    "fgnet": (fgnet, Published(1_002, 70, (0, 69), people=82)),
    "hci": (hci, Published(1_325, 5, (193, 197), sizes=(265,) * 5)),
    "morph, setting A": (
        morph("settingA"),
        Published(5_942, 62, (16, 77), sizes=(1_098,) * 5, note=A),
    ),
    "morph, setting B": (
        morph("settingB"),
        Published(21_000, 62, (16, 77), sizes=(14_000,) * 3, note=B),
    ),
    "morph, setting C": (
        morph("settingC"),
        Published(55_134, 62, (16, 77), sizes=(11_026, *(11_027,) * 4), people=13_617, note=C),
    ),
    "morph, setting D": (
        morph("settingD"),
        Published(
            55_134,
            62,
            (16, 77),
            sizes=(11_012, 11_015, 11_026, 11_035, 11_046),
            people=13_617,
            note=D,
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_published_list_has_the_published_counts(name: str, shared: Shared, there: There) -> None:
    read, published = CASES[name]
    listing = read(shared, there)
    samples, ranks = listing.samples, listing.task.rank_values
    assert (len(samples), len(ranks)) == (published.images, published.ranks)
    values = [ranks[sample.rank] for sample in samples]
    assert (min(values), max(values)) == published.values
    reasons = [rejection.reason for rejection in listing.rejected]
    dropped = {end: sum(r.endswith(end) for r in reasons) for end in published.dropped}
    assert (dropped, sum(dropped.values())) == (published.dropped, len(reasons))
    if published.sizes:
        assert sizes(listing) == published.sizes
    if published.people:
        assert len({sample.group for sample in samples}) == published.people
    assert "".join(listing.notes[:1]).startswith(published.note)


def sizes(listing: Samples) -> tuple[int, ...]:
    if listing.draws:
        return tuple(sorted(len(draw.test) for draw in listing.draws))
    keys = [(s.part, s.fold, s.extra.get("category"), s.rank) for s in listing.samples]
    known = (
        counts for column in zip(*keys, strict=True) if None not in (counts := Counter(column))
    )
    return tuple(sorted(next(known).values()))
