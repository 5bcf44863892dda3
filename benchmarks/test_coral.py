"""A training step of CORAL, forward, loss and backward, against coral-pytorch.

Run: pytest benchmarks/test_coral.py --benchmark-columns=min,median,rounds
K = 101 ranks, D = 512 features, N = 128 images, one thread, the same features, ranks and weights.
Loss and gradients are compared before the time is. Ours also standardises the features.
"""

from typing import NamedTuple

import pytest
import torch
from coral_pytorch.dataset import levels_from_labelbatch
from coral_pytorch.layers import CoralLayer
from coral_pytorch.losses import coral_loss
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from ordbench.head import Problem
from ordbench.task import Task
from ordbench_heads.coral import Coral

RANKS, WIDTH, IMAGES = 101, 512, 128

pytestmark = [
    pytest.mark.benchmark(group="CORAL, forward and backward", warmup=True),
    pytest.mark.usefixtures("one_thread"),
]


class Batch(NamedTuple):
    features: Tensor
    ranks: Tensor


class Step(NamedTuple):
    loss: Tensor
    weight: Tensor
    bias: Tensor


@pytest.fixture(scope="module")
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(IMAGES, WIDTH, generator=generator)
    return Batch(features, torch.randint(RANKS, (IMAGES,), generator=generator))


@pytest.fixture(scope="module")
def peer() -> CoralLayer:
    torch.manual_seed(1)
    return CoralLayer(WIDTH, RANKS)


@pytest.fixture(scope="module")
def ours(peer: CoralLayer) -> Coral:
    names = tuple(str(rank) for rank in range(RANKS))
    task = Task(
        rank_names=names, rank_values=tuple(map(float, names)), unit="years", context="it is"
    )
    problem = Problem(
        in_features=WIDTH,
        task=task,
        train_counts=torch.ones(RANKS, dtype=torch.int64),
        feature_mean=torch.zeros(WIDTH),
        feature_scale=torch.tensor(1.0),
    )
    head = Coral(problem)
    with torch.no_grad():
        head.score.weight.copy_(peer.coral_weights.weight)
        head.bias.copy_(peer.coral_bias)
    return head


def step(head: Coral, batch: Batch) -> Step:
    loss = head.loss(head(batch.features), batch.ranks)
    return Step(loss.detach(), *torch.autograd.grad(loss, (head.score.weight, head.bias)))


def peer_step(peer: CoralLayer, features: Tensor, levels: Tensor) -> Step:
    loss = coral_loss(peer(features), levels)
    parameters = (peer.coral_weights.weight, peer.coral_bias)
    return Step(loss.detach(), *torch.autograd.grad(loss, parameters))


def test_ordbench(benchmark: BenchmarkFixture, ours: Coral, batch: Batch) -> None:
    benchmark(step, ours, batch)


def test_coral_pytorch(
    benchmark: BenchmarkFixture, ours: Coral, peer: CoralLayer, batch: Batch
) -> None:
    """As its tutorials train: the levels are made of the ranks in each step."""

    def their_step() -> Step:
        return peer_step(peer, batch.features, levels_from_labelbatch(batch.ranks, RANKS))

    torch.testing.assert_close(their_step(), step(ours, batch))
    benchmark(their_step)


def test_coral_pytorch_with_the_levels_at_hand(
    benchmark: BenchmarkFixture, ours: Coral, peer: CoralLayer, batch: Batch
) -> None:
    levels = levels_from_labelbatch(batch.ranks, RANKS)
    torch.testing.assert_close(peer_step(peer, batch.features, levels), step(ours, batch))
    benchmark(peer_step, peer, batch.features, levels)
