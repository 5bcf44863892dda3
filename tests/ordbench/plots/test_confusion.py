import numpy as np
import pytest

from ordbench.plots.confusion import plot_confusion
from tests.ordbench.plots.conftest import Heads


def test_rows_are_shares_of_a_true_rank_and_bars_of_all_images(head: Heads) -> None:
    coral = head()
    matrix, below = plot_confusion([coral])
    estimated = [np.clip(np.round(run.estimates / 10) - 1, 0, 4).astype(int) for run in coral.runs]
    shares = np.zeros((5, 5))
    distances = np.zeros(9)
    for run, ranks in zip(coral.runs, estimated, strict=True):
        for true, guess in zip(run.ranks, ranks, strict=True):
            shares[true, guess] += 1
            distances[guess - true + 4] += 1
    shares /= shares.sum(1, keepdims=True)
    assert np.asarray(matrix.images[0].get_array()) == pytest.approx(shares)
    bars = {
        round(bar.get_x() + bar.get_width() / 2): bar.get_height()  # type: ignore[attr-defined]
        for bar in below.patches
    }
    assert sum(bars.values()) == pytest.approx(1)
    for distance, height in bars.items():
        assert height == pytest.approx(distances[distance + 4] / 80)
    assert [text.get_text() for text in matrix.get_yticklabels()] == ["10", "20", "30", "40", "50"]
