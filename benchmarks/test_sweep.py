"""Five seeds trained together against one after the other, and against scikit-learn.

Run: pytest benchmarks/test_sweep.py --benchmark-columns=min,median,rounds
90 ranks, 4 images a rank, features of `clip:tiny` that are encoded already; one thread each. What
is timed is all of `ordbench run` but its start: splits, cached features, training, selection on
validation, test, all metrics, and records and predictions on disk. The records must be equal.

`linear` trains by its own recipe, `ordinalclip` for 60 steps. The loop with scikit-learn does
less: it has splits and features at hand, selects nothing, scores one metric and writes nothing.
"""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import ordbench
from ordbench.engines.local import local_engine
from ordbench.metrics.decoding import estimates
from ordbench.results.store import Store
from ordbench.runs.preparation import prepare
from ordbench.runs.record import Record
from ordbench.runs.resources import Locations, Resources
from ordbench.sweeps.cells import Cell, cells
from ordbench.sweeps.scheduler import Policy, Scheduler
from ordbench.sweeps.survey import PreparedCell

Plan = Callable[..., list[Cell]]

ROUNDS = 3
RECIPES = {"linear": [], "ordinalclip": ["min_steps=60", "epochs=1"]}


@pytest.fixture(scope="module", params=RECIPES)
def cell(request: pytest.FixtureRequest, plan: Plan) -> Cell:
    recipe = RECIPES[request.param]
    (planned,) = plan(request.param, shots="4", seeds="0-4", recipe=recipe)
    return planned


@pytest.fixture
def results(tmp_path: Path) -> Callable[[], Path]:
    """A new, empty store at each call."""
    return lambda: Path(tempfile.mkdtemp(dir=tmp_path))


@pytest.fixture(scope="module")
def wanted(
    cell: Cell, settings: Locations, tmp_path_factory: pytest.TempPathFactory
) -> list[Record]:
    """The records of the seeds that were trained together."""
    return together(cell, settings, tmp_path_factory.mktemp("wanted"))


@pytest.fixture(autouse=True)
def group(benchmark: BenchmarkFixture, cell: Cell) -> None:
    benchmark.group = f"{cell.specs[0].head}, {len(cell.specs)} seeds"


def together(cell: Cell, settings: Locations, root: Path) -> list[Record]:
    return in_this_process([cell], Resources(settings), Store(root))


def in_this_process(planned: list[Cell], resources: Resources, store: Store) -> list[Record]:
    with local_engine(resources) as engine:
        prepared = (
            PreparedCell(cell, [prepare(spec, resources) for spec in cell.specs])
            for cell in planned
        )
        return [one.record for one in Scheduler(store, engine, Policy()).run(prepared)]


def facts(records: Iterable[Record]) -> list[dict[str, object]]:
    """All but times: metrics, hashes of predictions, steps, versions."""
    return [record.model_dump(exclude={"seconds", "created", "checksum"}) for record in records]


def test_sweep(
    benchmark: BenchmarkFixture,
    cell: Cell,
    settings: Locations,
    wanted: list[Record],
    results: Callable[[], Path],
) -> None:
    def sweep() -> list[Record]:
        return together(cell, settings, results())

    assert facts(benchmark.pedantic(sweep, rounds=ROUNDS)) == facts(wanted)


def test_loop_of_single_runs_in_one_workspace(
    benchmark: BenchmarkFixture,
    cell: Cell,
    settings: Locations,
    wanted: list[Record],
    results: Callable[[], Path],
) -> None:
    """What training together alone gains: dataset, features and text tower are opened once."""

    def loop() -> list[Record]:
        singles = [single for spec in cell.specs for single in cells([spec])]
        return in_this_process(singles, Resources(settings), Store(results()))

    assert facts(benchmark.pedantic(loop, rounds=ROUNDS)) == facts(wanted)


def test_loop_of_single_runs(
    benchmark: BenchmarkFixture,
    cell: Cell,
    settings: Locations,
    wanted: list[Record],
    results: Callable[[], Path],
) -> None:
    """As a user would write it, in one process."""

    def loop() -> list[Record]:
        root = results()
        return [ordbench.run(spec, results=root, settings=settings) for spec in cell.specs]

    assert facts(benchmark.pedantic(loop, rounds=ROUNDS)) == facts(wanted)


@pytest.mark.parametrize("cell", ["linear"], indirect=True)
def test_loop_of_scikit_learn(
    benchmark: BenchmarkFixture, cell: Cell, settings: Locations, wanted: list[Record]
) -> None:
    """Logistic regression, a peer of `linear`; the MAE of both are kept beside the time."""
    resources = Resources(settings)
    prepared = [prepare(spec, resources) for spec in cell.specs]
    parts = [(one.labelled("train"), one.labelled("test")) for one in prepared]
    arrays = [
        (train.features.numpy(), train.ranks.numpy(), test.features.numpy(), test.ranks.numpy())
        for train, test in parts
    ]
    values = np.array(prepared[0].material.listing.task.rank_values)

    def loop() -> list[float]:
        maes: list[float] = []
        for features, ranks, test_features, test_ranks in arrays:
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
            model.fit(features, ranks)
            seen = values[model.classes_].tolist()
            answers = estimates(model.predict_proba(test_features), seen, "median")
            maes.append(float(np.abs(answers - values[test_ranks]).mean()))
        return maes

    with threadpool_limits(1):
        theirs = benchmark.pedantic(loop, rounds=ROUNDS)
    ours = [record.metrics["median"]["mae"] for record in wanted]
    benchmark.extra_info["mean MAE"] = {"scikit-learn": np.mean(theirs), "linear": np.mean(ours)}
    assert all(mae < record.baseline["mae"] for record, mae in zip(wanted, theirs, strict=True))
