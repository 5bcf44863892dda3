"""Deployed heads against linear, and what they cost as K, D and N grow.

Run: pytest benchmarks/test_latency.py --benchmark-columns=median,iqr,ops --benchmark-sort=name
One thread; weights are random and the text tower is small, for what is deployed holds none of it.
"""

import pytest
import torch
from open_clip import SimpleTokenizer
from open_clip.transformer import TextTransformer
from pytest_benchmark.fixture import BenchmarkFixture

from ordbench.backbones.clip.text_tower import ClipText
from ordbench.latency.builders import HeadBuilder
from ordbench.latency.compare import compare
from ordbench.latency.setting import LatencySetting
from ordbench.plugins.registry import HEADS

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = [(width, batch) for width in (512, 1024) for batch in (1, 32, 1024)]
GROWTH = {
    **{
        f"K={ranks}": LatencySetting(num_ranks=ranks, batch=32)
        for ranks in (10, 30, 100, 300, 1000)
    },
    **{f"D={width}": LatencySetting(in_features=width, batch=32) for width in (128, 512, 2048)},
    **{f"N={batch}": LatencySetting(batch=batch) for batch in (1, 32, 1024)},
}


class SmallTowers(HeadBuilder):
    """Every width of features is aligned with a tower that is quick to run."""

    def tower(self, setting: LatencySetting) -> ClipText:
        text = TextTransformer(width=64, heads=1, layers=1, output_dim=setting.in_features)
        text.eval().requires_grad_(False)
        return ClipText(text, SimpleTokenizer(), logit_scale=100, fingerprint="", what="random")


@pytest.fixture(scope="module")
def bench() -> SmallTowers:
    return SmallTowers(["all"])


def time_deployed(
    benchmark: BenchmarkFixture, bench: HeadBuilder, head: str, setting: LatencySetting
) -> None:
    module = bench.deployed(head, setting)
    features = torch.randn(setting.batch, setting.in_features)
    with torch.inference_mode():
        outputs = benchmark(module, features)
    assert len(outputs) == setting.batch


@pytest.mark.benchmark(max_time=0.3)
@pytest.mark.parametrize("head", sorted(HEADS))
@pytest.mark.parametrize(("width", "batch"), SIZES)
def test_deployed(
    benchmark: BenchmarkFixture, bench: HeadBuilder, head: str, width: int, batch: int
) -> None:
    benchmark.group = f"deployed, K=101, D={width:4}, N={batch:4}"
    time_deployed(benchmark, bench, head, LatencySetting(in_features=width, batch=batch))


@pytest.mark.benchmark(max_time=0.3)
@pytest.mark.parametrize("head", ["linear", "coral", "ordinalclip"])
@pytest.mark.parametrize("size", GROWTH)
def test_growth(benchmark: BenchmarkFixture, bench: HeadBuilder, head: str, size: str) -> None:
    benchmark.group = f"{head} as {size[0]} grows"
    time_deployed(benchmark, bench, head, GROWTH[size])


@pytest.mark.parametrize(("width", "batch"), SIZES)
def test_ordinalclip_deployed_beside_linear(
    benchmark: BenchmarkFixture, width: int, batch: int
) -> None:
    """Dividing by the length of the features is three operations, which one image feels."""
    benchmark.group = "ordinalclip and linear in the same rounds"
    setting = LatencySetting(in_features=width, batch=batch)
    pair = SmallTowers(["ordinalclip"])
    (found,) = benchmark.pedantic(lambda: list(compare([setting], pair)), rounds=1)
    ratio = found.rows[1].ratio
    assert ratio
    benchmark.extra_info["ratio to linear"] = ratio._asdict()
