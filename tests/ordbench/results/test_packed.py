import math
import struct
from collections.abc import Callable

import pytest

from ordbench.results.packed import check, join, key_of, shared, split
from ordbench.results.rows import SHARED, RunRow

FlatRun = Callable[..., RunRow]


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": {"mae_median": 0.1, "qwk_mean": -0.0, "cs@1_mean": 1e-300}},
        {"baseline": {"mae": 2 / 3}},
        {"metrics": {"mae_point": math.inf}, "baseline": {"mae": -math.inf, "rps": 1.0}},
        {"status": "failed", "error": "out of memory: é"},
        {"seconds_fit": None, "shots": 16, "parameters": None, "created": ""},
        {"data_seed": 2**63 - 1, "train_seed": 3},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_row_that_is_taken_apart_is_put_together(
    flat_run: FlatRun, changes: dict[str, object]
) -> None:
    row = flat_run(**changes)
    text, packed = split(row)
    assert [*join(shared(text), [row.run_id], [packed]).rows()] == [row]


def test_an_undefined_score_stays_undefined(flat_run: FlatRun) -> None:
    row = flat_run(metrics={"qwk_mean": math.nan, "mae_mean": 1.0})
    text, packed = split(row)
    got = join(shared(text), [row.run_id], [packed]).first.metrics
    assert math.isnan(got["qwk_mean"])
    assert got["mae_mean"] == 1.0


def test_runs_that_differ_in_seeds_share_their_text(flat_run: FlatRun) -> None:
    texts = [split(flat_run(mae=float(seed), seed=seed))[0] for seed in (0, 1)]
    assert texts[0] == texts[1]
    other = split(flat_run(shots=4, mae=1.0))[0]
    assert key_of(texts[0]) != key_of(other)


def test_a_lot_is_the_rows_it_was_made_of(flat_run: FlatRun) -> None:
    rows = [
        flat_run(
            seed=seed,
            created=f"2026-11-{seed:02}",
            metrics={"mae_mean": seed / 3, "qwk_mean": -seed},
            baseline={"mae": float(seed)},
        )
        for seed in (7, 1, 3)
    ]
    texts, packed = zip(*map(split, rows), strict=True)
    lot = join(shared(texts[0]), [row.run_id for row in rows], packed)
    assert [*lot.rows()] == rows
    assert lot.first == rows[0]
    assert lot.seeds == [(7, 7), (1, 1), (3, 3)]
    assert list(lot.metrics) == ["mae_mean", "qwk_mean"]
    assert [*lot.metrics["qwk_mean"]] == [-7.0, -1.0, -3.0]
    assert [*lot.baseline["mae"]] == [7.0, 1.0, 3.0]
    assert lot.metrics.get("mae_median") is None


def test_a_checksum_changes_with_bytes_and_key() -> None:
    assert len({check(1, b"ab"), check(2, b"ab"), check(1, b"aB")}) == 3


def test_a_text_of_other_fields_is_refused() -> None:
    with pytest.raises(ValueError, match=f"wanted {SHARED} fields, got 1"):
        shared('[["done"],null,[],[]]')


def test_a_seed_that_does_not_fit_is_refused(flat_run: FlatRun) -> None:
    with pytest.raises(struct.error):
        split(flat_run(seed=2**63))
