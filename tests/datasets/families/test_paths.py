from __future__ import annotations

from pathlib import Path

from ordbench.data.image_files import FoundImage
from ordbench.dataset import Sample
from ordbench_datasets.families.paths import read_paths


def parse(path: str) -> Sample | str | None:
    folder, _, name = path.partition("/")
    if folder == "other":
        return None
    return Sample(name, None, int(folder)) if folder.isdecimal() else "no number"


def test_samples_come_by_name_and_the_rest_with_its_reason() -> None:
    paths = ["1/b", "2/a", "2/b", "3/c", "other/d", "x/e"]
    files = [FoundImage(path, Path(path), "empty file" if "c" in path else None) for path in paths]
    samples, rejected = read_paths(files, parse)
    assert [(s.name, s.rank, s.image) for s in samples] == [
        ("a", 2, Path("2/a")),
        ("b", 1, Path("1/b")),
    ]
    assert rejected == [
        ("2/b", "the same picture as 1/b"),
        ("3/c", "empty file"),
        ("x/e", "no number"),
    ]
