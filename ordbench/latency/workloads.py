"""What is called when a head is timed: a deployed module, a head with its text tower, or a step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ordbench.backbone import TextTower
from ordbench.errors import SpecError
from ordbench.head import BaseHead
from ordbench.latency.builders import HeadBuilder
from ordbench.latency.cost import Cost, footprint, num_bytes
from ordbench.latency.runtimes import NotTimed, compiled, exported, reason
from ordbench.latency.setting import LatencySetting
from ordbench.latency.timing import Call
from ordbench.recipe import Recipe
from ordbench.training.optim import State, optimizer_of


@dataclass(frozen=True)
class Workload:
    """A head that is ready to be timed.

    Attributes:
        fresh: Makes the call; that of a deployed module has a copy of its own.
        cost: What the call costs besides time.
    """

    fresh: Callable[[], Call]
    cost: Cost


def gradients(setting: LatencySetting) -> AbstractContextManager[object]:
    """Under what a setting's calls are made: only a training step records gradients."""
    return torch.enable_grad() if setting.stage == "train" else torch.inference_mode()


def make_workload(label: str, setting: LatencySetting, bench: HeadBuilder) -> Workload:
    """Get a head ready, and call it for the first time.

    Where the text tower is to be run, a head that prompts none is deployed, to be compared with.

    Raises:
        NotTimed: If this head cannot be timed in this setting.
        OrdbenchError: If the text tower cannot be had.
    """
    tower = bench.tower(setting) if bench.prompts(label) else None
    features = _features(setting)
    try:
        if setting.stage == "train":
            head = bench.fresh_head(label, setting)
            return _train(head, bench.recipe(label), tower, features, setting)
        head, module = bench.head(label, setting), bench.deployed(label, setting)
        with gradients(setting):
            if setting.stage == "with-text" and tower is not None:
                return _with_text(head, tower, features, setting)
            return _deployed(module, features, setting)
    except SpecError as error:
        raise NotTimed(str(error)) from error
    except RuntimeError as error:  # no memory, or an operation that the arithmetic lacks
        raise NotTimed(reason(error)) from error


def _features(setting: LatencySetting) -> Tensor:
    features = torch.randn(
        setting.batch, setting.in_features, generator=torch.Generator().manual_seed(0)
    )
    return features.to(setting.device, getattr(torch, setting.dtype))


def _deployed(shipped: nn.Module, features: Tensor, setting: LatencySetting) -> Workload:
    module = copy.deepcopy(shipped).to(features.dtype)
    cost = footprint(partial(module, features), [module], device=setting.device)
    if setting.runtime == "eager":
        # The features are copied as well: where they lie matters too.
        return Workload(lambda: partial(copy.deepcopy(module), features.clone()), cost)
    run = compiled if setting.runtime == "compile" else exported
    call = run(module, features)
    return Workload(lambda: call, cost._replace(memory=None))


def _with_text(
    head: BaseHead, tower: TextTower, features: Tensor, setting: LatencySetting
) -> Workload:
    _refuse_other_than_float32(setting)
    call: Call = partial(head, features)
    if not _runs(tower, call):
        raise NotTimed("it keeps its prototypes and never runs the text encoder")
    cost = footprint(call, [head, tower.model], device=setting.device)
    if setting.runtime == "compile":
        call, cost = compiled(head, features), cost._replace(memory=None)
    return Workload(lambda: call, cost)


def _refuse_other_than_float32(setting: LatencySetting) -> None:
    if setting.dtype != "float32":
        raise NotTimed("training and text encoders are computed in float32")
    if setting.runtime == "onnx":
        raise NotTimed("only what is deployed is exported to ONNX")


def _runs(tower: TextTower, call: Call) -> bool:
    """Whether the call runs any module of the tower."""
    called: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, inputs, output: called.append(module))
        for module in tower.model.modules()
    ]
    try:
        call()
    finally:
        for hook in hooks:
            hook.remove()
    return bool(called)


def _train(
    head: BaseHead,
    recipe: Recipe,
    tower: TextTower | None,
    features: Tensor,
    setting: LatencySetting,
) -> Workload:
    _refuse_other_than_float32(setting)
    if not any(parameter.requires_grad for parameter in head.parameters()):
        raise NotTimed("it has nothing to train")
    ranks = torch.arange(setting.batch, device=features.device) % setting.num_ranks
    step = TrainingStep(head, recipe, features, ranks)
    step()  # the first one makes the state of the optimiser
    modules = [head] if tower is None else [head, tower.model]
    cost = footprint(step, modules, device=setting.device, state=step.state_bytes)
    if setting.runtime == "compile":
        step.loss, cost = compiled(step.loss), cost._replace(memory=None)
    return Workload(lambda: step, cost)


class TrainingStep:
    """A training step as a plain loop in PyTorch has it, again and again on one batch.

    `ordbench run` puts the seeds of a cell into one such step.

    Args:
        head: Is trained.
        recipe: Names the optimiser.
        features: ``(N, D)``.
        ranks: ``(N,)``, int64.

    Attributes:
        loss: The loss on the batch; what compiles it puts it here.
    """

    def __init__(self, head: BaseHead, recipe: Recipe, features: Tensor, ranks: Tensor) -> None:
        trained: State = {name: p for name, p in head.named_parameters() if p.requires_grad}
        self.optimizer = optimizer_of([trained], [recipe])
        self.loss: Callable[[], Tensor] = partial(_loss, head, features, ranks)

    def __call__(self) -> None:
        """Make the step."""
        self.optimizer.zero_grad()
        torch.autograd.backward(self.loss())
        self.optimizer.step()

    @property
    def state_bytes(self) -> int:
        """Bytes of what the optimiser remembers from step to step."""
        states = self.optimizer.state.values()
        return num_bytes(
            value for state in states for value in state.values() if isinstance(value, Tensor)
        )


def _loss(head: BaseHead, features: Tensor, ranks: Tensor) -> Tensor:
    return head.loss(head(features), ranks)
