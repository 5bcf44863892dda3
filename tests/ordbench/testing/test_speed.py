"""A head beside the linear probe, by a clock that the heads themselves move on."""

from functools import partial

import pytest
import torch
from torch import Tensor

from ordbench.head import Problem
from ordbench.latency.timing import time_interleaved
from ordbench.nn import StandardizedLinear
from ordbench.plugins.registry import HEADS
from ordbench.testing import speed
from ordbench.testing.heads import HeadUnderTest
from ordbench.testing.speed import prediction_speed, training_speed
from ordbench_heads.linear import Linear

MILLISECOND = 1_000_000


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now

    def move_on(self) -> None:
        self.now += MILLISECOND


class Slow(Linear):
    """Calls the body of the linear probe three times."""

    def forward(self, features: Tensor) -> Tensor:
        return (self.score(features) + self.score(features) + self.score(features)) / 3

    def deployed(self) -> torch.nn.Module:
        return self


class Unmade(Linear):
    def __init__(self, problem: Problem) -> None:
        raise RuntimeError("no head")


class Broken(Linear):
    def deployed(self) -> torch.nn.Module:
        raise RuntimeError("no\nmodule")


def test_three_times_the_work_takes_three_times_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(speed, "time_interleaved", partial(time_interleaved, clock=clock))
    monkeypatch.setattr(Linear, "deployed", lambda self: self)
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda module, *_: clock.move_on() if isinstance(module, StandardizedLinear) else None
    )
    try:
        case = HeadUnderTest(head_class=Slow)
        for measure in (training_speed, prediction_speed):
            assert measure(case, seconds=0.005) == pytest.approx((3, 3, 3))
    finally:
        hook.remove()


def test_what_cannot_be_timed_says_why() -> None:
    assert training_speed(HeadUnderTest(head_class=HEADS["knn"])) == "nothing to train"
    assert training_speed(HeadUnderTest(head_class=Unmade)) == "RuntimeError: no head"
    assert prediction_speed(HeadUnderTest(head_class=Broken)) == "RuntimeError: no module"
