"""How fast a head is beside the linear probe: both take turns in one process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch

from ordbench.latency.builders import REFERENCE
from ordbench.latency.runtimes import NotTimed
from ordbench.latency.timing import Call, Ratio, ratio, time_interleaved
from ordbench.latency.workloads import TrainingStep
from ordbench.plugins.registry import HEADS
from ordbench.testing.heads import HeadUnderTest
from ordbench.utils.text import one_line
from ordbench.utils.torch_threads import threads

RANKS, FEATURES, BATCH = 10, 512, 128


def training_speed(case: HeadUnderTest, *, seconds: float = 0.5) -> Ratio | str:
    """How many times the linear probe's time a training step takes, or why it was not timed.

    Args:
        case: The head; where it prompts no text, its features have `FEATURES` dimensions.
        seconds: How long to take turns.
    """
    return _ratio(case, _training_step, seconds)


@torch.inference_mode()
def prediction_speed(case: HeadUnderTest, *, seconds: float = 0.5) -> Ratio | str:
    """As `training_speed`, for a prediction by the deployed module."""
    return _ratio(case, _prediction, seconds)


def _ratio(
    case: HeadUnderTest, fresh: Callable[[HeadUnderTest], Call], seconds: float
) -> Ratio | str:
    case = replace(case, in_features=FEATURES)
    linear = HeadUnderTest(head_class=HEADS[REFERENCE], in_features=case.width)
    try:
        with threads(1):
            timings = time_interleaved(
                [partial(fresh, case), partial(fresh, linear)], seconds=seconds
            )
    except NotTimed as error:
        return str(error)
    except (Exception, SystemExit) as error:  # the checks say what is wrong with it
        return f"{type(error).__name__}: {one_line(error)}"
    return ratio(*timings)


def _training_step(case: HeadUnderTest) -> Call:
    head = case.build(RANKS)
    if not any(parameter.requires_grad for parameter in head.parameters()):
        raise NotTimed("nothing to train")
    ranks = torch.arange(BATCH) % RANKS
    return TrainingStep(head, head.recipe, case.features(BATCH), ranks)


def _prediction(case: HeadUnderTest) -> Call:
    head, features = case.build(RANKS).eval(), case.features(BATCH)
    module = head.deployed().eval()
    return lambda: head.predict(module(features))
