"""Predictions of imagined heads."""

from collections.abc import Callable

import numpy as np
import pytest

from ordbench.metrics.evaluation import Evaluation
from ordbench.report.head_runs import HeadRuns

Heads = Callable[..., HeadRuns]


@pytest.fixture
def head() -> Heads:
    """A head with runs of 40 images of 5 ranks, 10 years apart; ``probs=False`` for points."""

    def make(label: str = "coral", *, runs: int = 2, probs: bool = True) -> HeadRuns:
        generator = np.random.default_rng([*label.encode()])
        ranks = generator.integers(0, 5, 40)
        made: list[Evaluation] = []
        for _ in range(runs):
            posterior = generator.dirichlet(np.ones(5), 40)
            made.append(
                Evaluation(
                    ranks=ranks,
                    rank_values=(10, 20, 30, 40, 50),
                    estimates=posterior @ np.array([10, 20, 30, 40, 50.0]),
                    posterior=posterior if probs else None,
                )
            )
        return HeadRuns(label=label, decode="mean" if probs else "point", runs=made, unit="years")

    return make
