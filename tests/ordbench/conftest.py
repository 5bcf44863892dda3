"""What tests share: records of imagined runs, and their rows in tables."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ordbench.runs.record
from ordbench.leaderboard import build as leaderboard
from ordbench.leaderboard.note_texts import note_text
from ordbench.leaderboard.notes import Note
from ordbench.leaderboard.query import TableQuery, ask
from ordbench.leaderboard.table import Table
from ordbench.results.layout import record_path
from ordbench.results.rows import RunRow, group_by_cell
from ordbench.results.store import Store
from ordbench.runs.predictions import Predictions
from ordbench.runs.record import FeatureFacts, Record, SplitFacts, TaskFacts, TrainingFacts
from ordbench.runs.spec import RunSpec
from ordbench.utils.canonical_json import run_id

FlatRun = Callable[..., RunRow]

BASE = RunRow(
    run_id="",
    status="done",
    ranked=True,
    created="2026-11-22T00:00:00+00:00",
    label="coral",
    head="coral",
    head_options={},
    head_hash="c0",
    recipe={},
    text="",
    text_hash="",
    dataset="fgnet",
    dataset_argument="",
    dataset_options={},
    image_hash="i0",
    label_hash="l0",
    title="FG-NET",
    unit="years",
    backbone="clip:tiny",
    backbone_hash="b0",
    layer="post",
    normalize=False,
    dtype="float32",
    protocol="standard",
    fold=0,
    split="",
    other={},
    shots=None,
    leaks=False,
    short=False,
    few_validation=0,
    division="",
    data_seed=0,
    train_seed=0,
    ordbench="0.1.0",
    parameters=6,
    seconds_fit=0.5,
    val_mae=0.5,
    error=None,
    metrics={},
    baseline={},
)

PREDICTIONS = Predictions(
    samples=["a", "b"], ranks=np.array([0, 1]), estimates={"point": np.array([0.5, 1.0])}
)


def done(seed: int = 0, **changes: object) -> Record:
    """The record of an imagined run of CORAL."""
    fields: dict[str, object] = {
        "run_id": run_id({"seed": seed}),
        "status": "done",
        "label": "coral",
        "spec": RunSpec(head="coral", dataset="fgnet", data_seed=seed),
        "task": TaskFacts(title="FG-NET", num_ranks=2, unit="years"),
        "split": SplitFacts(hash="aa", train=8, val=4, test=2),
        "features": FeatureFacts(key="bb", dtype="float32"),
        "training": TrainingFacts(steps=10, best_step=5, val_mae=0.5, parameters=6),
        "metrics": {"median": {"mae": 0.25}},
    }
    return Record.model_validate(fields | changes)


@pytest.fixture
def flat_run() -> FlatRun:
    """A run of CORAL on FG-NET; ``mae`` stands for its score decoded by median."""
    made: list[RunRow] = []

    def make(head: str = "coral", mae: float | None = None, **changes: object) -> RunRow:
        scores = {} if mae is None else {"mae_median": mae}
        fields = {
            "head": head,
            "label": head,
            "metrics": scores,
            "run_id": run_id({"n": len(made)}),
        }
        seed = changes.pop("seed", 0)
        fields |= {"data_seed": seed, "train_seed": seed}
        made.append(replace(BASE, **(fields | changes)))
        return made[-1]

    return make


def build(runs: Iterable[RunRow], **asked: object) -> list[Table]:
    """The leaderboards of runs one by one."""
    query: Callable[..., TableQuery] = ask
    return leaderboard.build(group_by_cell(runs), query(**asked))


def said(notes: Iterable[Note]) -> tuple[str, ...]:
    """Notes in words."""
    return tuple(map(note_text, notes))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """A folder with a run of four heads on few drawn faces; the estimator's head is not kept."""
    from ordbench.runs.resources import Locations
    from ordbench.sweeps.api import sweep
    from ordbench.sweeps.spec import SweepSpec

    results = tmp_path_factory.mktemp("trained")
    spec = SweepSpec.from_options(
        head=["linear", "regression", "coop", "sklearn:DecisionTreeClassifier"],
        dataset="drawn-faces:per_rank=5",
        shots="3",
        recipe=["min_steps=4", "epochs=1"],
    )
    settings = Locations(cache=shared_cache, device="cpu")
    for result in sweep(spec, results=results, settings=settings):
        assert result.record.status == "done", result.trace
    return results


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path, trained: Path) -> Path:
    """A folder with the first 20 test images of these runs, by their number in the predictions."""
    from ordbench.data.loading import open_dataset

    folder = tmp_path_factory.mktemp("faces")
    listing = open_dataset("drawn-faces", options={"per_rank": 5}, cache=shared_cache)
    images = {sample.name: sample.image for sample in listing.samples}
    store = Store(trained)
    run_id = next(iter(store.records())).run_id
    for number, name in enumerate(store.read_predictions(run_id).samples[:20]):
        image = images[name]
        assert image is not None
        content = image.read_bytes() if isinstance(image, Path) else image.read()
        (folder / f"{number:02}.png").write_bytes(content)
    return folder


def record(seed: int, mae: float = 0.25, **changes: object) -> Record:
    about = {"metrics": {"median": {"mae": mae}}, "baseline": {"mae": float(seed)}}
    return done(seed, **(about | changes))


def failed(seed: int = 0) -> Record:
    return record(seed, status="failed", error="out of memory", metrics={}, task=None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Five runs, one of which failed."""
    store = Store(tmp_path)
    for seed in range(4):
        store.write(record(seed))
    store.write(failed(4))
    return store


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The run ids of the record files that were read."""
    read: list[str] = []
    real = ordbench.runs.record.from_sealed

    def count(content: bytes, run_id: str) -> Record:
        read.append(run_id)
        return real(content, run_id)

    monkeypatch.setattr(ordbench.runs.record, "from_sealed", count)
    return read


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Keep a run with predictions of one rank of two, and say where.

    Its errors are 10 years, ``worse``, and noise of the head and the seed.
    """
    task = TaskFacts(title="FG-NET", num_ranks=2, unit="years", rank_values=(0.0, 100.0))

    def keep(
        head: str,
        seed: int,
        *,
        worse: float = 0.0,
        images: int = 200,
        root: Path = tmp_path,
        spec: dict[str, object] | None = None,
        **predicted: object,
    ) -> Path:
        generator = np.random.default_rng([*head.encode(), seed])
        errors = 10 + worse + generator.normal(0, 1, images)
        fields: dict[str, object] = {
            "samples": [f"{index}.jpg" for index in range(images)],
            "ranks": np.zeros(images, np.int64),
            "estimates": {"point": errors},
            "rank_values": task.rank_values,
            "unit": task.unit,
        }
        described: dict[str, object] = {"head": head, "dataset": "fgnet", "data_seed": seed}
        described |= {"train_seed": seed, **(spec or {})}
        record = done(
            run_id=run_id({"about": str(described)}),
            label=head,
            spec=RunSpec.model_validate(described),
            task=task,
            metrics={"point": {"mae": float(errors.mean())}},
        )
        kept = Store(root).write(record, Predictions(**(fields | predicted)))  # type: ignore[arg-type]
        return record_path(root, kept.run_id)

    return keep
