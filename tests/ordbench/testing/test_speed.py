"""A head that does more than the linear probe takes longer; what cannot be timed says why."""

import torch
from torch import Tensor

from ordbench.plugins.registry import HEADS
from ordbench.testing.heads import HeadUnderTest
from ordbench.testing.speed import prediction_speed, training_speed
from ordbench_heads.linear import Linear


class Slow(Linear):
    def forward(self, features: Tensor) -> Tensor:
        much = torch.ones(300, 300) @ torch.ones(300, 300)
        return super().forward(features) + 0 * much[0, 0]

    def deployed(self) -> torch.nn.Module:
        return self


class Broken(Linear):
    def deployed(self) -> torch.nn.Module:
        raise RuntimeError("no\nmodule")


def test_more_work_takes_more_time() -> None:
    case = HeadUnderTest(head_class=Slow)
    for speed in (training_speed(case, seconds=0.05), prediction_speed(case, seconds=0.05)):
        assert not isinstance(speed, str)
        assert speed.estimate > 1.5
        assert speed.low <= speed.estimate <= speed.high


def test_what_cannot_be_timed_says_why() -> None:
    assert training_speed(HeadUnderTest(head_class=HEADS["knn"])) == "nothing to train"
    assert prediction_speed(HeadUnderTest(head_class=Broken)) == "RuntimeError: no module"
