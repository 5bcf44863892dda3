"""The neighbours are those of scikit-learn."""

from dataclasses import replace

import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from ordbench.errors import SpecError
from ordbench.training.trainer import LabelledFeatures, Replica, fit
from ordbench_heads.knn import NearestNeighbors
from tests.reference.problem import problem


@pytest.mark.parametrize("neighbors", [1, 7, 1000])
def test_the_posterior_is_that_of_scikit_learn(neighbors: int) -> None:
    generator = torch.Generator().manual_seed(0)
    features = 3 * torch.randn(60, 6, generator=generator) + 1
    ranks = torch.randint(4, (60,), generator=generator) + (torch.arange(60) % 2)
    ranks[ranks == 2] = 3  # rank 2 is absent
    told = replace(
        problem(5),
        in_features=6,
        train_counts=torch.bincount(ranks, minlength=5),
        feature_mean=features.mean(0),
    )
    head = NearestNeighbors(told, neighbors=neighbors)
    part = LabelledFeatures(features, ranks)
    (fitted,) = fit([Replica(head, part, part, head.recipe, 0)], torch.arange(5.0))
    new = torch.randn(20, 6, generator=generator)

    reference = KNeighborsClassifier(min(neighbors, 60)).fit(features.numpy(), ranks.numpy())
    wanted = torch.zeros(20, 5)
    wanted[:, torch.tensor(reference.classes_)] = torch.tensor(
        reference.predict_proba(new.numpy()), dtype=torch.float32
    )
    torch.testing.assert_close(head.posterior(fitted.head(new)), wanted)
    assert fitted.steps == 0


def test_no_neighbour_is_refused() -> None:
    with pytest.raises(SpecError, match="neighbors=0 must be at least 1"):
        NearestNeighbors(problem(), neighbors=0)
