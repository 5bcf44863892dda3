from __future__ import annotations

import json
from pathlib import Path

import pytest

from ordbench.dataset import Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.splits.draw import draw, protocol_name
from ordbench.splits.formats import read_split, write_split
from ordbench.splits.listed import divide, draw_divided
from ordbench.splits.manifest import apply_manifest
from ordbench.splits.split import Split
from ordbench.task import Task

TASK = Task(
    rank_names=("low", "mid one", "high"), rank_values=(0.1, 2.5, 70), unit="cm", context=""
)
NAMES = [f"{n % 3}/bild {n:02}, ü.jpg" for n in range(90)]
THERE = Samples(
    task=TASK, samples=tuple(Sample(name, Path(name), n % 3) for n, name in enumerate(NAMES))
)


def read_back(path: Path, protocol: str) -> Split:
    given = read_split(path)
    if isinstance(given, Split):
        return apply_manifest(THERE, given, protocol)
    divided = divide(THERE, given, dataset="x", protocol=protocol)
    return draw_divided(divided, dataset="x", fold=0, shots=None, data_seed=0)


@pytest.mark.parametrize("name", ["own.json", "own.csv", "own"])
@pytest.mark.parametrize(
    ("protocol", "shots"), [("standard", None), ("standard", 3), ("paper", None)]
)
def test_a_split_that_is_read_back_has_its_hash(
    tmp_path: Path, name: str, protocol: str, shots: int | None
) -> None:
    split = draw(THERE, dataset="x", protocol=protocol, fold=2, shots=shots, data_seed=1)
    write_split(split, THERE, tmp_path / name)
    assert read_back(tmp_path / name, protocol).hash == split.hash


def test_a_split_that_is_not_there_is_answered_with_what_may_be(tmp_path: Path) -> None:
    for name in ("lists", "lists.csv", "own.json"):
        with pytest.raises(DatasetError, match=r"No such file or directory; wanted .*test\.txt$"):
            read_split(tmp_path / name)


def test_changed_ranks_stand_in_a_manifest_only(tmp_path: Path) -> None:
    split = Split(
        dataset="x",
        train=(NAMES[0],),
        val=(NAMES[1],),
        test=(NAMES[2],),
        train_ranks={NAMES[0]: 2},
    )
    with pytest.raises(SpecError, match=r"changes the ranks of 1 training images, .* \.json file"):
        write_split(split, THERE, tmp_path / "own.csv")
    write_split(split, THERE, tmp_path / "own.json")
    assert read_back(tmp_path / "own.json", "standard").hash == split.hash


def test_another_ending_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    split = Split(dataset="x", train=(NAMES[0],), val=(NAMES[1],), test=(NAMES[2],))
    with pytest.raises(SpecError, match=r"own\.xlsx: wanted \.json .* got \.xlsx"):
        write_split(split, THERE, tmp_path / "own.xlsx")
    assert not list(tmp_path.iterdir())


def test_a_manifest_by_hand_may_spell_a_protocol_in_another_way(tmp_path: Path) -> None:
    split = draw(THERE, dataset="x", protocol="standard", fold=0, shots=2, data_seed=0)
    fields = split.model_dump(mode="json") | {"protocol": "long-tail:ratio=5"}
    (tmp_path / "own.json").write_text(json.dumps(fields))
    assert read_back(tmp_path / "own.json", protocol_name("long-tail:ratio=5.0")).test == split.test
