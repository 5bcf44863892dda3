"""Each check fails on a head with the fault that it is for, and says what is wrong."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.errors import BrokenPluginError
from ordbench.head import Head, PointHead, Problem
from ordbench.testing.heads import HEAD_CHECKS, HeadUnderTest


class Good(Head):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.score = nn.Linear(problem.in_features, self.num_ranks)

    def forward(self, features: Tensor) -> Tensor:
        return self.score(features)

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return F.cross_entropy(outputs, ranks)

    def posterior(self, outputs: Tensor) -> Tensor:
        return outputs.softmax(-1)


class Sigmoids(Good):
    def posterior(self, outputs: Tensor) -> Tensor:
        return outputs.sigmoid()


class FiveRanks(Good):
    def posterior(self, outputs: Tensor) -> Tensor:
        return outputs[:, :5].softmax(-1)


class Unbounded(PointHead):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.score = nn.Linear(problem.in_features, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.score(features).squeeze(-1)

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return F.mse_loss(outputs, ranks.to(outputs.dtype))

    def estimate(self, outputs: Tensor) -> Tensor:
        return outputs


class Unused(Good):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.spare = nn.Parameter(torch.ones(3))


class Overflowing(Good):
    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return -(outputs.exp() / outputs.exp().sum(-1, keepdim=True)).log().mean()


class Unreduced(Good):
    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return F.cross_entropy(outputs, ranks, reduction="none")


class Branching(Good):
    """What it does depends on its input, which vmap refuses."""

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return super().loss(outputs, ranks) * (2 if outputs.sum() > 0 else 1)


class Dropout(Good):
    def forward(self, features: Tensor) -> Tensor:
        return super().forward(F.dropout(features, 0.1, self.training))


class AloneDropout(Dropout):
    """As it must be written, and good."""

    batchable = False


class Counting(Good):
    count: Tensor

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.register_buffer("count", torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        if self.training:
            self.count += 1
        return super().forward(features)


class CountingInAnAttribute(Good):
    batchable = False

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.calls = 0

    def forward(self, features: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(features)


class Balanced(Good):
    """Divides by the number of images of each rank, which may be none."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.register_buffer("weight", 1.0 / problem.train_counts)

    def posterior(self, outputs: Tensor) -> Tensor:
        weighted = outputs.softmax(-1) * self.get_buffer("weight")
        return weighted / weighted.sum(-1, keepdim=True)


class UnitLength(Good):
    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features / features.norm(dim=-1, keepdim=True))


class Steep(Good):
    """The square root is infinitely steep at 0."""

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return super().loss(outputs, ranks) + (outputs - outputs).square().sum().sqrt()


class OtherDeployed(Good):
    def deployed(self) -> nn.Module:
        return nn.Linear(self.score.in_features, self.num_ranks)


class Forgetful(Good):
    """What it learns beside its weights is in no buffer."""

    offset: Tensor | float = 0.0

    def fit(self, features: Tensor, ranks: Tensor) -> None:
        self.offset = features.mean()

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features + self.offset)


class Backwards(Good):
    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return -super().loss(outputs, ranks).clamp(max=3)


class Moody(Good):
    calls = 0

    def forward(self, features: Tensor) -> Tensor:
        Moody.calls += 1
        return super().forward(features) + (-1) ** Moody.calls * 100 * torch.arange(self.num_ranks)


@pytest.mark.parametrize("check", HEAD_CHECKS)
def test_a_good_head_passes(check: str) -> None:
    assert HEAD_CHECKS[check](HeadUnderTest(head_class=Good)) is None


@pytest.mark.parametrize(
    ("head", "check", "said"),
    [
        (Sigmoids, "posterior_is_a_mass_function", "sums"),
        (FiveRanks, "posterior_is_a_mass_function", "K=10"),
        (Unbounded, "position_is_within_the_ranks", "an estimate is (below|above) rank"),
        (Unused, "every_parameter_gets_a_gradient", "spare gets no gradient"),
        (Overflowing, "loss_of_huge_features_is_finite", "the loss of features of 1e4 is nan"),
        (Steep, "loss_of_huge_features_is_finite", "the gradient of score.weight is not finite"),
        (Unreduced, "loss_of_huge_features_is_finite", r"shape \(8,\), expected a scalar"),
        (OtherDeployed, "deployed_equals_trained", "not close"),
        (Forgetful, "kept_and_loaded_equals_deployed", "posteriors differ"),
        (Backwards, "recipe_learns_a_line", "expected below 0.25"),
        (Moody, "training_is_deterministic", "two trainings of one seed differ"),
        (Branching, "stacked_replicas_equal_each_alone", "write batchable = False"),
        (Dropout, "stacked_replicas_equal_each_alone", "it draws random numbers, .* batchable"),
        (Counting, "stacked_replicas_equal_each_alone", "its count changes in training, .* batch"),
        (Balanced, "absent_ranks_are_no_obstacle", r"ranks \(0, 4\) of 5 only: head Balanced: "),
        (
            UnitLength,
            "position_is_within_the_ranks",
            "predictions of features x 0.0 are not finite",
        ),
    ],
)
def test_a_faulty_head_fails(head: type[Head], check: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        HEAD_CHECKS[check](HeadUnderTest(head_class=head))


def test_what_changes_and_is_not_saved_is_an_error_of_its_own() -> None:
    with pytest.raises(BrokenPluginError, match="calls changes in training and is not saved"):
        HEAD_CHECKS["training_is_deterministic"](HeadUnderTest(head_class=CountingInAnAttribute))


@pytest.mark.parametrize("check", [name for name in HEAD_CHECKS if "learns" not in name])
def test_a_head_with_randomness_passes_if_it_is_trained_seed_by_seed(check: str) -> None:
    reason = HEAD_CHECKS[check](HeadUnderTest(head_class=AloneDropout))
    assert reason == ("batchable is False" if "stacked" in check else None)


def test_a_check_that_does_not_apply_says_why() -> None:
    case = HeadUnderTest(head_class=Unbounded)
    assert HEAD_CHECKS["posterior_is_a_mass_function"](case) == "a point head has no posterior"
