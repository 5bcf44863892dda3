"""The plan of the few-shot table, which no test has the time to run."""

from pathlib import Path

from ordbench.sweeps.spec import SweepSpec

PLAN = Path(__file__).parents[2] / "benchmarks" / "few_shot.yaml"


def test_it_is_five_heads_seven_shots_and_five_seeds() -> None:
    specs = SweepSpec.from_options(PLAN).expand()
    axes = {(spec.head, spec.shots, spec.train_seed) for spec in specs}
    assert len(specs) == len(axes) == 5 * 7 * 5
