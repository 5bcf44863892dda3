"""From a prepared run to its record: head, training, test."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ordbench.backbone import TextTower
from ordbench.facts import facts
from ordbench.fit import Fitted, Labelled, Replica
from ordbench.head import Head, PointHead, Problem
from ordbench.metric_names import DECODES, Column
from ordbench.metrics import estimates, point_scores, scores, to_unit
from ordbench.options import Value
from ordbench.predictions import Predictions
from ordbench.prepared import Prepared
from ordbench.record import Record, TrainingFacts
from ordbench.registry import HEADS
from ordbench.search import Search, search
from ordbench.spec import RunSpec
from ordbench.tune import Candidate

CHUNK = 8192  # images that go through a head at a time when it is tested


class Bench(Protocol):
    """What a training needs beside its data; a `Workspace` is one."""

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``."""
        ...

    def text_tower(self, spec: RunSpec) -> TextTower | None:
        """The tower that a text head prompts, on any device."""
        ...


def train_and_test(group: Sequence[Prepared], bench: Bench) -> list[tuple[Record, Predictions]]:
    """Train replicas, equal but for their seeds, as one model; test each on its own.

    Raises:
        TrainingError: If a training diverged.
    """
    started = time.perf_counter()
    task = group[0].material.listing.task
    values = torch.tensor(task.rank_values, dtype=torch.float64, device=bench.device)

    def replica(number: int, candidate: Candidate) -> Replica:
        return _replica(group[number], candidate, bench)

    searches = search([prepared.spec for prepared in group], replica, values)
    seconds = (time.perf_counter() - started) / len(group)
    return [
        _tested(prepared, one.found(), one, seconds, bench)
        for prepared, one in zip(group, searches, strict=True)
    ]


def build_head(
    prepared: Prepared, bench: Bench, options: Mapping[str, Value] | None = None
) -> Head:
    """An untrained head, as the train seed starts it.

    Args:
        prepared: The run.
        bench: Where the text tower is.
        options: Of the head, in place of the run's own.

    Raises:
        SpecError: If an option cannot be.
    """
    spec, task = prepared.spec, prepared.material.listing.task
    train = prepared.labelled("train")
    head_class = HEADS[spec.head]
    scale = train.features.std(0, correction=0)
    problem = Problem(
        in_features=train.features.shape[1],
        task=task,
        train_counts=torch.bincount(train.ranks, minlength=task.num_ranks),
        feature_mean=train.features.mean(0),
        # A feature that never varies in training says nothing; it is left as it is.
        feature_scale=torch.where(scale > 1e-6 * scale.max(), scale, torch.ones_like(scale)),
        text_tower=bench.text_tower(spec) if head_class.needs_text else None,
        aligned=not spec.text and spec.layer == "post",
    )
    with torch.random.fork_rng(devices=[]):  # heads are made on the CPU
        torch.manual_seed(spec.train_seed)
        own = spec.head_options if options is None else options
        return head_class(problem, **own).to(bench.device)


def _replica(prepared: Prepared, candidate: Candidate, bench: Bench) -> Replica:
    return Replica(
        head=build_head(prepared, bench, candidate.options),
        train=_to(prepared.labelled("train"), bench.device),
        val=_to(prepared.labelled("val"), bench.device),
        recipe=candidate.recipe,
        seed=prepared.spec.train_seed,
    )


def _tested(
    prepared: Prepared, fitted: Fitted, tuned: Search, fit_seconds: float, bench: Bench
) -> tuple[Record, Predictions]:
    started = time.perf_counter()
    test = prepared.labelled("test")
    answers = _answers(fitted.head, test.features.to(bench.device)).cpu().numpy()
    ranks = test.ranks.numpy()
    values = prepared.material.listing.task.rank_values
    if isinstance(fitted.head, PointHead):
        point = to_unit(answers, values)
        found: dict[Column, dict[str, float]] = {"point": point_scores(point, ranks, values)}
        predictions = Predictions(
            samples=prepared.split.test, ranks=ranks, estimates={"point": point}
        )
    else:
        found = scores(answers, ranks, values)
        predictions = Predictions(
            samples=prepared.split.test,
            ranks=ranks,
            estimates={how: estimates(answers, values, how) for how in DECODES},
            posterior=answers,
        )
    median = values[int(prepared.labelled("train").ranks.median())]
    record = Record(
        status="done",
        **facts(prepared, bench.device),
        training=_training(prepared.spec, fitted, tuned),
        metrics=found,
        baseline=point_scores(np.full(len(ranks), median), ranks, values),
        seconds={
            "features": prepared.material.features.seconds,
            "fit": fit_seconds,
            "test": time.perf_counter() - started,
        },
    )
    return record, predictions


def _training(spec: RunSpec, fitted: Fitted, tuned: Search) -> TrainingFacts:
    return TrainingFacts(
        steps=fitted.steps,
        best_step=fitted.best_step,
        val_mae=fitted.val_mae,
        parameters=sum(p.numel() for p in fitted.head.parameters() if p.requires_grad),
        stopped_early=fitted.stopped_early,
        tried=tuple(tuned.tried) if spec.tuning else (),
        chosen=dict(tuned.chosen),
    )


@torch.no_grad()
def _answers(head: Head, features: Tensor) -> Tensor:
    """Posteriors ``(N, K)``, or estimates ``(N,)`` in rank steps, of the deployed head."""
    deployed = head.deployed()
    chunks = [features[start : start + CHUNK] for start in range(0, len(features), CHUNK)]
    outputs = [deployed(chunk) for chunk in chunks]
    if isinstance(head, PointHead):
        return torch.cat([head.estimate(output) for output in outputs])
    return torch.cat([head.posterior(output) for output in outputs])


def _to(labelled: Labelled, device: str) -> Labelled:
    return Labelled(labelled.features.to(device), labelled.ranks.to(device))
