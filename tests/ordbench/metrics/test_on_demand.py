import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from ordbench.metrics.decoding import estimates
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.on_demand import ON_DEMAND_METRICS, CalibratedMetric
from ordbench.metrics.registry import BUILTIN_METRICS
from ordbench.plugins.registry import METRICS
from ordbench.plugins.source_hash import _hash_of

VALUES = (0.0, 10.0, 20.0, 30.0)


def seen(posterior: NDArray[np.float64]) -> Evaluation:
    """Eight images of all four ranks, with what raters say of them."""
    return Evaluation(
        ranks=np.tile(np.arange(4), 2),
        rank_values=VALUES,
        estimates=estimates(posterior, VALUES, "mean"),
        posterior=posterior,
        extra={"stdv": [3.0] * 8},
    )


OF_PREDICTIONS = [  # alone
    name
    for name, metric in sorted(ON_DEMAND_METRICS.items())
    if not metric.of_head and not isinstance(metric, CalibratedMetric)
]


@pytest.mark.parametrize("name", OF_PREDICTIONS)
def test_a_good_head_scores_better_than_a_poor_one(name: str) -> None:
    metric = METRICS[name]
    assert metric.name == name
    good = seen(np.tile(np.eye(4), (2, 1)))
    # Another rank is likelier than the true one, and the one between them is impossible.
    poor = seen(np.tile(0.9 * np.eye(4)[[2, 3, 0, 1]] + 0.1 * np.eye(4), (2, 1)))
    better, worse = metric.function(good), metric.function(poor)
    assert type(better) is type(worse) is float
    assert (better > worse) == metric.higher_is_better
    assert better != worse


def test_runs_record_none_of_them() -> None:
    assert not ON_DEMAND_METRICS.keys() & BUILTIN_METRICS.keys()


def test_their_module_is_in_no_run_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ordbench.plugins.source_hash._digest", " ".join)
    modules = _hash_of(["ordbench.head"]).split()
    assert "ordbench.metrics.registry" in modules
    assert "ordbench.metrics.on_demand" not in modules


def test_their_arithmetic_is_not_imported_with_their_names() -> None:
    code = (
        "import sys; from ordbench.plugins.registry import METRICS; METRICS['kendall'];"
        "print({'numpy', 'scipy', 'torch'} & sys.modules.keys() or 'none')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "none"
