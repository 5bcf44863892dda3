"""The search for the best hyper-parameters of a run: one candidate, or as many as it tunes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from torch import Tensor

from ordbench.errors import SpecError, TrainingError
from ordbench.plugins.options import changed
from ordbench.plugins.registry import HEADS
from ordbench.recipe import Point, Recipe
from ordbench.training.samplers import Candidate, Tuning, sampler_of, space_of
from ordbench.training.trainer import Fitted, Replica, fit

Build = Callable[[int, Candidate], Replica]
"""The fresh replica of a run, by its number, and a candidate."""


class Search:
    """The candidates of one run.

    Attributes:
        asked: Candidates to train next.
        tried: For each earlier one, what it changed and its validation MAE.
        best: The training with the lowest validation MAE; of equal ones, the first.
        chosen: What it changed.

    Args:
        head: Name of the head.
        default: The first candidate. Options and a weight decay that are not the head's own were
            chosen by a user and stay; a learning rate is the middle of the rates that are tried.
        tuning: Number of candidates and how they are chosen; None for the first one alone.
        seed: Draws the candidates.
    """

    def __init__(self, head: str, default: Candidate, tuning: Tuning | None, seed: int) -> None:
        head_class = HEADS[head]
        self.default = default
        if fixed := sorted(head_class.search.keys() & Recipe.model_fields.keys()):
            raise SpecError(
                f"head {head!r} searches {', '.join(fixed)}, which its recipe fixes; its "
                "search may name options of the head only"
            )
        typed = set(changed(head_class, default.options))
        if default.recipe.weight_decay != head_class.recipe.weight_decay:
            typed.add("weight_decay")
        recipe = default.recipe if head_class.iterative else None
        space = space_of(recipe, head_class.search)
        space = {name: axis for name, axis in space.items() if name not in typed}
        self._sampler = sampler_of(tuning, space, seed)
        self._points: list[Point] = []
        self.asked: list[Candidate] = []
        self.tried: list[tuple[Point, float]] = []
        self.best: Fitted | None = None
        self.chosen: Point = {}

    def ask(self) -> None:
        """Find out what is to be trained next: nothing, once the budget is used up."""
        self._points = self._sampler.ask()
        self.asked = [self.default.at(point) for point in self._points]

    def tell(self, fitted: Sequence[Fitted]) -> None:
        """Take in what came of the candidates that were asked for."""
        for point, one in zip(self._points, fitted, strict=True):
            self.tried.append((point, one.val_mae))
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
                "or check the features"
            )
        return best


def search(searches: Sequence[Search], build: Build, rank_values: Tensor) -> None:
    """Train all candidates of runs that differ in their seeds only, stacked where they can be.

    Args:
        searches: One for each run.
        build: Makes the replica of a run, by its number in ``searches``, and a candidate.
        rank_values: ``(K,)``, rising, in the task's unit.
    """
    while True:
        for one in searches:
            one.ask()
        if not any(one.asked for one in searches):
            return
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
