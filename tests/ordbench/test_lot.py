from collections.abc import Callable

import pytest

from ordbench.flat import FlatRecord
from ordbench.lot import alike, of_rows

FlatRun = Callable[..., FlatRecord]


def test_lots_hold_the_runs_that_differ_in_seeds_and_outcome(flat_run: FlatRun) -> None:
    one = [flat_run(mae=1.0, seed=0), flat_run(mae=2.0, seed=1, created="2026", seconds_fit=9.0)]
    other = [flat_run(mae=3.0, shots=4)]
    lots = alike([one[0], *other, one[1]])
    assert [[*lot.rows()] for lot in lots] == [one, other]
    assert [len(lot) for lot in lots] == [2, 1]


@pytest.mark.parametrize(
    "changes",
    [{"metrics": {"mae_mean": 1.0}}, {"baseline": {"mae": 1.0}}, {"error": "x"}, {"shots": 1}],
    ids=lambda changes: next(iter(changes)),
)
def test_runs_of_one_lot_have_scores_of_the_same_names(
    flat_run: FlatRun, changes: dict[str, object]
) -> None:
    assert len(alike([flat_run(), flat_run(**changes)])) == 2


def test_a_lot_is_its_rows_by_columns(flat_run: FlatRun) -> None:
    rows = [flat_run(mae=1.0 + seed, seed=seed, baseline={"mae": 9.0}) for seed in (4, 2)]
    lot = of_rows(rows)
    assert lot.first == rows[0]
    assert lot.seeds == [(4, 4), (2, 2)]
    assert lot.metrics == {"mae_median": [5.0, 3.0]}
    assert lot.baseline == {"mae": [9.0, 9.0]}
    assert [*lot.rows()] == rows


def test_a_part_of_a_lot_is_a_lot_or_nothing(flat_run: FlatRun) -> None:
    rows = [flat_run(mae=float(seed), seed=seed) for seed in range(3)]
    (part,) = of_rows(rows).part({rows[2].run_id, rows[1].run_id})
    assert [*part.rows()] == rows[1:]
    assert of_rows(rows).part({"x"}) == []
