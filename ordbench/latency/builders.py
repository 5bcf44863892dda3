"""Heads to be timed: built for K ranks and D features, with a text tower of the right size."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import torch
from torch import nn

from ordbench.backbone import TextTower
from ordbench.errors import SpecError
from ordbench.features.extraction import open_family
from ordbench.head import BaseHead, ClosedForm, Problem
from ordbench.latency.setting import LatencySetting
from ordbench.plugins.registry import HEADS
from ordbench.plugins.selection import chosen
from ordbench.recipe import Recipe
from ordbench.runs.heads import create_head
from ordbench.runs.spec import RunSpec, head_settings
from ordbench.runs.titles import head_label
from ordbench.task import Task
from ordbench.utils.random_numbers import seeded

REFERENCE = "linear"
CONTEXT = "age estimation: the age of the person is"

# Text towers by the width of their joint space; features of another width are projected.
DEFAULT_TEXT = "clip:ViT-B-32/random"
TEXT_BY_WIDTH = {
    512: DEFAULT_TEXT,
    640: "clip:RN50x4/random",
    768: "clip:ViT-L-14/random",
    1024: "clip:RN50/random",
}
T = TypeVar("T")


class HeadBuilder:
    """Builds heads and text towers, each once.

    No weight is trained: how long a head takes depends on its sizes only.

    Args:
        heads: ``NAME[:KEY=VALUE]``, with ``all`` and globs; the reference is added.

    Attributes:
        labels: What the heads are called, the reference first.

    Raises:
        OrdbenchError: If there is no such head or option.
    """

    def __init__(self, heads: Sequence[str]) -> None:
        typed = chosen([REFERENCE, *heads], HEADS)
        specs = [RunSpec(dataset="", **head_settings(str(head))) for head in typed]
        self.specs = {head_label(spec): spec for spec in specs}
        self.labels = list(self.specs)
        self._built: dict[object, object] = {}

    def prompts(self, label: str) -> bool:
        """Whether a head prompts a text tower."""
        return HEADS[self.specs[label].head].needs_text

    def recipe(self, label: str) -> Recipe:
        """How a head is trained by default."""
        return self.specs[label].recipe or HEADS[self.specs[label].head].recipe

    def tower(self, setting: LatencySetting) -> TextTower:
        """The text tower that prompt heads get.

        That of ``setting.text``, or one with random weights and the size of the CLIP whose joint
        space is as wide as the features; where none is, that of ViT-B-32, and heads project.

        Raises:
            OrdbenchError: If the one that was asked for cannot be had.
        """
        name = setting.text or TEXT_BY_WIDTH.get(setting.in_features, DEFAULT_TEXT)
        return self._once((name, setting.device), lambda: _load_text_tower(name, setting.device))

    def head(self, label: str, setting: LatencySetting) -> BaseHead:
        """A head on the setting's device, the same for all batch sizes; not to be trained.

        Raises:
            SpecError: If the head cannot be built for this setting.
        """
        sizes = (setting.num_ranks, setting.in_features)
        key = ("head", label, *sizes, setting.device, setting.text)
        return self._once(key, lambda: self.fresh_head(label, setting))

    def deployed(self, label: str, setting: LatencySetting) -> nn.Module:
        """What a head ships, in float32, the same for all batch sizes; as `head` otherwise.

        A copy, since a head may be deployed as it is.
        """
        head = self.head(label, setting)
        return self._once(("deployed", head), lambda: copy.deepcopy(head.deployed()).eval())

    def fresh_head(self, label: str, setting: LatencySetting) -> BaseHead:
        """As `head`, but a new one at each call."""
        spec = self.specs[label]
        tower = self.tower(setting) if self.prompts(label) else None
        with seeded(0):
            head = create_head(spec.head, _problem(setting, tower), spec.head_options)
            if isinstance(head, ClosedForm):  # it cannot be called before
                ranks = torch.arange(4 * setting.num_ranks) % setting.num_ranks
                head.fit(torch.randn(len(ranks), setting.in_features), ranks)
        return head.to(setting.device)

    def _once(self, key: object, make: Callable[[], T]) -> T:
        if key not in self._built:
            self._built[key] = make()
        return cast(T, self._built[key])


def _load_text_tower(name: str, device: str) -> TextTower:
    family, argument = open_family(name)
    tower = family.load_text_tower(argument, device=device)
    if tower is None:
        raise SpecError(f"--text {name} has no text encoder; use another, such as {DEFAULT_TEXT}")
    return tower


def _problem(setting: LatencySetting, tower: TextTower | None) -> Problem:
    """Ranks are named by numbers; the features lie in the tower's space if they are as wide."""
    names = [str(rank) for rank in range(setting.num_ranks)]
    task = Task(
        rank_names=tuple(names), rank_values=tuple(map(float, names)), unit="years", context=CONTEXT
    )
    return Problem(
        in_features=setting.in_features,
        task=task,
        train_counts=torch.ones(setting.num_ranks, dtype=torch.int64),
        feature_mean=torch.randn(setting.in_features),
        feature_scale=torch.tensor(0.5),
        text_tower=tower,
        aligned=tower is not None and tower.embed_dim == setting.in_features,
    )
