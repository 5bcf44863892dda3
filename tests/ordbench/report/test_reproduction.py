"""Published numbers: each has a source, and a plan that can be run."""

from collections import Counter
from math import sqrt

import pytest
from pydantic import ValidationError

from ordbench.backbones.none import NoBackbone
from ordbench.errors import SpecError
from ordbench.features.extraction import open_family
from ordbench.plugins.registry import DATASETS
from ordbench.report.reproduction import Plan, compare, find_plan, not_available, plans
from ordbench.runs.spec import RunSpec, dataset_settings
from ordbench.runs.titles import head_label
from ordbench.sweeps.spec import SweepSpec
from tests.ordbench.conftest import done, failed

CORAL = find_plan("coral-morph")


@pytest.mark.parametrize("name", plans())
def test_every_plan_has_a_source_and_runs_what_is_installed(name: str) -> None:
    plan = find_plan(name)
    assert plan.source
    assert plan.table
    assert plan.differs
    assert plan.dataset_name in DATASETS
    dataset_settings(plan.dataset)
    family, argument = open_family(plan.backbone)
    family.check(argument)
    assert not isinstance(family, NoBackbone)
    spec = SweepSpec.from_options(**plan.options())
    cells = Counter((head_label(run), run.shots or "all") for run in spec.expand())
    assert set(cells.values()) == {len(spec.seeds) * len(spec.fold)}
    assert len(cells) == sum(len(row.mae) for row in plan.rows), "two rows are one head"


@pytest.mark.parametrize("name", plans())
def test_every_number_is_found_again_by_the_label_that_records_have(name: str) -> None:
    plan = find_plan(name)
    specs = SweepSpec.from_options(**plan.options(seeds="0", fold="0")).expand()
    records = [
        done(n, spec=spec, label=head_label(spec), metrics={"median": {"mae": float(n)}})
        for n, spec in enumerate(specs)
    ]
    cells = compare(plan, records)
    assert all(cell.ours and cell.ours.runs == 1 for cell in cells)
    assert {cell.ours.mean for cell in cells if cell.ours} == {float(n) for n in range(len(specs))}
    assert all(1 < cell.mae < 20 for cell in cells), "years"


def test_spread_and_few_shots_are_as_printed_in_the_sources() -> None:
    few = find_plan("ordinalclip-few-shot")
    assert [*few.rows[2].mae.values()] == [4.94, 4.36, 3.55, 3.31, 3.07, 2.76, 2.57]
    assert [(cell.row.published, cell.mae, cell.std) for cell in compare(CORAL, [])] == [
        ("CE", 3.34, 0.07),
        ("OR-CNN", 2.83, 0.03),
        ("CORAL", 2.64, 0.02),
    ]
    assert not_available()


def test_finished_runs_of_all_seeds_are_averaged_and_nothing_else() -> None:
    spec = RunSpec(head="coral", dataset="morph")
    few = spec.model_copy(update={"shots": 4})
    records = [
        done(0, spec=spec, metrics={"median": {"mae": 3.0}, "mean": {"mae": 9.0}}),
        done(1, spec=spec, metrics={"median": {"mae": 5.0}}),
        done(2, spec=few, metrics={"median": {"mae": 7.0}}),
        done(3, label="coral:hidden=8", metrics={"median": {"mae": 7.0}}),
        failed(4),
    ]
    ce, _, coral = compare(CORAL, records)
    assert ce.ours is None
    assert coral.ours is not None
    assert (coral.ours.mean, coral.ours.std, coral.ours.runs) == (4.0, sqrt(2), 2)


def test_a_head_without_a_posterior_answers_with_its_points() -> None:
    plan = find_plan("call-to-reflect-utkface")
    record = done(0, label="regression", metrics={"point": {"mae": 6.5}})
    scores = {cell.row.head: cell.ours for cell in compare(plan, [record])}
    assert scores["regression"]
    assert scores["regression"].mean == 6.5


def test_what_is_given_wins_over_the_plan() -> None:
    options = CORAL.options(dataset="morph:list=a.csv", seeds=None, fold="0-1")
    assert options["dataset"] == "morph:list=a.csv"
    assert (options["seeds"], options["fold"], options["shots"]) == ("0-2", "0-1", ["all"])


def test_an_unknown_plan_is_refused_with_near_names() -> None:
    with pytest.raises(SpecError, match="unknown plan 'coral-moprh'; did you mean coral-morph"):
        find_plan("coral-moprh")


@pytest.mark.parametrize(
    "change", [{"source": "from memory"}, {"differs": ()}, {"rows": ()}, {"table": ""}]
)
def test_a_plan_without_its_source_is_none(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate(CORAL.model_dump() | change)
