"""What a training step costs as K, N and D grow, and what planning costs as the cells do.

Run: pytest benchmarks/test_scaling.py --benchmark-columns=min,median,rounds
Ten steps of five seeds trained as one model; one thread. Weights and images are random, and the
text tower is small: what grows is to be seen, and not what is there anyway.
"""

from collections.abc import Callable
from pathlib import Path

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
