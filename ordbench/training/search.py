"""Trains what some runs ask for: their one candidate, or as many as their tuning tries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from torch import Tensor

from ordbench.errors import SpecError, TrainingError
from ordbench.plugins.options import changed
from ordbench.plugins.registry import HEADS
from ordbench.recipe import Point, Recipe
from ordbench.runs.record import Tried
from ordbench.runs.spec import RunSpec
from ordbench.training.samplers import Candidate, sampler_of, space_of
from ordbench.training.trainer import Fitted, Replica, fit

Build = Callable[[int, Candidate], Replica]
"""The fresh replica of a run, by its number, and a candidate."""


class Search:
    """What was tried for one run.

    Attributes:
        spec: The run.
        asked: Candidates that are to be trained next.
        tried: What earlier ones came to.
        best: The training with the least validation MAE; of equal ones, the first.
        chosen: What it changed.

    Args:
        spec: The run; its recipe and options are the first candidate. Options and a weight decay
            that are not the head's own were chosen by a user and stay; a learning rate is the
            middle of the rates that are tried.
    """

    def __init__(self, spec: RunSpec) -> None:
        head = HEADS[spec.head]
        self.spec = spec
        self.default = Candidate(spec.recipe or head.recipe, spec.head_options)
        if fixed := sorted(head.search.keys() & Recipe.model_fields.keys()):
            raise SpecError(
                f"head {spec.head!r} searches {', '.join(fixed)}, which its recipe fixes; its "
                "search may name options of the head only"
            )
        typed = set(changed(head, spec.head_options))
        if self.default.recipe.weight_decay != head.recipe.weight_decay:
            typed.add("weight_decay")
        space = space_of(self.default.recipe, head.search)
        space = {name: axis for name, axis in space.items() if name not in typed}
        self._sampler = sampler_of(spec.tuning, space, spec.train_seed)
        self._points: list[Point] = []
        self.asked: list[Candidate] = []
        self.tried: list[Tried] = []
        self.best: Fitted | None = None
        self.chosen: Point = {}

    def ask(self) -> None:
        """Find out what is to be trained next: nothing, once the budget is used up."""
        self._points = self._sampler.ask()
        self.asked = [self.default.at(point) for point in self._points]

    def tell(self, fitted: Sequence[Fitted]) -> None:
        """Take in what came of the candidates that were asked for."""
        for point, one in zip(self._points, fitted, strict=True):
            self.tried.append(Tried(changed=dict(point), val_mae=one.val_mae))
            if self.best is None or one.val_mae < self.best.val_mae:
                self.best, self.chosen = one, point
        self._sampler.tell([one.val_mae for one in fitted])

    def found(self) -> Fitted:
        """The best training.

        Raises:
            TrainingError: If every one diverged; names the loss and the step.
        """
        best = self.best
        if best is None or best.diverged is not None:
            loss, step = (best.diverged, best.steps) if best else (None, 0)
            raise TrainingError(
                f"the loss is {loss} at step {step} of training; lower the learning rate "
                f"(--recipe learning_rate=...; it is {self.default.recipe.learning_rate}) "
                "or look at the features"
            )
        return best


def search(specs: Sequence[RunSpec], build: Build, rank_values: Tensor) -> list[Search]:
    """Train the candidates of runs that are equal but for their seeds, as many as one as can be.

    Args:
        specs: The runs.
        build: Makes the replica of a run, by its number in ``specs``, and a candidate.
        rank_values: ``(K,)``, rising, in the task's unit.
    """
    searches = [Search(spec) for spec in specs]
    while True:
        for one in searches:
            one.ask()
        if not any(one.asked for one in searches):
            return searches
        # Heads with other options may have parameters of other shapes.
        alike: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, one in enumerate(searches):
            for turn, candidate in enumerate(one.asked):
                alike[repr(sorted(candidate.options.items()))].append((number, turn))
        fitted: dict[tuple[int, int], Fitted] = {}
        for places in alike.values():
            replicas = [build(number, searches[number].asked[turn]) for number, turn in places]
            fitted |= dict(zip(places, fit(replicas, rank_values), strict=True))
        for number, one in enumerate(searches):
            one.tell([fitted[number, turn] for turn in range(len(one.asked))])
