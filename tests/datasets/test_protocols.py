"""Every protocol on datasets that are read: no person and no identical bytes on two sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import PIL.Image
import pytest

from ordbench.data.loading import open_dataset
from ordbench.dataset import Samples
from ordbench.errors import DatasetError
from ordbench.plugins.registry import PROTOCOLS
from ordbench.splits.draw import draw, open_protocol
from ordbench.splits.pictures import join_identical
from ordbench.utils.images import pixels_hash

OPTIONS = {
    "budget": "images=16",
    "kfold": "folds=4",
    "label-noise": "share=0.3",
    "long-tail": "ratio=5",
    "shift": "classes=2:samples=0.5",
}
TYPED = [f"{name}:{OPTIONS[name]}" if name in OPTIONS else name for name in sorted(PROTOCOLS)]
Read = tuple[Samples, dict[str, bytes]]
"""Samples with identical pictures joined, and the bytes of each."""


def photographs(folder: Path, names: Iterable[str]) -> None:
    """One picture a name, but every sixth shows what the one before it shows."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shown = number - (number % 6 == 5)
        PIL.Image.new("RGB", (2, 2), (shown % 256, shown // 256, 9)).save(path, "PNG")


def read(name: str, argument: str, root: Path, cache: Path) -> Read:
    options = {"per_rank": 4} if name.startswith("drawn-") else {}
    listing = open_dataset(name, argument, options, data_root=root, cache=cache)
    content: dict[str, bytes] = {}
    for sample in listing.samples:
        assert sample.image is not None
        image = sample.image
        content[sample.name] = image.read_bytes() if isinstance(image, Path) else image.read()
    return join_identical(listing, [pixels_hash(s.open()) for s in listing.samples]), content


@pytest.fixture(scope="module", params=["drawn-fruit", "fgnet", "utkface", "folder", "csv"])
def dataset(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_cache: Path
) -> tuple[str, Read]:
    name: str = request.param
    root, argument = tmp_path_factory.mktemp("data"), ""
    if name == "fgnet":
        files = [f"{who:03}A{age:02}.JPG" for who in range(1, 31) for age in (3, 20, 41)]
        photographs(root / name, [f"FGNET/images/{file}" for file in files])
    elif name == "utkface":
        files = [f"{20 + n % 5}_{n % 2}_0_{20170109150557335 + n}.jpg" for n in range(120)]
        photographs(root / name, files)
    elif name == "folder":
        photographs(root, [f"{n % 3}/{n:03}.png" for n in range(120)])
        argument = str(root)
    elif name == "csv":
        photographs(root, [f"{n:03}.png" for n in range(120)])
        rows = [f"{n:03}.png,{n % 3},p{n // 5}" for n in range(120)]
        (root / "labels.csv").write_text("\n".join(["file,rank,group", *rows]), encoding="utf-8")
        argument = str(root / "labels.csv")
    return name, read(name, argument, root, shared_cache)


@pytest.mark.parametrize("protocol", TYPED)
def test_no_person_and_no_identical_bytes_are_on_two_sides(
    dataset: tuple[str, Read], protocol: str
) -> None:
    name, (listing, content) = dataset
    ungrouped = any(sample.group is None for sample in listing.samples)
    if protocol == "leave-one-group-out" and ungrouped:
        with pytest.raises(DatasetError, match="have no person or group"):
            draw(listing, dataset=name, protocol=protocol, fold=0, shots=None, data_seed=0)
        return
    group_of = {sample.name: sample.group for sample in listing.samples}
    budget = protocol.startswith("budget")  # has no shots
    for shots in (None,) if budget else (None, 1, 2):
        split = draw(listing, dataset=name, protocol=protocol, fold=1, shots=shots, data_seed=0)
        parts = [split.train, split.test]
        if not open_protocol(protocol).validates_on_test:
            parts.append(split.val)
        known: tuple[Callable[[str], object], ...] = (group_of.get, content.get)
        for tell in known:
            sides = [{tell(file) for file in part} - {None} for part in parts]
            assert sum(map(len, sides)) == len(set[object]().union(*sides))


def test_there_are_identical_pictures(dataset: tuple[str, Read]) -> None:
    name, (_, content) = dataset
    assert name.startswith("drawn-") or len(set(content.values())) < len(content)
