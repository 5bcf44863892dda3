"""Heads whose posteriors have one peak, whatever the scores; values are those of other codes."""

from collections.abc import Callable
from math import comb, exp, log, log1p

import pytest
import torch
from dlordinal.output_layers import COPOC, BinomialLayer, PoissonLayer
from scipy import stats
from torch import Tensor

from ordbench.head import Problem
from ordbench.nn import LikelihoodHead
from ordbench_heads.binomial import BinomialPmf
from ordbench_heads.copoc import Copoc
from ordbench_heads.ord_acl import OrdAcl
from ordbench_heads.poisson import PoissonPmf
from ordbench_heads.unimodal_net import UnimodalNet
from ordbench_heads.vs_sl import VsSl
from tests.reference.golden import RANKS, SCORES, THRESHOLDS, survives_extremes
from tests.reference.problem import problem

HeadOf = Callable[[Problem], LikelihoodHead]
HEADS: list[HeadOf] = [BinomialPmf, Copoc, OrdAcl, PoissonPmf, UnimodalNet, VsSl]
POINTS = torch.tensor([[-1.3], [0.4], [2.2]])


def num_scores(head: HeadOf, num_ranks: int) -> int:
    if head in (BinomialPmf, PoissonPmf):
        return 1
    return num_ranks - 1 if head is OrdAcl else num_ranks


def peaks(row: list[float]) -> int:
    """Times that probabilities begin to fall, but for rounding errors."""
    found, rising, highest = 0, True, 0.0
    for p in [*row, 0.0]:
        if rising and p < highest - 1e-6:
            found, rising = found + 1, False
        if not rising and p > highest + 1e-6:
            rising = True
        highest = max(p, highest) if rising else min(p, highest)
    return found


def softmax(scores: list[float]) -> list[float]:
    powers = [exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def pmf_by_hand(head: HeadOf, z: list[float]) -> list[float]:
    k = range(5)
    if head is BinomialPmf:
        p = 1 / (1 + exp(-z[0]))
        return [comb(4, i) * p**i * (1 - p) ** (4 - i) for i in k]
    if head is PoissonPmf:
        rate = log1p(exp(z[0]))
        return softmax([i * log(rate) - sum(log(j) for j in range(1, i + 1)) for i in k])
    if head is UnimodalNet:
        steps = [log1p(exp(one)) for one in z]
        return softmax([min(sum(steps[: i + 1]), sum(steps[i:])) for i in k])
    if head is Copoc:
        return softmax([-abs(z[0] + sum(map(abs, z[1 : i + 1]))) for i in k])
    rising = [z[0] + sum(map(exp, z[1 : i + 1])) for i in range(len(z))]
    if head is VsSl:
        return softmax([-(one**2) for one in rising])
    return softmax([-sum(rising[:i]) for i in k])


@pytest.mark.parametrize("head", HEADS)
def test_probabilities_are_their_definition(head: HeadOf) -> None:
    outputs = SCORES[:, : num_scores(head, 5)]
    wanted = torch.tensor([pmf_by_hand(head, row) for row in outputs.tolist()])
    torch.testing.assert_close(head(problem(5)).posterior(outputs), wanted)


@pytest.mark.parametrize(
    ("head", "outputs", "golden"),
    [(OrdAcl, THRESHOLDS, 5.113871), (VsSl, SCORES, 25.958889), (UnimodalNet, SCORES, 1.356458)],
)
def test_losses_have_golden_values(head: HeadOf, outputs: Tensor, golden: float) -> None:
    """Of the code of Cardoso, Cruz and Albuquerque."""
    assert head(problem(5)).loss(outputs, RANKS).item() == pytest.approx(golden, rel=1e-6)


def test_probabilities_have_golden_values() -> None:
    golden = {
        Copoc: [0.44746752, 0.33149209, 0.11034413, 0.07396588, 0.03673037],
        BinomialPmf: [0.38135148, 0.41572161, 0.16994603, 0.03087713, 0.00210375],
        PoissonPmf: [0.78583934, 0.18939392, 0.02282277, 0.00183349, 0.00011047],
    }
    for head, wanted in golden.items():
        outputs = SCORES[:1] if head is Copoc else POINTS[:1]
        torch.testing.assert_close(head(problem(5)).posterior(outputs)[0], torch.tensor(wanted))


@pytest.mark.parametrize("num_ranks", [2, 5, 61])
def test_probabilities_are_those_of_dlordinal(num_ranks: int) -> None:
    told = problem(num_ranks)
    torch.manual_seed(num_ranks)
    scores = torch.randn(6, num_ranks)
    torch.testing.assert_close(Copoc(told).posterior(scores), COPOC()(scores).softmax(1))
    binomial = BinomialLayer(in_features=1, num_classes=num_ranks)
    poisson = PoissonLayer(in_features=1, num_classes=num_ranks)
    ours = PoissonPmf(told)
    with torch.no_grad():
        for layer in (binomial.p_layer, poisson.lambda_layer):
            layer.weight.fill_(1)
            layer.bias.zero_()
        assert poisson.log_tau is not None
        poisson.log_tau.fill_(0.7)
        ours.log_temperature.fill_(0.7)
        points = torch.cat([POINTS, torch.tensor([[30.0]])])
        torch.testing.assert_close(BinomialPmf(told).posterior(POINTS), binomial(POINTS))
        ours_of = ours.posterior(points / ours.unit)
        torch.testing.assert_close(ours_of, poisson(points), rtol=1e-4, atol=1e-6)


def test_the_binomial_is_that_of_scipy() -> None:
    wanted = torch.as_tensor(stats.binom.logpmf(range(101), 100, POINTS.double().sigmoid()))
    got = BinomialPmf(problem(101)).double().log_pmf(POINTS.double())
    torch.testing.assert_close(got, wanted)


def test_counts_from_one_are_a_poisson_without_its_zero() -> None:
    head = PoissonPmf(problem(5), first_count=1, temperature=False)
    wanted = torch.as_tensor(stats.poisson.pmf(range(1, 6), torch.nn.functional.softplus(POINTS)))
    wanted = wanted / wanted.sum(1, keepdim=True)
    torch.testing.assert_close(head.posterior(POINTS).to(wanted.dtype), wanted)
    assert not head.log_temperature.requires_grad


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("num_ranks", [2, 3, 5, 15, 61, 150])
def test_every_posterior_has_one_peak(head: HeadOf, num_ranks: int) -> None:
    built = head(problem(num_ranks))
    torch.manual_seed(num_ranks)
    for scale in (0.0, 0.1, 1.0, 10.0, 1e4):
        outputs = scale * torch.randn(20, num_scores(head, num_ranks))
        posterior = built.posterior(outputs)
        assert (posterior.sum(1) - 1).abs().max() < 1e-5
        assert [peaks(row) for row in posterior.tolist()] == [1] * 20


def test_two_peaks_are_counted_as_two() -> None:
    assert peaks([0.1, 0.2, 0.1, 0.3, 0.3]) == 2
    assert peaks([0.2, 0.2, 0.6]) == peaks([0.5, 0.5]) == 1


@pytest.mark.parametrize("head", HEADS)
def test_extremes_have_finite_losses_and_gradients(head: HeadOf) -> None:
    def losses(outputs: Tensor, ranks: Tensor) -> Tensor:
        built = head(problem(outputs.shape[1])).to(outputs.dtype)
        return built.losses(outputs[:, : num_scores(head, outputs.shape[1])], ranks)

    survives_extremes(losses)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("num_ranks", [2, 5, 101])
def test_training_starts_from_a_peak_in_the_middle(head: HeadOf, num_ranks: int) -> None:
    """Zeros put COPOC's and ORD-ACL's peak at rank 0, and leave |z| without a gradient."""
    told = problem(num_ranks)
    built = head(told)
    outputs = built(torch.randn(1, told.in_features))
    posterior = built.posterior(outputs)[0]
    middle = (posterior * torch.arange(num_ranks)).sum().item()
    assert abs(middle - (num_ranks - 1) / 2) < 0.3
    if head not in (BinomialPmf, PoissonPmf):  # these cannot be wide
        assert (posterior * num_ranks).min() > 0.2
    for rank in (0, num_ranks - 1):
        loss = built.loss(built(torch.ones(1, told.in_features)), torch.tensor([rank]))
        gradients = torch.autograd.grad(loss, list(built.score.parameters()))
        assert all((gradient != 0).any() for gradient in gradients)


@pytest.mark.parametrize("head", HEADS)
def test_it_has_one_weight_and_one_bias_a_score(head: HeadOf) -> None:
    told = problem(7)
    parameters = sum(parameter.numel() for parameter in head(told).score.parameters())
    assert parameters == (told.in_features + 1) * num_scores(head, 7)
