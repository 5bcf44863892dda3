"""Heads that start from the ranks' sentences: each against its formula in plain Python."""

from math import exp, log, sqrt

import pytest
import torch
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.prompts.sentence_head import SentenceHead
from ordbench_heads.clap import Clap, multipliers_of
from ordbench_heads.clip_adapter import ClipAdapter
from ordbench_heads.taskres import TaskRes
from ordbench_heads.zeroshot import ZeroShot
from tests.reference.problem import problem

Rows = list[list[float]]
FEATURES = torch.randn(6, 24, generator=torch.Generator().manual_seed(3))


def trained(head: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in head.parameters() if parameter.requires_grad)


def cosines(one: Rows, other: Rows) -> Rows:
    def length(row: list[float]) -> float:
        return sqrt(sum(value * value for value in row))

    return [[sum(map(float.__mul__, a, b)) / length(a) / length(b) for b in other] for a in one]


def assert_logits(head: SentenceHead, images: Rows, prototypes: Rows) -> None:
    wanted = [[value / 0.07 for value in row] for row in cosines(images, prototypes)]
    torch.testing.assert_close(head(FEATURES), torch.tensor(wanted), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("head_class", [TaskRes, Clap, ClipAdapter])
def test_features_of_another_space_are_refused(head_class: type[SentenceHead]) -> None:
    with pytest.raises(SpecError, match="as they are, so both must be of one model"):
        head_class(problem(aligned=False))


@pytest.mark.parametrize("head_class", [TaskRes, Clap])
def test_it_starts_as_zero_shot_and_trains_a_number_a_rank_and_dimension(
    head_class: type[SentenceHead],
) -> None:
    head = head_class(problem(7))
    torch.testing.assert_close(head(FEATURES), ZeroShot(problem(7))(FEATURES))
    assert trained(head) == 7 * 24


def test_taskres_adds_the_scaled_residual_to_the_text_features() -> None:
    head = TaskRes(problem(3), scale=0.25)
    texts: Rows = head.text_features.tolist()
    numbers = [value for row in texts for value in row]
    size = sqrt(sum(value**2 for value in numbers) / len(numbers))
    with torch.no_grad():
        head.residual.copy_(torch.arange(72.0).reshape(3, 24) / 10)
    residuals: Rows = head.residual.tolist()
    prototypes = [
        [text + 0.25 * size * residual for text, residual in zip(*rows, strict=True)]
        for rows in zip(texts, residuals, strict=True)
    ]
    assert_logits(head, FEATURES.tolist(), prototypes)


def test_clap_without_constraint_is_taskres_of_scale_one() -> None:
    free, residual = Clap(problem(4), constraint=False), TaskRes(problem(4), scale=1.0)
    moved = torch.randn(4, 24, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        free.learned.add_(moved)
        residual.residual.add_(moved)
    outputs, ranks = free(FEATURES), torch.arange(6) % 4
    torch.testing.assert_close(outputs, residual(FEATURES))
    assert free.loss(outputs, ranks).item() == residual.loss(outputs, ranks).item()


def test_the_penalty_of_clap_is_that_of_the_authors_code() -> None:
    """For 5 ranks and text features of width 6, all moved by 0.1, it gave 0.03."""
    head = Clap(problem(5))
    head.text_features = torch.ones(5, 6)
    head.unit = torch.tensor(2.0)
    head.learned = torch.nn.Parameter(torch.full((5, 6), 1.1 / 2))
    head.multipliers = torch.tensor([0.5, 0.5, 0.0, 0.5, 1.0])
    sure = torch.tensor([[0.0, 0.0, 1e4, 0.0, 0.0]])
    assert head.loss(sure, torch.tensor([2])).item() == pytest.approx(0.03, abs=1e-7)


def test_the_multipliers_of_clap_are_zero_shots_shares_and_never_nan() -> None:
    head, ranks = Clap(problem(5)), [0, 3, 3, 1, 4, 4]  # rank 2 is absent
    logits: Rows = ZeroShot(problem(5))(FEATURES).tolist()
    shares: dict[int, list[float]] = {}
    for row, rank in zip(logits, ranks, strict=True):
        share = exp(row[rank]) / sum(map(exp, row))
        shares.setdefault(rank, []).append(share)
    means = {rank: sum(of_rank) / len(of_rank) for rank, of_rank in shares.items()}
    wanted = [means.get(rank, sum(means.values()) / 4) for rank in range(5)]
    head.fit(FEATURES, torch.tensor(ranks))
    assert head.multipliers.tolist() == pytest.approx(wanted, rel=1e-5)
    assert multipliers_of(torch.eye(3)[:1], torch.tensor([0])).tolist() == [1.0, 1.0, 1.0]


def test_clip_adapter_mixes_features_with_a_perceptron_without_biases() -> None:
    head = ClipAdapter(problem(3), ratio=0.3)
    assert trained(head) == 24 * 6 + 6 * 24
    adapter = head.projection
    assert adapter is not None
    narrow, widen = (weight.tolist() for weight in adapter.parameters())

    def layer(weight: Rows, row: list[float]) -> list[float]:
        return [max(sum(map(float.__mul__, line, row)), 0.0) for line in weight]

    images = [
        [0.3 * moved + 0.7 * value for moved, value in zip(perceptron, row, strict=True)]
        for row in FEATURES.tolist()
        for perceptron in [layer(widen, layer(narrow, row))]
    ]
    assert_logits(head, images, head.text_features.tolist())


def test_the_length_of_features_does_not_matter_to_clip_adapter() -> None:
    """The authors' code adapts raw features, others' code unit features: it is the same."""
    head = ClipAdapter(problem(3), ratio=0.6)
    torch.testing.assert_close(head(7 * FEATURES), head(FEATURES))


@pytest.mark.parametrize("ratio", [0.0, 1.5, -0.1])
def test_a_ratio_beyond_its_range_is_refused(ratio: float) -> None:
    with pytest.raises(SpecError, match=rf"ratio={ratio} must be above 0 and at most 1"):
        ClipAdapter(problem(), ratio=ratio)


def test_what_is_deployed_has_nothing_to_train() -> None:
    assert trained(ClipAdapter(problem()).deployed()) == 0


def cross_entropy(logits: Tensor, rank: int) -> float:
    row: list[float] = logits.tolist()
    return log(sum(map(exp, row))) - row[rank]


def test_the_loss_of_taskres_is_cross_entropy() -> None:
    head, ranks = TaskRes(problem(3)), [0, 2, 1, 1, 0, 2]
    outputs = head(FEATURES).detach()
    wanted = sum(map(cross_entropy, outputs, ranks)) / 6
    assert head.loss(outputs, torch.tensor(ranks)).item() == pytest.approx(wanted, rel=1e-5)
