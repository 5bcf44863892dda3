from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from PIL import Image

from ordbench.data.archives import ZipMember
from ordbench.data.croissant import FEW, croissant
from ordbench.dataset import DatasetCard, Sample, Samples
from ordbench.splits.draw import draw
from ordbench.task import Task

Picture = Callable[[int], Image.Image]
CARD = DatasetCard(
    title="Mine",
    source="Me, You (2020). A paper. https://example.org/mine.",
    licence="CC BY 4.0",
    how_to_get="ask me",
    layout="images",
    ranks="low and high",
)


@pytest.fixture
def listing(tmp_path: Path, picture: Picture) -> Samples:
    task = Task(rank_names=("low", "high"), rank_values=(1, 5), unit="points", context="it is")
    samples: list[Sample] = []
    for number in range(20):
        file = tmp_path / "images" / f"{number % 2}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(file)
        samples.append(Sample(f"{number}", file, number % 2, group=f"p{number // 2}"))
    return Samples(task=task, samples=tuple(samples))


def written(listing: Samples) -> dict[str, Any]:
    split = draw(listing, dataset="mine", protocol="standard", fold=0, shots=None, data_seed=0)
    return croissant("mine", CARD, listing, split)


def validated(described: dict[str, Any], file: Path, caplog: pytest.LogCaptureFixture) -> Any:  # noqa: ANN401
    """The card as mlcroissant reads it; it raises an error where the format is violated."""
    import mlcroissant

    file.write_text(json.dumps(described))
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(jsonld=str(file))
    missing = re.findall(r'Property "https://schema.org/(\w+)" is recommended', caplog.text)
    assert set(missing) == {"version"}, "which of a dataset is known, its card does not say"
    return dataset


@pytest.mark.filterwarnings("ignore")  # of what mlcroissant imports
def test_mlcroissant_finds_no_error_and_reads_all_records(
    listing: Samples, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = validated(written(listing), tmp_path / "card.json", caplog)
    assert dataset.metadata.name == "mine"
    assert dataset.metadata.license == ["CC BY 4.0"]
    assert dataset.metadata.cite_as == CARD.source
    rows = list(dataset.records("samples"))
    assert [row["samples/rank"] for row in rows] == [sample.rank for sample in listing.samples]
    assert [row["samples/group"] for row in rows] == [sample.group for sample in listing.samples]
    assert [row["samples/image"] for row in rows[:2]] == ["0/0.png", "1/1.png"]
    assert {row["samples/split"] for row in rows} == {"train", "val", "test"}
    ranks = [(row["ranks/name"], row["ranks/value"]) for row in dataset.records("ranks")]
    assert ranks == [("low", 1.0), ("high", 5.0)]


def test_few_files_are_named_with_their_hashes(listing: Samples, tmp_path: Path) -> None:
    first, *others = written(listing)["distribution"]
    assert len(others) == 19
    content = (tmp_path / "images" / "0" / "0.png").read_bytes()
    assert first == {
        "@type": "cr:FileObject",
        "@id": "0/0.png",
        "name": "0/0.png",
        "contentUrl": "0/0.png",
        "encodingFormat": "image/png",
        "sha256": sha256(content).hexdigest(),
    }


def test_many_files_are_described_by_their_endings(listing: Samples, tmp_path: Path) -> None:
    more = [Sample(f"x{n}", tmp_path / "images" / f"{n}.jpg", 0, f"x{n}") for n in range(FEW)]
    (described,) = written(replace(listing, samples=(*listing.samples, *more)))["distribution"]
    assert described["@type"] == "cr:FileSet"
    assert described["includes"] == ["**/*.jpg", "**/*.png"]
    assert described["encodingFormat"] == ["image/jpeg", "image/png"]


@pytest.mark.filterwarnings("ignore")  # of what mlcroissant imports
def test_images_in_an_archive_are_described_with_the_hash_of_the_archive(
    listing: Samples, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive = tmp_path / "all.zip"
    with ZipFile(archive, "w") as packed:
        packed.writestr("readme.txt", "x")
    samples = [s._replace(image=ZipMember(archive, f"in/{s.name}.png")) for s in listing.samples]
    described = written(replace(listing, samples=tuple(samples)))
    whole, inside = described["distribution"]
    assert whole["sha256"] == sha256(archive.read_bytes()).hexdigest()
    assert whole["encodingFormat"] == "application/zip"
    assert inside["containedIn"] == [{"@id": "all.zip"}]
    assert described["recordSet"][-1]["data"][3]["samples/image"] == "in/3.png"
    validated(described, tmp_path / "card.json", caplog)


def test_what_is_unknown_is_left_out(listing: Samples) -> None:
    split = draw(listing, dataset="mine", protocol="standard", fold=0, shots=None, data_seed=0)
    card = replace(CARD, source="my own")
    alone = tuple(sample._replace(group=None) for sample in listing.samples)
    described = croissant("mine", card, replace(listing, samples=alone), split)
    assert not {"url", "datePublished"} & described.keys()
    fields = [field["name"] for field in described["recordSet"][-1]["field"]]
    assert fields == ["image", "name", "rank", "split"]
