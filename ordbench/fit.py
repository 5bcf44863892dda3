"""Training on features: replicas of one head as one batched model, selected on validation only."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from ordbench.head import Head, PointHead, check_ranks
from ordbench.optimization import State, optimizer_of, schedule_of
from ordbench.recipe import Recipe

TOGETHER = 16  # replicas that train as one model; of more, nothing stays in a core's cache


@dataclass(frozen=True)
class Labelled:
    """Features ``(N, D)`` with their ranks ``(N,)``, int64."""

    features: Tensor
    ranks: Tensor


@dataclass(frozen=True)
class Replica:
    """One training: a fresh head, its data, how to train, and the seed that orders its batches."""

    head: Head
    train: Labelled
    val: Labelled
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

    head: Head
    steps: int
    best_step: int
    val_mae: float
    stopped_early: bool = False
    diverged: float | None = None


class _Objective(nn.Module):
    """Head and loss in one call, so that a loss may use the head's parameters."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, ranks: Tensor) -> Tensor:
        return self.head.loss(self.head(features), ranks)


class _Estimator(nn.Module):
    """Head and decode in one call: positions ``(N,)`` in rank steps."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor) -> Tensor:
        outputs = self.head(features)
        if isinstance(self.head, PointHead):
            return self.head.estimate(outputs)
        return (self.head.posterior(outputs).cumsum(-1) < 0.5).sum(-1).to(features.dtype)


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
    with one_thread():
        return [
            fitted
            for start in range(0, len(replicas), TOGETHER)
            for fitted in _Training(replicas[start : start + TOGETHER], rank_values).run()
        ]


@contextmanager
def one_thread() -> Generator[None]:
    """Sums split over threads change in the last bit with their number; one thread does not."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Training:
    """The loop's state: stacked parameters, an optimiser, and each replica's best so far."""

    def __init__(self, replicas: Sequence[Replica], rank_values: Tensor) -> None:
        self.replicas = replicas
        self.recipe = replicas[0].recipe
        self.rank_values = rank_values
        self.states = [_trainable(replica.head) for replica in replicas]
        self.best = [Fitted(replica.head, 0, 0, math.inf) for replica in replicas]
        self.best_states: list[State] = [{} for _ in replicas]
        self.waited = [0] * len(replicas)  # evaluations without a better one
        self._go_on_with(range(len(replicas)))

    def _go_on_with(self, active: Iterable[int]) -> None:
        """Train these replicas from now on; those that have stopped cost nothing more."""
        self.active = list(active)
        replicas = [self.replicas[r] for r in self.active]
        if replicas:
            self.buffers = _stack([dict(replica.head.named_buffers()) for replica in replicas])
            self.val_features = torch.stack([replica.val.features for replica in replicas])
            self.val_ranks = torch.stack([replica.val.ranks for replica in replicas])

    def run(self) -> list[Fitted]:
        """Train until every replica has stopped, then put the best parameters back."""
        if self.states[0]:
            self._train()
        else:
            self._evaluate(step=0)
        for replica, state in zip(self.replicas, self.best_states, strict=True):
            replica.head.load_state_dict(state, strict=False)
            replica.head.eval()
        return self.best

    def _train(self) -> None:
        num_steps = self.recipe.steps(len(self.replicas[0].train.ranks))
        interval = max(1, num_steps // self.recipe.evaluations)
        optimizer = optimizer_of(self.states, [replica.recipe for replica in self.replicas])
        schedule = schedule_of(self.recipe, optimizer, num_steps)
        batches = [_batches(replica, self.recipe.batch_size) for replica in self.replicas]
        for step in range(1, num_steps + 1):
            losses = self._losses([next(batches[r]) for r in self.active])
            optimizer.zero_grad()
            torch.autograd.backward(losses.sum())
            optimizer.step()
            schedule.step()
            going = self._finite(losses.tolist(), step)
            if going and (step % interval == 0 or step == num_steps):
                self._evaluate(step)
                going = [r for r in going if self.waited[r] < self.recipe.patience]
            if len(going) < len(self.active):
                self._go_on_with(going)
            if not going:
                return

    def _losses(self, batches: list[Labelled]) -> Tensor:
        features = torch.stack([batch.features for batch in batches])
        ranks = torch.stack([batch.ranks for batch in batches])
        return self._call(_Objective(self.replicas[0].head), features, ranks)

    def _call(self, module: nn.Module, *inputs: Tensor) -> Tensor:
        """Call ``module`` on stacked inputs ``(R, N, ...)``, a row an active replica."""
        stacked = _stack([self.states[r] for r in self.active]) | self.buffers
        parameters = {f"head.{key}": value for key, value in stacked.items()}

        def one(state: State, *one_input: Tensor) -> Tensor:
            output: Tensor = functional_call(module, state, one_input)
            return output

        if self.replicas[0].head.batchable:
            batched: Tensor = vmap(one)(parameters, *inputs)
            return batched
        states = [{k: v[i] for k, v in parameters.items()} for i in range(len(self.active))]
        rows = zip(states, *inputs, strict=True)
        return torch.stack([one(*row) for row in rows])

    def _finite(self, losses: Sequence[float], step: int) -> list[int]:
        """The active replicas whose losses are; the training of the others ends here."""
        for r, loss in zip(self.active, losses, strict=True):
            if not math.isfinite(loss):
                self.best[r] = Fitted(self.replicas[r].head, step, 0, math.inf, diverged=loss)
        return [r for r in self.active if self.best[r].diverged is None]

    @torch.no_grad()
    def _evaluate(self, step: int) -> None:
        positions = self._call(_Estimator(self.replicas[0].head), self.val_features)
        errors = (
            _interpolate(positions, self.rank_values) - self.rank_values[self.val_ranks]
        ).abs()
        for r, mae in zip(self.active, errors.double().mean(1).tolist(), strict=True):
            if self.best[r].diverged is not None:
                continue
            best_step, best_mae = self.best[r].best_step, self.best[r].val_mae
            if mae < best_mae:
                best_step, best_mae, self.waited[r] = step, mae, 0
                self.best_states[r] = {k: v.detach().clone() for k, v in self.states[r].items()}
            else:
                self.waited[r] += 1
            stopped = self.waited[r] >= self.recipe.patience
            self.best[r] = Fitted(self.replicas[r].head, step, best_step, best_mae, stopped)


def _trainable(head: Head) -> State:
    return {k: p for k, p in head.named_parameters() if p.requires_grad}


def _stack(states: Sequence[State]) -> State:
    return {key: torch.stack([state[key] for state in states]) for key in states[0]}


def _interpolate(positions: Tensor, values: Tensor) -> Tensor:
    """Values of real positions in 0..K-1, linear between neighbours."""
    low = positions.floor().long().clamp(0, len(values) - 2)
    return values[low] + (positions - low) * (values[low + 1] - values[low])


def _batches(replica: Replica, batch_size: int) -> Iterator[Labelled]:
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
            yield Labelled(features[chosen], ranks[chosen])
