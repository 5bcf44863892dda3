from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.func import vmap
from torch.utils.flop_counter import FlopCounterMode

from ordbench.backbone import TextTower
from ordbench.prompts.layout import Position, PromptLayout
from ordbench.prompts.prefix_encoder import PrefixEncoder
from tests.reference.prompt import encode_77
from tests.reference.text_tower import random_clip, vit_b_32


def relative(got: Tensor, wanted: Tensor) -> float:
    return ((got - wanted).norm() / wanted.norm()).item()


def both_ways(
    tower: TextTower,
    rank_lengths: Sequence[int],
    context_shape: tuple[int, ...],
    position: Position = "tail",
) -> tuple[list[Tensor], list[Tensor]]:
    """Values, gradient of the context and gradient of the ranks: ours, and the reference's."""
    generator = torch.Generator().manual_seed(1)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, tower.width, generator=generator) * 0.02

    context, ranks = random(*context_shape), random(sum(rank_lengths))
    context.requires_grad_()
    ranks.requires_grad_()
    layout = PromptLayout(
        tower,
        context_tokens=context_shape[-1],
        rank_lengths=rank_lengths,
        position=position,
        rank_specific=len(context_shape) == 2,
    )
    ours = PrefixEncoder(tower, layout)(context, ranks)
    reference = encode_77(tower, context, ranks.split(list(rank_lengths)), position)
    weights = torch.randn(ours.shape, generator=generator)
    answers = [
        [values.detach(), *torch.autograd.grad((values * weights).sum(), [context, ranks])]
        for values in (ours, reference)
    ]
    return answers[0], answers[1]


def assert_same(got: list[Tensor], wanted: list[Tensor]) -> None:
    for name, a, b in zip(("values", "context", "ranks"), got, wanted, strict=True):
        assert relative(a, b) < 1e-5, name


@pytest.mark.parametrize("position", ["tail", "middle", "front"])
@pytest.mark.parametrize("rank_lengths", [[1] * 5, [3] * 5, [1, 4, 2, 1, 3]], ids=str)
@pytest.mark.parametrize("context_shape", [(6,), (5, 6), (1,)], ids=str)
def test_values_and_gradients_are_those_of_77_tokens(
    position: Position, rank_lengths: list[int], context_shape: tuple[int, ...]
) -> None:
    assert_same(*both_ways(random_clip(), rank_lengths, context_shape, position))


@pytest.mark.parametrize(
    "tower",
    [
        random_clip(quick_gelu=True),
        random_clip(layer_scale=0.3),
        random_clip(projection="linear"),
        random_clip(projection="none"),
        random_clip(layers=1),
    ],
    ids=["quick gelu", "layer scale", "projection with bias", "no projection", "one block"],
)
def test_any_of_clips_towers_will_do(tower: TextTower) -> None:
    assert_same(*both_ways(tower, [1, 2, 1], (4,)))


def test_vit_b_32_with_101_ranks_agrees_with_77_tokens() -> None:
    """The reference is asked for 6 of the 101 prompts: the others have weight 0 in the sum."""
    tower, asked = vit_b_32(), [0, 1, 37, 50, 99, 100]
    generator = torch.Generator().manual_seed(1)
    context = (torch.randn(10, 512, generator=generator) * 0.02).requires_grad_()
    ranks = (torch.randn(101, 512, generator=generator) * 0.02).requires_grad_()
    weights = torch.randn(6, 512, generator=generator)
    layout = PromptLayout(tower, context_tokens=10, rank_lengths=[1] * 101)
    ours = PrefixEncoder(tower, layout)(context, ranks)[asked]
    reference = encode_77(tower, context, ranks[asked].split(1))
    got, wanted = (
        [values.detach(), *torch.autograd.grad((values * weights).sum(), [context, ranks])]
        for values in (ours, reference)
    )
    assert_same(got, wanted)


def test_it_takes_at_least_20_times_fewer_operations() -> None:
    """On the meta device: operations are counted, nothing is computed."""
    tower = vit_b_32()
    tower.model.to("meta")
    context = torch.zeros(10, 512, device="meta", requires_grad=True)
    ranks = torch.zeros(101, 512, device="meta", requires_grad=True)
    layout = PromptLayout(tower, context_tokens=10, rank_lengths=[1] * 101)
    encoder = PrefixEncoder(tower, layout)
    with FlopCounterMode(display=False) as ours:
        encoder(context, ranks).sum().backward()
    with FlopCounterMode(display=False) as reference:
        encode_77(tower, context, ranks.split(1)).sum().backward()
    assert ours.get_total_flops() > 0
    assert reference.get_total_flops() >= 20 * ours.get_total_flops()


def test_replicas_are_encoded_together_as_each_alone() -> None:
    tower = random_clip()
    layout = PromptLayout(tower, context_tokens=4, rank_lengths=[1, 2, 1])
    encoder = PrefixEncoder(tower, layout)
    contexts = torch.randn(3, 4, tower.width, requires_grad=True)
    ranks = torch.randn(3, 4, tower.width, requires_grad=True)
    together = vmap(encoder)(contexts, ranks)
    alone = torch.stack([encoder(c, r) for c, r in zip(contexts, ranks, strict=True)])
    assert relative(together, alone) < 1e-6
    for got, wanted in zip(
        torch.autograd.grad(together.square().sum(), [contexts, ranks]),
        torch.autograd.grad(alone.square().sum(), [contexts, ranks]),
        strict=True,
    ):
        assert relative(got, wanted) < 1e-6


def test_the_tower_gets_no_gradient() -> None:
    tower = random_clip()
    layout = PromptLayout(tower, context_tokens=2, rank_lengths=[1, 1])
    context = torch.randn(2, tower.width, requires_grad=True)
    PrefixEncoder(tower, layout)(context, torch.randn(2, tower.width)).sum().backward()
    assert context.grad is not None
    assert all(parameter.grad is None for parameter in tower.model.parameters())
