"""What the tests of tables share: the rows of imagined runs."""

from collections.abc import Callable

import pytest

from ordbench.flat import FlatRecord
from ordbench.record import run_id

FlatRun = Callable[..., FlatRecord]

BASE = FlatRecord(
    run_id="",
    status="done",
    ranked=True,
    created="2026-11-22T00:00:00+00:00",
    label="coral",
    head="coral",
    head_options="",
    head_hash="c0",
    recipe="",
    text="",
    text_hash="",
    dataset="fgnet",
    dataset_options="",
    image_hash="i0",
    label_hash="l0",
    title="FG-NET",
    unit="years",
    backbone="clip:tiny",
    backbone_hash="b0",
    layer="post",
    normalize=False,
    dtype="float32",
    protocol="standard",
    fold=0,
    split="",
    shots=None,
    data_seed=0,
    train_seed=0,
    ordbench="0.1.0",
    parameters=6,
    seconds_fit=0.5,
    error=None,
    metrics={},
    baseline={},
)


@pytest.fixture
def flat_run() -> FlatRun:
    """A run of CORAL on FG-NET; ``mae`` stands for its score decoded by median."""
    made: list[FlatRecord] = []

    def make(head: str = "coral", mae: float | None = None, **changes: object) -> FlatRecord:
        scores = {} if mae is None else {"mae_median": mae}
        fields = {
            "head": head,
            "label": head,
            "metrics": scores,
            "run_id": run_id({"n": len(made)}),
        }
        seed = changes.pop("seed", 0)
        fields |= {"data_seed": seed, "train_seed": seed}
        made.append(BASE._replace(**(fields | changes)))
        return made[-1]

    return make
