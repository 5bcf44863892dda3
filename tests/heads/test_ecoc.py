import pytest
import torch
from dlordinal.losses import OrdinalECOCDistanceLoss
from dlordinal.wrappers.obd_ecoc import ECOCOutputTransformer

from ordbench_heads.ecoc import ECOC, ecoc_losses
from tests.reference.golden import RANKS, THRESHOLDS, survives_extremes
from tests.reference.problem import problem


def test_the_loss_is_that_of_dlordinal_over_the_number_of_images() -> None:
    assert ecoc_losses(THRESHOLDS, RANKS).sum().item() == pytest.approx(3.49961172, rel=1e-6)
    theirs = OrdinalECOCDistanceLoss(5)(THRESHOLDS.sigmoid(), RANKS)
    torch.testing.assert_close(ECOC(problem()).loss(THRESHOLDS, RANKS), theirs / 4)


def test_the_median_of_falling_probabilities_is_the_nearest_code() -> None:
    logits = 2 * torch.randn(100, 6, generator=torch.Generator().manual_seed(0))
    falling = logits.sort(descending=True).values
    nearest = ECOCOutputTransformer(7).scores(falling.sigmoid()).argmax(1)
    assert torch.equal(ECOC(problem(7)).predict(falling).position, nearest.float())


def test_parameters_start_and_extremes() -> None:
    head = ECOC(problem(7))
    assert sum(parameter.numel() for parameter in head.parameters()) == (24 + 1) * 6
    torch.testing.assert_close(head.posterior(head(torch.randn(2, 24))), torch.full((2, 7), 1 / 7))
    survives_extremes(ecoc_losses, fewer=1)
