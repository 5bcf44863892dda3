from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.latency.cost import footprint
from ordbench.nn import StandardizedLinear
from ordbench.prompts.head import PromptHead
from tests.reference.problem import problem


class Fixed(PromptHead):
    """Two prototypes, along the first two axes."""

    def prototypes(self) -> Tensor:
        return torch.eye(24)[:2] * torch.tensor([[3.0], [0.5]])


def aside(**changes: object) -> Problem:
    """Features whose mean and scale are not 0 and 1."""
    mean, scale = torch.linspace(-1, 1, 24), torch.tensor(3.0)
    return replace(problem(2), feature_mean=mean, feature_scale=scale, **changes)


def test_logits_are_cosines_times_the_towers_scale() -> None:
    features = torch.zeros(2, 24)
    features[0, 0], features[1, :2] = 5.0, torch.tensor([3.0, 4.0])
    wanted = torch.tensor([[1.0, 0.0], [0.6, 0.8]]) / 0.07
    torch.testing.assert_close(Fixed(problem(2))(features), wanted)


def test_features_of_another_space_are_standardised_shrunk_and_projected() -> None:
    head = Fixed(aside(aligned=False))
    assert isinstance(head.projection, StandardizedLinear)
    assert head.projection.bias is not None
    features = torch.randn(4, 24)
    standardised = (features - torch.linspace(-1, 1, 24)) / 3
    images = standardised / (24 / 6) @ head.projection.weight.T + head.projection.bias
    wanted = (images / images.norm(dim=1, keepdim=True))[:, :2] / 0.07
    torch.testing.assert_close(head(features), wanted)


def test_a_projection_starts_with_outputs_of_scale_one_whatever_the_width() -> None:
    for width in (24, 2400):
        mean = torch.zeros(width)
        wide = replace(problem(2), in_features=width, feature_mean=mean, aligned=False)
        projection = Fixed(wide).projection
        assert projection is not None
        images = projection(torch.randn(2000, width)) - projection(torch.zeros(1, width))
        assert images.std().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("aligned", [True, False])
def test_what_is_deployed_has_no_text_tower_and_nothing_to_train(aligned: bool) -> None:
    head = Fixed(aside(aligned=aligned))
    deployed = head.deployed()
    assert [type(layer) for layer in deployed.children()] == [nn.Linear] * (not aligned)
    assert not any(parameter.requires_grad for parameter in deployed.parameters())
    features = torch.randn(4, 24)
    torch.testing.assert_close(deployed(features), head(features), rtol=1e-5, atol=1e-5)


def test_features_of_length_zero_are_no_error() -> None:
    head = Fixed(problem(2))
    for module in (head, head.deployed()):
        assert head.posterior(module(torch.zeros(1, 24))).tolist() == [[0.5, 0.5]]


def test_what_is_deployed_writes_no_second_copy_of_the_features() -> None:
    deployed, features = Fixed(problem(2)).deployed(), torch.randn(64, 24)
    found = footprint(lambda: deployed(features), [deployed], device="cpu")
    # Weights 2 x 24, outputs 64 x 2, lengths 64 and the same again where they are not zero.
    assert found.memory == 4 * (2 * 24 + 64 * 2 + 64 + 64)


def test_gradients_pass_through_what_is_deployed() -> None:
    head, features = Fixed(problem(2)), torch.randn(4, 24, requires_grad=True)
    (wanted,) = torch.autograd.grad(head(features).square().sum(), features)
    (found,) = torch.autograd.grad(head.deployed()(features).square().sum(), features)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_missing_text_tower_is_refused_with_the_option_that_brings_one() -> None:
    with pytest.raises(SpecError, match=r"a text encoder is needed, .* add --text"):
        Fixed(aside(text_tower=None))
