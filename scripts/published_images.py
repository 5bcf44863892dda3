"""Make the table of published images from the lists that other repositories publish.

python scripts/published_images.py LISTS > datasets/ordbench_datasets/published_images.json

LISTS holds ``l2rclip`` (raywang335/L2RCLIP, MIT), ``adience_official`` (GilLevi's
AgeGenderDeepLearning) and ``facial-age-benchmark-databases`` (paplhjak's, MIT).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ordbench.data.published import PublishedImages, names_hash, ranks_hash
from ordbench.dataset import Part, Sample, Samples, SkippedFile
from ordbench.splits.draw import draw
from ordbench.task import Task
from ordbench_datasets import adience, agedb, clap2015, clap2016, fgnet, hci, morph
from ordbench_datasets._morph_lists import read_lists
from ordbench_datasets.families.apparent import FOLDERS, apparent
from ordbench_datasets.families.faces import Face, age_task

DATABASES = "facial-age-benchmark-databases"
DATALIST = "l2rclip/datalist"


def read_adience(lists: Path) -> Samples:
    """Faces of the official fold tables; some are listed twice."""
    folder = lists / "adience_official" / "Folds" / "original_txt_files"
    rows = adience.labelled([folder / f"fold_{fold}_data.txt" for fold in range(adience.FOLDS)])
    return _samples(_task(adience.RANGES.values()), rows)


def read_agedb(lists: Path) -> Samples:
    """Photographs by their file names."""
    names = [entry["img_path"].rpartition("/")[2] for entry in _entries(lists, "AgeDB")]
    return _faces(names, agedb.parse, agedb.AGES)


def read_clap2015(lists: Path) -> Samples:
    """Photographs with their official parts."""
    path = lists / DATALIST / "clap2015" / "total_2015.csv"
    return _samples(age_task(clap2015.AGES), clap2015.labelled(path))


def read_clap2016(lists: Path) -> Samples:
    """Photographs with their official parts: folders 0, 1 and 2."""
    parts: Sequence[Part] = ("train", "val", "test")
    rows: list[Sample | SkippedFile] = []
    for entry in _entries(lists, "CLAP2016"):
        part = parts[entry["folder"]]
        name = f"{FOLDERS[part]}/{entry['img_path'].rpartition('/')[2]}"
        rows.append(apparent(name, entry["age"], entry["std_age"], clap2016.AGES, part))
    return _samples(age_task(clap2016.AGES), rows)


def read_fgnet(lists: Path) -> Samples:
    """Photographs by their file names; a person is a fold."""
    names = [entry["img_path"].rpartition("/")[2] for entry in _entries(lists, "FG-Net")]
    return _faces(names, fgnet.parse, fgnet.AGES)


def read_hci(lists: Path) -> Samples:
    """Photographs by decade and file name."""
    rows: list[Sample] = []
    for rank, decade in enumerate(hci.DECADES):
        lines = (lists / DATALIST / "hci" / f"{decade}.txt").read_text(encoding="utf-8").split()
        names = [path.rpartition("/")[2] for path in lines[::2]]
        rows += [Sample(f"{decade}/{name}", None, rank) for name in names]
    return _samples(_task(hci.DECADES), rows)


def read_morph(lists: Path) -> Samples:
    """All mugshots, which the five lists of setting C name."""
    rows = read_lists(lists / DATALIST / "morph" / "settingC").rows
    return _faces([row.name for row in rows], morph.parse, range(101))


SOURCES: Mapping[str, tuple[str, Callable[[Path], Samples]]] = {
    "adience": ("Folds/original_txt_files of GilLevi/AgeGenderDeepLearning", read_adience),
    "agedb": (f"AgeDB.json of {DATABASES} (MIT)", read_agedb),
    "clap2015": ("datalist/clap2015 of L2RCLIP (MIT)", read_clap2015),
    "clap2016": (f"CLAP2016.json of {DATABASES} (MIT)", read_clap2016),
    "fgnet": (f"FG-Net.json of {DATABASES} (MIT)", read_fgnet),
    "hci": ("datalist/hci of L2RCLIP (MIT)", read_hci),
    "morph": ("datalist/morph/settingC of L2RCLIP (MIT)", read_morph),
}


def published(name: str, lists: Path, at_most: int = 100) -> PublishedImages:
    """The row of a dataset, from the lists below a folder; with so many folds at most."""
    source, read = SOURCES[name]
    listing = read(lists)
    folds = sorted({sample.fold for sample in listing.samples if sample.fold is not None})
    if any(sample.part for sample in listing.samples):
        folds = [0]
    splits = [
        draw(listing, dataset=name, protocol="standard", fold=fold, shots=None, data_seed=0)
        for fold in (folds or range(5))[:at_most]
    ]
    return PublishedImages(
        source=source,
        images=len(listing.samples),
        names=names_hash(listing),
        ranks=ranks_hash(listing),
        folds=tuple(split.hash for split in splits),
    )


def _task(names: Iterable[str]) -> Task:
    names = tuple(names)
    values = tuple(map(float, range(len(names))))
    return Task(rank_names=names, rank_values=values, unit="ranks", context="")


def _entries(lists: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((lists / DATABASES / f"{name}.json").read_text(encoding="utf-8"))


def _faces(names: Iterable[str], parse: Callable[[str], Face | str], ages: range) -> Samples:
    faces = [face for face in map(parse, names) if isinstance(face, Face)]
    rows = [Sample(f.name, None, ages.index(f.age), f.group, f.fold) for f in faces]
    return _samples(age_task(ages), rows)


def _samples(task: Task, rows: Iterable[Sample | SkippedFile]) -> Samples:
    """Rows as their reader would list them if every image were there."""
    found = {row.name: row for row in rows if isinstance(row, Sample)}
    return Samples(task=task, samples=tuple(found[name] for name in sorted(found)))


def main(lists: Path) -> None:
    """Print the table."""
    table = {name: published(name, lists).model_dump() for name in SOURCES}
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
