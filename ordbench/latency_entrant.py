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
from ordbench.footprint import Footprint, footprint
from ordbench.head import Head
from ordbench.latency_heads import Workbench
from ordbench.latency_runtime import NotTimed, compiled, exported, reason
from ordbench.latency_setting import Setting
from ordbench.latency_step import TrainingStep
from ordbench.recipe import Recipe
from ordbench.timing import Call


@dataclass(frozen=True)
class Entrant:
    """A head that is ready to be timed.

    Attributes:
        fresh: Makes the call; that of a deployed module has a copy of its own.
        cost: What the call costs besides time.
    """

    fresh: Callable[[], Call]
    cost: Footprint


def gradients(setting: Setting) -> AbstractContextManager[object]:
    """Under what a setting's calls are made: only a training step records gradients."""
    return torch.enable_grad() if setting.stage == "train" else torch.inference_mode()


def entrant(label: str, setting: Setting, bench: Workbench) -> Entrant:
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


def _features(setting: Setting) -> Tensor:
    features = torch.randn(
        setting.batch, setting.in_features, generator=torch.Generator().manual_seed(0)
    )
    return features.to(setting.device, getattr(torch, setting.dtype))


def _deployed(shipped: nn.Module, features: Tensor, setting: Setting) -> Entrant:
    module = copy.deepcopy(shipped).to(features.dtype)
    cost = footprint(partial(module, features), [module], device=setting.device)
    if setting.runtime == "eager":
        # The features are copied as well: where they lie matters too.
        return Entrant(lambda: partial(copy.deepcopy(module), features.clone()), cost)
    run = compiled if setting.runtime == "compile" else exported
    call = run(module, features)
    return Entrant(lambda: call, cost._replace(memory=None))


def _with_text(head: Head, tower: TextTower, features: Tensor, setting: Setting) -> Entrant:
    _refuse_other_than_float32(setting)
    call: Call = partial(head, features)
    if not _runs(tower, call):
        raise NotTimed("it keeps its prototypes and never runs the text tower")
    cost = footprint(call, [head, tower.model], device=setting.device)
    if setting.runtime == "compile":
        call, cost = compiled(head, features), cost._replace(memory=None)
    return Entrant(lambda: call, cost)


def _refuse_other_than_float32(setting: Setting) -> None:
    if setting.dtype != "float32":
        raise NotTimed("training and text towers are computed in float32")
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
    head: Head, recipe: Recipe, tower: TextTower | None, features: Tensor, setting: Setting
) -> Entrant:
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
    return Entrant(lambda: step, cost)
