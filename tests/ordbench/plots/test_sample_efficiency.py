from collections.abc import Callable

import numpy as np
import pytest

from ordbench.errors import SpecError
from ordbench.leaderboard.table import Table
from ordbench.plots.sample_efficiency import Need, plot_sample_efficiency, shots_needed
from ordbench.results.rows import RunRow
from tests.ordbench.conftest import build

FlatRun = Callable[..., RunRow]


@pytest.fixture
def table(flat_run: FlatRun) -> Table:
    """MAE at 1, 4, 16 shots and all; linear has 4 at 16."""
    maes = {
        "linear": (8.0, 6.0, 4.0, 1.0),
        "half": (6.0, 5.0, 3.0, 1.0),  # 4 lies half way between 4 and 16 in the logarithm
        "never": (9.0, 8.0, 7.0, 1.0),
        "at once": (3.0, 2.0, 2.0, 1.0),
    }
    runs = [
        flat_run(head, mae, shots=shots)
        for head, scores in maes.items()
        for shots, mae in zip((1, 4, 16, None), scores, strict=True)
    ]
    (found,) = build(runs)
    return found


def test_the_score_of_the_reference_is_reached_between_two_numbers_of_shots(table: Table) -> None:
    assert shots_needed(table) == [
        Need("at once", 1, "<="),
        Need("half", 8),
        Need("linear", 16),
        Need("never", 16, ">"),
    ]
    (axes,) = plot_sample_efficiency([table])
    drawn = {str(line.get_label()): np.asarray(line.get_xdata()).tolist() for line in axes.lines}
    assert {name: drawn[name] for name in ("half", "linear")} == {"half": [8], "linear": [16]}
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "at once",
        "half",
        "linear",
        "never",
    ]
    assert "to reach MAE 4.00 (years), that of linear" in {text.get_text() for text in axes.texts}


def test_higher_scores_are_reached_from_below(flat_run: FlatRun) -> None:
    runs = [
        flat_run(head, shots=shots, metrics={"accuracy_median": accuracy})
        for head, scores in {"linear": (0.2, 0.6), "coop": (0.4, 0.8)}.items()
        for shots, accuracy in zip((1, 16), scores, strict=True)
    ]
    (table,) = build(runs, metric="accuracy")
    assert [(need.label, need.shots) for need in shots_needed(table)] == [
        ("coop", pytest.approx(4)),
        ("linear", 16),
    ]


def test_a_reference_that_is_not_there_is_named(table: Table) -> None:
    with pytest.raises(SpecError, match="no head 'coop' to compare with; choose one"):
        plot_sample_efficiency([table], reference="coop")
