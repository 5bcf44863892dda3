"""What the two kinds of head predict."""

import torch
from torch import Tensor

from ordbench.head import Head, PointHead
from tests.reference.problem import problem


class Probabilities(Head):
    def forward(self, features: Tensor) -> Tensor:
        return features

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return outputs.sum()

    def posterior(self, outputs: Tensor) -> Tensor:
        return outputs


class Positions(PointHead):
    def forward(self, features: Tensor) -> Tensor:
        return features

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return outputs.sum()

    def estimate(self, outputs: Tensor) -> Tensor:
        return outputs.squeeze(-1)


def test_a_head_predicts_its_posterior_and_the_lowest_median() -> None:
    posterior = torch.tensor([[0.5, 0.2, 0.3], [0.4, 0.2, 0.4], [0.1, 0.3, 0.6]])
    prediction = Probabilities(problem(3)).predict(posterior)
    assert prediction.posterior is posterior
    assert prediction.position.tolist() == [0, 1, 2]


def test_a_point_head_predicts_no_posterior_and_has_no_method_for_one() -> None:
    head = Positions(problem(3))
    prediction = head.predict(torch.tensor([[1.5], [0.0]]))
    assert prediction.posterior is None
    assert prediction.position.tolist() == [1.5, 0]
    assert not hasattr(head, "posterior")
