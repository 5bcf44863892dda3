"""`ordbench table` over many records: from the index, while the index is made, and without one.

Run: pytest benchmarks/test_table.py --benchmark-columns=min,mean,rounds
100,000 records take half a minute to write: -k "not 100000" leaves them out.
"""

import hashlib
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from ordbench.leaderboard.build import build
from ordbench.leaderboard.formats import render
from ordbench.leaderboard.loading import load_tables
from ordbench.leaderboard.query import ask
from ordbench.recipe import Recipe
from ordbench.results.index import INDEX
from ordbench.results.layout import record_path
from ordbench.results.rows import flatten, group_by_cell
from ordbench.results.store import Store
from ordbench.runs.record import FeatureFacts, Record, SplitFacts, TaskFacts, TrainingFacts, to_json
from ordbench.runs.spec import RunSpec
from ordbench.utils.canonical_json import add_checksum, canonical, run_id

SCORES = ("mae", "accuracy", "cs@1", "cs@3", "cs@5", "qwk")
GRID: dict[str, list[Any]] = {
    "dataset": ["drawn-faces", "utkface", "fgnet", "morph", "adience"],
    "backbone": ["clip:tiny", "clip:RN50/openai", "clip:ViT-B-16/openai", "timm:resnet50"],
    "shots": [1, 2, 4, 8, 16, None],
    "head": [f"head-{number}" for number in range(12)],
}


def fabricated() -> Iterator[dict[str, Any]]:
    """Records without end: the grid with seed 0, the grid with seed 1, and so on."""
    draw = random.Random(0).random
    for seed in itertools.count():
        for values in itertools.product(*GRID.values()):
            cell = dict(zip(GRID, values, strict=True))
            spec = RunSpec(data_seed=seed, train_seed=seed, recipe=Recipe(), **cell)
            yield json.loads(to_json(record(spec))) | {
                "metrics": {
                    **{way: {name: draw() for name in SCORES} for way in ("argmax", "mean")},
                    "median": {name: draw() for name in SCORES},
                    "posterior": {"nll": draw(), "rps": draw()},
                },
                "baseline": {name: float(seed) for name in SCORES},
            }


def record(spec: RunSpec) -> Record:
    hashes = {
        name: hashlib.sha256(value.encode()).hexdigest()
        for name, value in {"head": spec.head, "images": spec.dataset}.items()
    }
    return Record(
        run_id=run_id(spec.model_dump(mode="json")),
        status="done",
        label=spec.head,
        spec=spec,
        task=TaskFacts(title=spec.dataset, num_ranks=8, unit="years", rank_values=(*range(8),)),
        split=SplitFacts(hash=hashes["images"], train=800, val=100, test=200),
        features=FeatureFacts(key=hashes["images"], dtype="float32"),
        training=TrainingFacts(steps=200, best_step=100, val_mae=5.0, parameters=1000),
        metrics={"median": {"mae": 5.0}},
        hashes=hashes,
        versions={"ordbench": "0.1.0", "python": "3.11.7", "torch": "2.9.0"},
        machine={"processor": "imagined", "cores": "2"},
        seconds={"features": 1.0, "fit": 2.0, "test": 0.5},
        created="2026-11-22T00:00:00+00:00",
    )


@pytest.fixture(scope="module", params=[1_000, 10_000, 100_000], ids=str)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("results")
    for fields in itertools.islice(fabricated(), request.param):
        path = record_path(root, fields["run_id"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(add_checksum(canonical(fields)))
        path.with_suffix(".parquet").touch()
    return Store(root)


def table_text(root: Path) -> str:
    return render(load_tables(root), "rich")


@pytest.mark.benchmark(group="ordbench table")
def test_the_index_is_there(benchmark: BenchmarkFixture, store: Store) -> None:
    table_text(store.root)
    benchmark.pedantic(table_text, [store.root], rounds=5)


@pytest.mark.benchmark(group="ordbench table")
def test_the_index_is_made(benchmark: BenchmarkFixture, store: Store) -> None:
    def remove() -> tuple[tuple[Path], dict[str, object]]:
        (store.root / INDEX).unlink(missing_ok=True)
        return (store.root,), {}

    benchmark.pedantic(table_text, setup=remove, rounds=1)


@pytest.mark.benchmark(group="ordbench table")
def test_every_file_is_read(benchmark: BenchmarkFixture, store: Store) -> None:
    """What a table took before there was an index; the answer is the same."""

    def table() -> str:
        return render(build(group_by_cell(map(flatten, store.records())), ask()), "rich")

    assert benchmark.pedantic(table, rounds=1) == table_text(store.root)
