"""Soft labels, SORD, DLDL and DLDL-v2: targets of dlordinal, losses of several codes."""

from math import exp, log

import pytest
import torch
from dlordinal import soft_labelling
from dlordinal.losses import SORDLoss, TriangularLoss
from torch import Tensor, nn

from ordbench.errors import SpecError
from ordbench.nn.soft_labels import Target, default_sigma, soft_labels
from ordbench_heads.dldl_v2 import DLDLv2
from ordbench_heads.soft_labels import DLDL, SORD, SoftLabels
from tests.reference.golden import RANKS, SCORES, survives_extremes
from tests.reference.problem import problem

FAMILIES = {
    "exponential": soft_labelling.get_exponential_soft_labels,
    "geometric": soft_labelling.get_geometric_soft_labels,
    "beta": soft_labelling.get_beta_soft_labels,
    "binomial": soft_labelling.get_binomial_soft_labels,
    "poisson": soft_labelling.get_poisson_soft_labels,
}


@pytest.mark.parametrize("num_ranks", [2, 3, 5, 8, 9, 14, 61])
@pytest.mark.parametrize("target", FAMILIES)
def test_the_targets_are_those_of_dlordinal(target: Target, num_ranks: int) -> None:
    if (target == "beta" and num_ranks in (2, 61)) or (target == "binomial" and num_ranks > 9):
        pytest.skip("refused")
    theirs = torch.as_tensor(FAMILIES[target](num_ranks))
    # dlordinal's hypergeometric series for beta ends at 1e-8.
    torch.testing.assert_close(soft_labels(num_ranks, target), theirs, rtol=0, atol=1e-7)


@pytest.mark.parametrize("num_ranks", [2, 3, 5, 61, 150])
@pytest.mark.parametrize("beside", [0.01, 0.05, 0.2])
def test_triangles_are_those_of_dlordinal(num_ranks: int, beside: float) -> None:
    theirs = torch.as_tensor(soft_labelling.get_triangular_soft_labels(num_ranks, beside))
    ours = soft_labels(num_ranks, "triangular", beside)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_the_two_ends_of_triangles_differ_as_in_dlordinal() -> None:
    labels = soft_labels(5, "triangular")
    assert labels[0, :2].tolist() == pytest.approx([0.97218, 0.02782], abs=1e-5)
    assert labels[4, 3:].tolist() == pytest.approx([0.01254, 0.98746], abs=1e-5)
    assert labels[2].tolist() == pytest.approx([0, 0.05, 0.9, 0.05, 0])


@pytest.mark.parametrize("target", ["exponential", "gaussian", "triangular", "geometric"])
@pytest.mark.parametrize("num_ranks", [2, 3, 15, 61, 150])
def test_labels_are_distributions_that_peak_at_their_rank(target: Target, num_ranks: int) -> None:
    labels = soft_labels(num_ranks, target)
    assert (labels >= 0).all()
    torch.testing.assert_close(labels.sum(1), torch.ones(num_ranks, dtype=torch.float64))
    assert labels.argmax(1).tolist() == list(range(num_ranks))


@pytest.mark.parametrize(
    ("head", "golden"),
    [
        (SORD(problem(), alpha=0.5), 1.546117),
        (SORD(problem()), 1.344932),
        (SORD(problem(), alpha=1.8), 1.153623),
        (SORD(problem(), alpha=2), 1.123044),
        (SORD(problem(), alpha=3), 1.030826),
        (SORD(problem(), squared=True), 1.248128),
        (SoftLabels(problem()), 1.344932),
        (SoftLabels(problem(), power=2), 1.248128),
        (SoftLabels(problem(), target="triangular"), 1.02961076),
        (SoftLabels(problem(), target="beta"), 1.17463668),
        (SoftLabels(problem(), target="binomial"), 1.37477554),
        (SoftLabels(problem(), target="poisson"), 1.76972646),
        (SoftLabels(problem(), target="geometric"), 1.04438068),
        (DLDL(problem(), sigma=2), 1.625121),
        (DLDL(problem(), sigma=1), 1.382694),
        (DLDLv2(problem(), sigma=2), 2.500215),
    ],
    ids=lambda value: f"{value}" if isinstance(value, float) else type(value).__name__,
)
def test_losses_are_those_of_other_codes(head: SoftLabels, golden: float) -> None:
    assert head.loss(SCORES, RANKS).item() == pytest.approx(golden, abs=2e-6)


@pytest.mark.parametrize("num_ranks", [2, 5, 61])
def test_losses_are_those_of_dlordinal(num_ranks: int) -> None:
    generator = torch.Generator().manual_seed(num_ranks)
    scores = 3 * torch.randn(32, num_ranks, generator=generator)
    ranks = torch.randint(num_ranks, (32,), generator=generator)
    sord = SORDLoss(alpha=1.8, num_classes=num_ranks, train_targets=ranks)
    ours = SORD(problem(num_ranks), alpha=1.8).loss(scores, ranks)
    torch.testing.assert_close(ours, sord(scores, ranks).float())
    triangular = TriangularLoss(nn.CrossEntropyLoss(), num_ranks)
    ours = SoftLabels(problem(num_ranks), target="triangular").loss(scores, ranks)
    torch.testing.assert_close(ours, triangular(scores, ranks).float())


def dldl_v2_by_hand(row: list[float], rank: int, sigma: float, weight: float) -> float:
    scale = sum(map(exp, row))
    probs = [exp(score) / scale for score in row]
    label = [exp(-((k - rank) ** 2) / (2 * sigma**2)) for k in range(len(row))]
    mean = sum(k * p for k, p in enumerate(probs))
    crossed = sum(q * log(p) for q, p in zip(label, probs, strict=True)) / sum(label)
    return weight * abs(mean - rank) - crossed


def test_dldl_v2_is_its_definition() -> None:
    head = DLDLv2(problem(), sigma=1.5, mean_weight=0.3)
    rows = zip(SCORES.tolist(), RANKS.tolist(), strict=True)
    wanted = [dldl_v2_by_hand(row, rank, 1.5, 0.3) for row, rank in rows]
    assert head.losses(SCORES, RANKS).tolist() == pytest.approx(wanted, rel=1e-5)


def test_the_deviation_is_2_for_ages_and_less_for_few_ranks() -> None:
    assert [default_sigma(k) for k in (2, 5, 9, 17, 101)] == [0.125, 0.5, 1, 2, 2]
    assert torch.equal(DLDL(problem(5)).labels, DLDL(problem(5), sigma=0.5).labels)


def test_a_rank_is_the_median_of_its_own_label_by_default() -> None:
    """With a deviation of 2 it would not be: cut off at rank 0, the median is rank 1."""
    for num_ranks in (2, 3, 5, 8):
        labels = soft_labels(num_ranks, "gaussian")
        assert ((labels.cumsum(1) < 0.5).sum(1) == torch.arange(num_ranks)).all()
    assert (soft_labels(5, "gaussian", 2)[0].cumsum(0) < 0.5).sum() == 1


@pytest.mark.parametrize(
    ("num_ranks", "target", "options", "message"),
    [
        (2, "beta", {}, r"target=beta is defined for 3 to 14 ranks, got 2"),
        (15, "beta", {}, r"target=beta is defined for 3 to 14 ranks, got 15"),
        (61, "binomial", {}, r"for 61 ranks, the soft label of rank 0 gives another"),
        (5, "geometric", {"spread": 0.9}, r"the soft label of rank 0 gives another rank the"),
        (5, "triangular", {"spread": 0.3}, r"spread=0.3 must be above 0 and below 0.222"),
        (5, "gaussian", {"spread": 0.0}, r"spread=0.0 must be above 0$"),
        (5, "poisson", {"spread": 1.0}, r"target=poisson takes no spread"),
        (5, "gaussian", {"power": 2.0}, r"target=gaussian takes no power"),
        (5, "exponential", {"power": 0.0}, r"power=0.0 must be above 0"),
    ],
)
def test_what_is_not_defined_is_refused(
    num_ranks: int, target: Target, options: dict[str, float], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        SoftLabels(problem(num_ranks), target=target, **options)  # type: ignore[arg-type]


def test_sord_refuses_an_alpha_that_is_not_positive() -> None:
    with pytest.raises(SpecError, match="alpha=0 must be above 0"):
        SORD(problem(), alpha=0)


@pytest.mark.parametrize("head_class", [SORD, DLDL, DLDLv2])
def test_extremes(head_class: type[SORD | DLDL | DLDLv2]) -> None:
    def losses(scores: Tensor, ranks: Tensor) -> Tensor:
        return head_class(problem(scores.shape[1])).losses(scores, ranks)

    survives_extremes(losses)


def test_there_is_a_weight_vector_and_a_bias_for_each_rank() -> None:
    for head in (SoftLabels(problem(7)), SORD(problem(7)), DLDLv2(problem(7))):
        assert sum(parameter.numel() for parameter in head.parameters()) == (24 + 1) * 7
