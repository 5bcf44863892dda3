import numpy as np
import pytest

from ordbench.metrics.decoding import estimates
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.per_image import per_image
from ordbench.plugins.registry import find_metric

VALUES = (0.0, 1.0, 3.0, 7.0)


@pytest.mark.parametrize(
    "name", ["mae", "accuracy", "off1", "cs@1", "cs@2.5", "nll", "rps", "brier"]
)
def test_their_mean_is_the_metric(name: str) -> None:
    generator = np.random.default_rng(0)
    posterior = generator.dirichlet(np.ones(4), 50)
    posterior[0] = [1, 0, 0, 0]
    seen = Evaluation(
        ranks=np.append([3], generator.integers(0, 4, 49)),
        rank_values=VALUES,
        estimates=estimates(posterior, VALUES, "mean"),
        posterior=posterior,
    )
    metric = find_metric(name)
    scores = per_image(metric)
    assert scores
    assert scores(seen).shape == (50,)
    assert scores(seen).dtype == np.float64
    assert scores(seen).mean() == pytest.approx(metric.function(seen), rel=1e-12)


@pytest.mark.parametrize("name", ["qwk", "amae", "kendall", "ece", "mmae"])
def test_other_metrics_are_no_means(name: str) -> None:
    assert per_image(find_metric(name)) is None
