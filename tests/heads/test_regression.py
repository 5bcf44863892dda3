"""The minimum is scikit-learn's, ranks are standardised, and what is estimated is a rank."""

from dataclasses import replace

import pytest
import torch
from sklearn.linear_model import LinearRegression, QuantileRegressor
from torch import Tensor

from ordbench.errors import SpecError
from ordbench_heads.regression import Regression
from tests.reference.problem import problem

COUNTS = torch.tensor([10, 5, 0, 5, 20])
FEATURES = torch.randn(40, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
RANKS = torch.repeat_interleave(torch.arange(5), COUNTS)


def head_with(weight: Tensor, intercept: float, loss: str) -> Regression:
    """The head whose estimates are ``features @ weight + intercept``."""
    told = replace(problem(5), in_features=6, feature_mean=torch.zeros(6), train_counts=COUNTS)
    head = Regression(told, loss=loss).double()  # pyright: ignore[reportArgumentType]
    with torch.no_grad():
        unit = head.get_buffer("score.feature_scale")
        head.get_parameter("score.weight").copy_(weight * unit / head.rank_scale)
        head.get_parameter("score.bias").fill_(intercept - float(head.rank_mean))
        head.get_parameter("score.bias").div_(head.rank_scale)
    return head


def test_an_untrained_head_says_the_mean_training_rank() -> None:
    told = replace(problem(5), train_counts=COUNTS)
    head = Regression(told)
    wanted = RANKS.float().mean().expand(3)
    torch.testing.assert_close(head.estimate(head(torch.randn(3, told.in_features))), wanted)


def test_squared_error_is_least_where_linear_regression_is() -> None:
    fitted = LinearRegression().fit(FEATURES.numpy(), RANKS.numpy())
    head = head_with(torch.as_tensor(fitted.coef_), float(fitted.intercept_), "l2")
    loss = head.loss(head(FEATURES), RANKS)
    assert loss.item() == pytest.approx(
        ((fitted.predict(FEATURES.numpy()) - RANKS.numpy()) ** 2).mean()
    )
    slopes = torch.autograd.grad(loss, list(head.parameters()))
    assert max(float(slope.abs().max()) for slope in slopes) < 1e-6


def test_absolute_error_is_least_where_median_regression_is() -> None:
    fitted = QuantileRegressor(quantile=0.5, alpha=0).fit(FEATURES.numpy(), RANKS.numpy())
    coefficients = torch.as_tensor(fitted.coef_)
    head = head_with(coefficients, float(fitted.intercept_), "l1")
    least = head.loss(head(FEATURES), RANKS).item()
    assert least == pytest.approx(abs(fitted.predict(FEATURES.numpy()) - RANKS.numpy()).mean())
    torch.manual_seed(0)
    for _ in range(50):
        other = coefficients + 0.01 * torch.randn(6)
        near = head_with(other, float(fitted.intercept_) + 0.01 * float(torch.randn(())), "l1")
        assert near.loss(near(FEATURES), RANKS).item() > least - 1e-6


@pytest.mark.parametrize("beta", [0.5, 3.0])
def test_smooth_error_is_squared_up_to_beta_and_absolute_beyond(beta: float) -> None:
    head = Regression(problem(5), loss="smooth-l1", beta=beta)
    errors = [0.1, -0.4, 1.0, -2.5, 3.5]
    outputs = (torch.tensor(errors) - head.rank_mean) / head.rank_scale
    wanted = [e * e / 2 / beta if abs(e) < beta else abs(e) - beta / 2 for e in errors]
    loss = head.loss(outputs.unsqueeze(1), torch.zeros(5, dtype=torch.int64))
    assert loss.item() == pytest.approx(sum(wanted) / 5, rel=1e-5)


def test_one_rank_in_training_is_no_division_by_zero() -> None:
    counts = torch.tensor([0, 0, 7, 0, 0])
    head = Regression(replace(problem(5), train_counts=counts))
    outputs = torch.tensor([[1.0]], requires_grad=True)
    loss = head.loss(outputs, torch.tensor([2]))
    torch.autograd.backward(loss)
    assert loss.isfinite()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()


@pytest.mark.parametrize("hidden", [(), (7,)])
def test_it_has_one_weight_a_feature_and_a_bias(hidden: tuple[int, ...]) -> None:
    told = problem(5)
    head = Regression(told, hidden=hidden)
    wanted = told.in_features + 1 if not hidden else (told.in_features + 1) * 7 + 8
    assert sum(parameter.numel() for parameter in head.parameters()) == wanted


def test_a_negative_beta_is_refused() -> None:
    with pytest.raises(SpecError, match="beta=-1"):
        Regression(problem(5), loss="smooth-l1", beta=-1)
