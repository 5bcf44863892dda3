"""Probabilities are those of dlordinal and scipy, also where differences of F are 0."""

import numpy as np
import pytest
import torch
from dlordinal.output_layers import CLM
from scipy import stats
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.nn.links import Link, log_pmf_of_link
from ordbench_heads.clm import CumulativeLink
from tests.reference.problem import problem

WIDTH = problem().in_features
LINKS: list[Link] = ["logit", "probit", "cloglog"]
PEERS = {"logit": stats.logistic, "probit": stats.norm, "cloglog": stats.gumbel_l}


def test_golden_value_of_the_authors_library() -> None:
    distances = torch.arange(4.0).unsqueeze(0) + 1.3
    wanted = torch.tensor([[0.78583498, 0.12304206, 0.05555177, 0.02218427, 0.01338692]])
    torch.testing.assert_close(log_pmf_of_link(distances, "logit").exp(), wanted)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("num_ranks", [2, 3, 10])
def test_probabilities_are_those_of_the_authors_library(link: Link, num_ranks: int) -> None:
    theirs = CLM(num_ranks, link, min_distance=0.25)  # pyright: ignore[reportArgumentType]
    torch.manual_seed(num_ranks)
    scores = torch.randn(6, 1)
    with torch.no_grad():
        theirs.thresholds_b_.normal_()
        theirs.thresholds_a_.normal_()
        wanted = theirs(scores)
        gaps = theirs.thresholds_a_.square() + 0.25
        thresholds = torch.cat([theirs.thresholds_b_, theirs.thresholds_b_ + gaps.cumsum(0)])
    torch.testing.assert_close(log_pmf_of_link(thresholds - scores, link).exp(), wanted)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("score", [-30.0, -3.0, 0.0, 1.0, 2.0])
def test_logarithms_are_those_of_scipy_in_either_tail(link: Link, score: float) -> None:
    distances = np.array([-1.5, 0.0, 0.25, 2.0]) - score
    peer = PEERS[link]
    below, above = peer.logcdf(distances), peer.logsf(distances)
    with np.errstate(divide="ignore"):  # in one of the tails
        inner = np.maximum(
            below[1:] + np.log(-np.expm1(below[:-1] - below[1:])),
            above[:-1] + np.log(-np.expm1(above[1:] - above[:-1])),
        )
    wanted = torch.tensor([below[0], *inner, above[-1]], dtype=torch.float64)
    got = log_pmf_of_link(torch.as_tensor(distances).unsqueeze(0), link)[0]
    far = wanted < -1e4  # where F is 1 by the hazard alone, it is bounded on purpose
    torch.testing.assert_close(got[~far], wanted[~far], rtol=1e-6, atol=1e-6)
    single = log_pmf_of_link(torch.as_tensor(distances).float().unsqueeze(0), link)[0]
    torch.testing.assert_close(single[~far].double(), wanted[~far], rtol=1e-4, atol=1e-4)
    assert (got[far] < -1e4).all()


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("num_ranks", [2, 3, 15, 150])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_scores_have_finite_losses_and_gradients(
    link: Link, num_ranks: int, dtype: torch.dtype
) -> None:
    head = CumulativeLink(problem(num_ranks), link=link).to(dtype)
    scores = torch.tensor([-1e4, -50.0, 0.0, 8.0, 1e4], dtype=dtype).unsqueeze(1)
    for rank in (0, num_ranks // 2, num_ranks - 1):
        outputs = (scores - head.thresholds().detach()).requires_grad_()
        losses = head.losses(outputs, torch.full((5,), rank))
        (gradient,) = torch.autograd.grad(losses.sum(), outputs)
        assert losses.isfinite().all()
        assert gradient.isfinite().all()
        assert (head.posterior(outputs).sum(1) - 1).abs().max() < 1e-5


@pytest.mark.parametrize("link", LINKS)
def test_a_score_that_is_far_off_is_still_pulled_back(link: Link) -> None:
    def slope(score: float, rank: int) -> Tensor:
        outputs = (torch.tensor([[score]]) + torch.tensor([1.5, 0.0, -2.0])).requires_grad_()
        losses = -log_pmf_of_link(-outputs, link)[:, rank]
        return torch.autograd.grad(losses.sum(), outputs)[0].sum()

    for far in (20.0, 200.0, 2000.0):
        assert slope(far, 1) > 0.5
        assert slope(-far, 2) < -0.5


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("num_ranks", [2, 5, 101])
def test_an_untrained_head_finds_every_rank_equally_likely(link: Link, num_ranks: int) -> None:
    head = CumulativeLink(problem(num_ranks), link=link)
    posterior = head.posterior(head(torch.randn(2, WIDTH)))
    torch.testing.assert_close(posterior, torch.full((2, num_ranks), 1 / num_ranks))


def test_thresholds_that_have_met_part_again() -> None:
    """A gap that is a square has no gradient at 0, and two thresholds stay together."""
    head = CumulativeLink(problem(4))
    with torch.no_grad():
        head.moves[1] = -12.0  # the gap is all but closed
    outputs, middle = head(torch.zeros(1, WIDTH)), torch.tensor([1])
    (gradient,) = torch.autograd.grad(head.loss(outputs, middle), head.moves)
    assert gradient[1] < -0.5


def test_thresholds_keep_their_least_distance_and_order() -> None:
    head = CumulativeLink(problem(10), min_distance=0.5)
    with torch.no_grad():
        head.moves.normal_().mul_(20)
    assert head.thresholds().diff().min() >= 0.5 - 1e-5


@pytest.mark.parametrize("num_ranks", [2, 5])
def test_it_has_one_weight_a_feature_and_a_threshold_between_ranks(num_ranks: int) -> None:
    head = CumulativeLink(problem(num_ranks))
    wanted = WIDTH + num_ranks - 1
    assert sum(parameter.numel() for parameter in head.parameters()) == wanted
    assert sum(tensor.numel() for tensor in head.deployed().state_dict().values()) == wanted


def test_a_negative_distance_is_refused() -> None:
    with pytest.raises(SpecError, match="min_distance=-1"):
        CumulativeLink(problem(5), min_distance=-1)
