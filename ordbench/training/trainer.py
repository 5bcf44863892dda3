"""Training on features: replicas of one head as one batched model, selected on validation only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ordbench.backbone import TextTower
from ordbench.head import BaseHead, ClosedForm, Problem, TwoStage, check_ranks
from ordbench.recipe import Recipe
from ordbench.task import Task
from ordbench.training.optim import State, optimizer_of, schedule_of
from ordbench.training.replicas import StackedHeads
from ordbench.utils.torch_threads import threads

MAX_STACKED = 16  # replicas that train as one model; of more, nothing stays in a core's cache


@dataclass(frozen=True)
class LabelledFeatures:
    """Features ``(N, D)`` with their ranks ``(N,)``, int64."""

    features: Tensor
    ranks: Tensor


def problem_of(
    train: LabelledFeatures, task: Task, text_tower: TextTower | None = None, *, aligned: bool
) -> Problem:
    """What a head is told before it learns from training features.

    Args:
        train: The training features and their ranks.
        task: The K ranks.
        text_tower: See `Problem`; so for ``aligned``.
        aligned: Whether the features lie in the text tower's joint space.
    """
    scale = train.features.var(0, correction=0).mean().sqrt()
    size = train.features.square().mean().sqrt()
    return Problem(
        in_features=train.features.shape[1],
        task=task,
        train_counts=torch.bincount(train.ranks, minlength=task.num_ranks),
        feature_mean=train.features.mean(0),
        # Features that are the same for all images, but for rounding, are left as they are.
        feature_scale=torch.where(scale > 1e-6 * size, scale, torch.ones_like(scale)),
        text_tower=text_tower,
        aligned=aligned,
    )


@dataclass(frozen=True)
class Replica:
    """One training: a fresh head, its data, how to train, and the seed that orders its batches."""

    head: BaseHead
    train: LabelledFeatures
    val: LabelledFeatures
    recipe: Recipe
    seed: int


@dataclass(frozen=True)
class Fitted:
    """What a training left behind; ``head`` holds the parameters of ``best_step``.

    Attributes:
        head: The trained head.
        steps: Updates made.
        best_step: Updates after which validation was best.
        val_mae: Validation MAE at ``best_step``, of the posterior's median, in the task's unit;
            infinite if the training diverged.
        stopped_early: Whether patience ran out before the last step.
        diverged: The loss of the last step if it was not finite; its training ended there.
    """

    head: BaseHead
    steps: int
    best_step: int
    val_mae: float
    stopped_early: bool = False
    diverged: float | None = None


def fit(replicas: Sequence[Replica], rank_values: Tensor) -> list[Fitted]:
    """Train replicas of one head that have equally many training and validation images.

    A single run is one replica. Replicas share no arithmetic but the batched kernels, so none
    depends on the others.

    Args:
        replicas: Heads of one class, built with the same options. Their recipes differ in learning
            rate and weight decay only.
        rank_values: ``(K,)``, rising, in the task's unit.

    Returns:
        One result a replica, in their order.
    """
    for replica in replicas:
        check_ranks(replica.train.ranks, replica.head.num_ranks)
        check_ranks(replica.val.ranks, replica.head.num_ranks)
    with threads(1):
        return [
            fitted
            for start in range(0, len(replicas), MAX_STACKED)
            for fitted in _fit(replicas[start : start + MAX_STACKED], rank_values)
        ]


def _fit(replicas: Sequence[Replica], rank_values: Tensor) -> list[Fitted]:
    """Both stages, for heads that have two, and what has a closed form in between."""
    made = 0
    if isinstance(replicas[0].head, TwoStage):
        _Training(replicas, rank_values, first_stage=True).run()
        made = replicas[0].recipe.steps(len(replicas[0].train.ranks))
    for replica in replicas:
        if isinstance(replica.head, ClosedForm):
            replica.head.fit(replica.train.features, replica.train.ranks)
    return [
        replace(one, steps=made + one.steps, best_step=made + one.best_step)
        for one in _Training(replicas, rank_values).run()
    ]


class _Training:
    """The loop's state: stacked parameters, an optimiser, and each replica's best so far."""

    def __init__(
        self, replicas: Sequence[Replica], rank_values: Tensor, *, first_stage: bool = False
    ) -> None:
        self.first_stage = first_stage
        self.replicas = replicas
        self.recipe = replicas[0].recipe
        self.rank_values = rank_values
        self.heads = StackedHeads([one.head for one in replicas], [one.seed for one in replicas])
        self.best = [Fitted(replica.head, 0, 0, math.inf) for replica in replicas]
        self.best_states: list[State] = [{} for _ in replicas]
        self.waited = [0] * len(replicas)  # evaluations without a better one
        self.step = 0
        self._go_on_with(range(len(replicas)))

    def _go_on_with(self, active: Iterable[int]) -> None:
        """Train these replicas from now on; those that have stopped cost nothing more."""
        self.active = list(active)
        self.heads.go_on_with(self.active)
        if self.active:
            val = [self.replicas[r].val for r in self.active]
            self.val_features = torch.stack([part.features for part in val])
            self.val_ranks = torch.stack([part.ranks for part in val])

    def run(self) -> list[Fitted]:
        """Train until every replica has stopped, then put the best parameters back."""
        for replica in self.replicas:
            replica.head.train()
        if self.heads.states[0]:
            first = self.replicas[0].train
            batch = slice(self.recipe.batch_size)
            self.heads.probe(first.features[batch], first.ranks[batch])
            self._train()
        else:
            self._evaluate()
        for replica, state in zip(self.replicas, self.best_states, strict=True):
            replica.head.load_state_dict(state, strict=False)
            replica.head.eval()
        return self.best

    def _train(self) -> None:
        num_steps = self.recipe.steps(len(self.replicas[0].train.ranks))
        interval = math.ceil(num_steps / self.recipe.evaluations)
        optimizer = optimizer_of(self.heads.states, [replica.recipe for replica in self.replicas])
        schedule = schedule_of(self.recipe, optimizer, num_steps)
        batches = [_batches(replica, self.recipe.batch_size) for replica in self.replicas]
        for self.step in range(1, num_steps + 1):
            losses = self._losses([next(batches[r]) for r in self.active])
            optimizer.zero_grad()
            torch.autograd.backward(losses.sum())
            optimizer.step()
            schedule.step()
            going = self._finite(losses.tolist())
            looked_at = self.step % interval == 0 or self.step == num_steps
            if going and looked_at and not self.first_stage:
                self._evaluate()
                if self.step < num_steps:
                    going = self._patient(going)
            if len(going) < len(self.active):
                self._go_on_with(going)
            if not going:
                return

    def _losses(self, batches: list[LabelledFeatures]) -> Tensor:
        features = torch.stack([batch.features for batch in batches])
        ranks = torch.stack([batch.ranks for batch in batches])
        return self.heads.losses(features, ranks, step=self.step, first_stage=self.first_stage)

    def _finite(self, losses: Sequence[float]) -> list[int]:
        """The active replicas whose losses are; the training of the others ends here."""
        for r, loss in zip(self.active, losses, strict=True):
            if not math.isfinite(loss):
                head = self.replicas[r].head
                self.best[r] = Fitted(head, self.step, 0, math.inf, diverged=loss)
        return [r for r in self.active if self.best[r].diverged is None]

    def _patient(self, going: Sequence[int]) -> list[int]:
        """Those that need not stop yet."""
        for r in going:
            if self.waited[r] >= self.recipe.patience:
                self.best[r] = replace(self.best[r], stopped_early=True)
        return [r for r in going if not self.best[r].stopped_early]

    def _evaluate(self) -> None:
        positions = self.heads.positions(self.val_features, step=self.step)
        estimates = interpolate(positions, self.rank_values)
        errors = (estimates - self.rank_values[self.val_ranks]).abs()
        for r, mae in zip(self.active, errors.double().mean(1).tolist(), strict=True):
            if self.best[r].diverged is not None:
                continue
            best_step, best_mae = self.best[r].best_step, self.best[r].val_mae
            head = self.replicas[r].head
            if mae < best_mae:
                best_step, best_mae, self.waited[r] = self.step, mae, 0
                self.best_states[r] = {k: v.clone() for k, v in head.state_dict().items()}
            else:
                self.waited[r] += 1
            self.best[r] = Fitted(head, self.step, best_step, best_mae)


def interpolate(positions: Tensor, values: Tensor) -> Tensor:
    """Values of real positions, linear between ranks, as `ordbench.metrics.decoding.to_unit`."""
    positions = positions.clamp(0, len(values) - 1)
    low = positions.floor().long().clamp(0, len(values) - 2)
    return values[low] + (positions - low) * (values[low + 1] - values[low])


def _batches(replica: Replica, batch_size: int) -> Iterator[LabelledFeatures]:
    """Epoch after epoch without end; one that fits into a batch is taken in file order."""
    generator = torch.Generator().manual_seed(replica.seed)
    features, ranks = replica.train.features, replica.train.ranks
    while True:
        if len(ranks) <= batch_size:
            yield replica.train
            continue
        order = torch.randperm(len(ranks), generator=generator).to(ranks.device)
        for start in range(0, len(ranks), batch_size):
            chosen = order[start : start + batch_size]
            yield LabelledFeatures(features[chosen], ranks[chosen])
