"""A training step of the prompt encoder: against 77 tokens, and against its matrix products alone.

Run: pytest benchmarks/test_prompt.py --benchmark-columns=min,mean,rounds
K = 101 ranks, M = 10 context tokens, the text tower of ViT-B-32 with random weights.
"""

import pytest
import torch
from open_clip import SimpleTokenizer
from open_clip.transformer import TextTransformer
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor
from torch.nn import functional as F

from ordbench.backbones.clip.text_tower import ClipText
from ordbench.prompts.layout import PromptLayout, random_tokens
from ordbench.prompts.prefix_encoder import PrefixEncoder

RANKS, CONTEXT = 101, 10

pytestmark = pytest.mark.benchmark(group="prompt encoder, forward and backward")


@pytest.fixture(scope="module")
def tower() -> ClipText:
    torch.manual_seed(0)
    model = TextTransformer().eval().requires_grad_(False)
    return ClipText(model, SimpleTokenizer(), logit_scale=14.3, fingerprint="", what="random")


@pytest.fixture(scope="module")
def tokens(tower: ClipText) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    context, ranks = random_tokens(tower, CONTEXT), random_tokens(tower, RANKS)
    return context.requires_grad_(), ranks.requires_grad_()


@pytest.fixture(scope="module")
def encoder(tower: ClipText) -> PrefixEncoder:
    layout = PromptLayout(tower, context_tokens=CONTEXT, rank_lengths=[1] * RANKS)
    return PrefixEncoder(tower, layout)


def encode_77(tower: ClipText, context: Tensor, ranks: Tensor) -> Tensor:
    """All prompts whole, padded to 77 tokens, as the official OrdinalCLIP code encodes them."""
    model, length = tower.model, CONTEXT + 4
    sot, stop, eot, pad = tower.embed(torch.tensor([49406, 269, 49407, 0])).split(1)
    fixed = torch.cat([stop, eot, pad.expand(77 - length, -1)]).expand(RANKS, -1, -1)
    opening = torch.cat([sot, context]).expand(RANKS, -1, -1)
    states = torch.cat([opening, ranks.unsqueeze(1), fixed], 1) + model.positional_embedding
    states = model.transformer(states, attn_mask=model.attn_mask)
    return model.ln_final(states[:, length - 1]) @ model.text_projection


def gradients(values: Tensor, tokens: tuple[Tensor, Tensor]) -> list[Tensor]:
    torch.manual_seed(2)
    weights = torch.randn_like(values)
    return [values.detach(), *torch.autograd.grad((values * weights).sum(), tokens)]


def test_shared_prefix(
    benchmark: BenchmarkFixture, encoder: PrefixEncoder, tokens: tuple[Tensor, Tensor]
) -> None:
    def step() -> list[Tensor]:
        return gradients(encoder(*tokens), tokens)

    benchmark.pedantic(step, rounds=10, warmup_rounds=1)


def test_77_tokens(
    benchmark: BenchmarkFixture,
    tower: ClipText,
    encoder: PrefixEncoder,
    tokens: tuple[Tensor, Tensor],
) -> None:
    """The answers of all 101 prompts are compared too."""

    def step() -> list[Tensor]:
        return gradients(encode_77(tower, *tokens), tokens)

    wanted = benchmark.pedantic(step, rounds=2)
    for got, reference in zip(gradients(encoder(*tokens), tokens), wanted, strict=True):
        assert (got - reference).norm() < 1e-5 * reference.norm()


def test_the_limit_is_the_matrix_products_alone(
    benchmark: BenchmarkFixture, tower: ClipText, encoder: PrefixEncoder
) -> None:
    rows = torch.randn(len(encoder.rows), tower.width)
    weights = [
        weight
        for block in encoder.blocks
        for weight in (
            block.attn.in_proj_weight,
            block.attn.out_proj.weight,
            block.mlp.c_fc.weight,
            block.mlp.c_proj.weight,
        )
    ]
    inputs = [rows.repeat(1, weight.shape[1] // tower.width) for weight in weights]

    def step() -> None:
        for weight, entering in zip(weights, inputs, strict=True):
            F.linear(entering, weight) @ weight

    benchmark.pedantic(step, rounds=10, warmup_rounds=1)
