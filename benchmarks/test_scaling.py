"""What training costs as K, N and D grow, a dataset as its rows do, and planning as its cells do.

Run: pytest benchmarks/test_scaling.py --benchmark-columns=min,median,rounds
Ten steps of five seeds trained as one model; one thread. Weights and images are random, and the
text tower is small: what grows is to be seen, and not what is there anyway. Datasets have 64 given
features and 10 ranks, and up to 100,000 rows; ORDBENCH_ROWS=1000000 adds a larger one.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from open_clip import SimpleTokenizer
from open_clip.transformer import TextTransformer
from pytest_benchmark.fixture import BenchmarkFixture

from ordbench.backbones.clip.text_tower import ClipText
from ordbench.latency.builders import HeadBuilder
from ordbench.latency.setting import LatencySetting
from ordbench.results.store import Store
from ordbench.runs.preparation import prepare
from ordbench.runs.record import Record
from ordbench.runs.resources import Locations, Resources
from ordbench.sweeps.api import sweep
from ordbench.sweeps.cells import Cell
from ordbench.sweeps.survey import PreparedCell, prepare_cells
from ordbench.training.trainer import LabelledFeatures, Replica, fit

Plan = Callable[..., list[Cell]]

SEEDS, STEPS = 5, 10
GROWTH = {
    **{f"K={ranks}": LatencySetting(num_ranks=ranks, batch=128) for ranks in (10, 100, 1000)},
    **{f"N={batch}": LatencySetting(batch=batch) for batch in (32, 128, 512)},
    **{f"D={width}": LatencySetting(in_features=width, batch=128) for width in (128, 512, 2048)},
}


FEATURES, RANKS, AT_A_TIME = 64, 10, 100_000
ROWS = [1_000, 10_000, 100_000, *map(int, os.environ.get("ORDBENCH_ROWS", "").split())]
STEPS_OF_A_DATASET = (
    "list",
    "split_all",
    "split_shots",
    "linear_shots",
    "ordinalclip_shots",
    "linear_all_in_large_batches",
    "linear_all",
    "table",
)


class SmallTowers(HeadBuilder):
    """Every width of features is aligned with a tower that is quick to train through."""

    def tower(self, setting: LatencySetting) -> ClipText:
        text = TextTransformer(width=64, heads=4, layers=2, output_dim=setting.in_features)
        text.eval().requires_grad_(False)
        return ClipText(text, SimpleTokenizer(), logit_scale=14.3, fingerprint="", what="random")


@pytest.fixture(scope="module")
def bench() -> HeadBuilder:
    return SmallTowers(["ordinalclip"])


def replica(head: str, setting: LatencySetting, seed: int, bench: HeadBuilder) -> Replica:
    """It trains on one batch again and again, and validates on one image at the end."""
    recipe = bench.recipe(head).model_copy(
        update={"min_steps": STEPS, "epochs": 1, "batch_size": setting.batch, "evaluations": 1}
    )
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(setting.batch, setting.in_features, generator=generator)
    ranks = torch.randint(setting.num_ranks, (setting.batch,), generator=generator)
    val = LabelledFeatures(features[:1], ranks[:1])
    return Replica(
        bench.fresh_head(head, setting), LabelledFeatures(features, ranks), val, recipe, seed
    )


@pytest.mark.benchmark(max_time=0.5, min_rounds=3)
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("head", ["linear", "ordinalclip"])
@pytest.mark.parametrize("size", GROWTH)
def test_training(benchmark: BenchmarkFixture, bench: HeadBuilder, head: str, size: str) -> None:
    benchmark.group = f"training {head} as {size[0]} grows"
    setting = GROWTH[size]
    replicas = [replica(head, setting, seed, bench) for seed in range(SEEDS)]
    fitted = benchmark(fit, replicas, torch.arange(setting.num_ranks, dtype=torch.float32))
    assert [one.steps for one in fitted] == [STEPS] * SEEDS


def planned(plan: Plan, number: int) -> list[Cell]:
    heads = (f"mean-variance:mean_weight={weight}" for weight in range(1, number + 1))
    return plan(*heads, shots="1", recipe=["min_steps=1", "epochs=1"])


@pytest.mark.benchmark(group="planning as cells grow", max_time=0.5, min_rounds=3)
@pytest.mark.parametrize("number", [10, 100, 1000])
def test_plan(benchmark: BenchmarkFixture, plan: Plan, number: int) -> None:
    """From what was typed to cells."""
    assert len(benchmark(planned, plan, number)) == number


def survey_anew(cells: list[Cell], settings: Locations, root: Path) -> list[bool]:
    """Prepare each run and look up whether it is done."""
    store = Store(root)
    found = prepare_cells(cells, Resources(settings))
    runs = [run for cell in found if isinstance(cell, PreparedCell) for run in cell.runs]
    return [store.has(run.identity.run_id) for run in runs]


@pytest.mark.benchmark(group="survey of what is missing, as cells grow")
@pytest.mark.parametrize("number", [10, 100, 1000])
def test_survey_of_a_new_sweep(
    benchmark: BenchmarkFixture, plan: Plan, settings: Locations, tmp_path: Path, number: int
) -> None:
    cells = planned(plan, number)
    found = benchmark.pedantic(survey_anew, [cells, settings, tmp_path], rounds=3)
    assert found == [False] * number


@pytest.mark.benchmark(group="survey of what is done, as cells grow")
@pytest.mark.parametrize("number", [10, 100, 1000])
def test_survey_of_a_finished_sweep(
    benchmark: BenchmarkFixture, plan: Plan, settings: Locations, tmp_path: Path, number: int
) -> None:
    cells, store, resources = planned(plan, number), Store(tmp_path), Resources(settings)
    (result,) = sweep(cells[0].specs, results=store.root, settings=settings)
    for cell in cells[1:]:
        store.write(like(result.record, cell, resources))
    found = benchmark.pedantic(survey_anew, [cells, settings, tmp_path], rounds=3)
    assert found == [True] * number


def like(record: Record, cell: Cell, resources: Resources) -> Record:
    """As if the cell's one run had come to the same."""
    (spec,) = cell.specs
    run_id = prepare(spec, resources).identity.run_id
    return record.model_copy(update={"run_id": run_id, "spec": spec, "predictions": None})


def write_rows(path: Path, rows: int) -> None:
    """Features that grow with the rank, under noise."""
    draw = np.random.default_rng(0)
    truth = draw.integers(0, RANKS, rows)
    slope = draw.standard_normal(FEATURES, dtype=np.float32)
    table = np.empty((rows, FEATURES), np.float32)
    for start in range(0, rows, AT_A_TIME):
        part = truth[start : start + AT_A_TIME, None] / np.float32(RANKS)
        noise = draw.standard_normal((len(part), FEATURES), np.float32)
        table[start : start + AT_A_TIME] = part * slope + noise
    np.savez(path, features=table, rank=truth)


@pytest.fixture(scope="module", params=ROWS, ids=str)
def rows(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def dataset(
    rows: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], dict[str, float]]]:
    """Does one step in a process that holds nothing else; what is to be said of it."""
    table = tmp_path_factory.mktemp("rows") / "table.npz"
    write_rows(table, rows)
    command = [sys.executable, str(Path(__file__).with_name("rows.py")), str(table)]
    with subprocess.Popen(
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        asked, answers = process.stdin, process.stdout
        assert answers.readline() == "\n"  # it has imported all

        def do(step: str) -> dict[str, float]:
            print(step, file=asked, flush=True)
            about: dict[str, float] = json.loads(answers.readline())
            return about

        yield do
        asked.close()
    table.unlink()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("step", STEPS_OF_A_DATASET)
def test_dataset(
    benchmark: BenchmarkFixture,
    dataset: Callable[[str], dict[str, float]],
    rows: int,
    step: str,
) -> None:
    if step == "linear_all" and rows > AT_A_TIME:
        pytest.skip("fifty epochs of batches of 128 take a quarter of an hour")
    benchmark.group = f"{step} as rows grow"
    benchmark.extra_info |= benchmark.pedantic(dataset, [step])
