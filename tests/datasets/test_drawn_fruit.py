import numpy as np
import pytest
from scipy.stats import truncnorm
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ordbench.dataset import Samples
from ordbench_datasets._drawn.dataset import generator
from ordbench_datasets.drawn_fruit import (
    SCATTER,
    STAGES,
    DrawnFruit,
    best_mae,
    visible_ripeness,
)

GOLDEN = [[183.8, 150.3, 185.0, 167.3], [78.8, 70.0, 99.7, 89.8]]


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return DrawnFruit(tmp_path_factory.mktemp("drawn-fruit"), per_rank=60).read()


def test_stages_are_the_ranks(listing: Samples) -> None:
    task = listing.task
    assert (task.num_ranks, task.unit, task.rank_names) == (6, "ranks", STAGES)
    assert [sample.rank for sample in listing.samples] == [s for s in range(6) for _ in range(60)]
    assert listing.samples[61].name == "v1-seed0-n60/001_001.png"


def test_a_change_of_the_pictures_needs_a_new_version(listing: Samples) -> None:
    # Means of 32 x 32 blocks of the greys of two pictures. If they move, raise the version.
    greys = [np.asarray(listing.samples[i].open(), float).mean(2) for i in (70, 340)]
    blocks = [grey.reshape(2, 32, 2, 32).mean((1, 3)).ravel() for grey in greys]
    assert DrawnFruit.version == 1
    np.testing.assert_allclose(blocks, GOLDEN, atol=1.5)


def test_the_stage_can_be_read_from_the_pixels_but_not_without_error(listing: Samples) -> None:
    pixels = np.stack([np.asarray(sample.open(), float) for sample in listing.samples])
    features = pixels.reshape(-1, 8, 8, 8, 8, 3).mean((2, 4)).reshape(len(pixels), -1)
    ranks = np.array([sample.rank for sample in listing.samples])
    test = np.arange(len(ranks)) % 4 == 0
    scaler = StandardScaler().fit(features[~test])
    probe = LogisticRegression(C=1e-3, max_iter=500)
    probe.fit(scaler.transform(features[~test]), ranks[~test])
    error = np.abs(probe.predict(scaler.transform(features[test])) - ranks[test]).mean()
    constant = np.abs(2 - ranks).mean()
    assert best_mae() < error < 0.8 * constant


def test_the_visible_ripeness_is_a_truncated_gaussian_around_the_stage() -> None:
    drawn = [6 * visible_ripeness(5, generator(0, 5, i)) - 0.5 for i in range(4000)]
    law = truncnorm((-0.5 - 5) / SCATTER, 0.5 / SCATTER, loc=5, scale=SCATTER)
    assert np.mean(drawn) == pytest.approx(law.mean(), abs=0.03)
    assert np.std(drawn) == pytest.approx(law.std(), rel=0.05)
    assert -0.5 <= min(drawn) <= max(drawn) <= 5.5


def test_the_best_reader_errs_as_much_as_is_said() -> None:
    errors = []
    stages = np.arange(6)
    for stage in stages:
        for i in range(3000):
            seen = 6 * visible_ripeness(int(stage), generator(1, int(stage), i)) - 0.5
            errors.append((seen, stage))
    seen, true = np.array(errors).T
    density = np.stack(
        [
            truncnorm.pdf(seen, (-0.5 - s) / SCATTER, (5.5 - s) / SCATTER, s, SCATTER)
            for s in stages
        ],
        1,
    )
    reached = (density / density.sum(1, keepdims=True)).cumsum(1)
    answers = (reached >= 0.5).argmax(1)
    assert np.abs(answers - true).mean() == pytest.approx(best_mae(), abs=0.01)
