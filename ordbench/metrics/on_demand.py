"""Metrics that runs do not record: tables compute them from stored predictions when asked.

They are apart from `ordbench.metrics.registry`, which is in the run id of every head. Their
arithmetic is imported when it is called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from ordbench.metrics.registry import Metric, of_the_head, ordinality_of

if TYPE_CHECKING:
    from ordbench.metrics.evaluation import Evaluation
    from ordbench.metrics.registry import Score


_INTERVALS = re.compile(r"(coverage|width)@(\d+(?:\.\d+)?)")


@dataclass(frozen=True, kw_only=True)
class CalibratedMetric(Metric):
    """A score of intervals, which needs `Evaluation.calibration`.

    Attributes:
        coverage: The stated one, between 0 and 1.
    """

    coverage: float


def parse_interval_metric(name: str) -> Metric | None:
    """The metric that ``coverage@P`` or ``width@P`` names, for P percent; None for other names.

    >>> metric = parse_interval_metric("width@95")
    >>> metric and metric.title
    'width of 95 % intervals'
    """
    match = _INTERVALS.fullmatch(name)
    possible = match and 0 < float(match[2]) < 100
    return intervals(match[1], float(match[2])) if match and possible else None


def intervals(kind: str, percent: float) -> CalibratedMetric:
    """``coverage`` or ``width`` of intervals that are calibrated on the validation images."""
    return CalibratedMetric(
        name=f"{kind}@{percent:g}",
        title=f"{kind} of {percent:g} % intervals",
        unit=f"share of images, {percent / 100:g} is stated" if kind == "coverage" else "ranks",
        higher_is_better=kind == "coverage",
        function=_named(f"conformal:{kind}", percent),
        of_posterior=True,
        coverage=float(Fraction(str(percent)) / 100),
    )


def _named(function: str, *arguments: float) -> Score:
    """A function of a module beside this one, which is imported when it is called."""

    def score(evaluation: Evaluation) -> float:
        value: float = resolve_name(f"ordbench.metrics.{function}")(evaluation, *arguments)
        return value

    return score


ON_DEMAND_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="off1",
            title="1-off accuracy",
            unit="share within 1 rank",
            higher_is_better=True,
            function=_named("scores:off1"),
        ),
        Metric(
            name="amae",
            title="macro-averaged MAE",
            unit="{unit}",
            higher_is_better=False,
            function=_named("per_rank:amae"),
        ),
        Metric(
            name="mmae",
            title="largest MAE of a rank",
            unit="{unit}",
            higher_is_better=False,
            function=_named("per_rank:mmae"),
        ),
        Metric(
            name="min-sensitivity",
            title="minimum sensitivity",
            unit="share of the worst rank's images",
            higher_is_better=True,
            function=_named("per_rank:minimum_sensitivity"),
        ),
        Metric(
            name="gm-sensitivity",
            title="geometric mean of sensitivities",
            unit="share of a rank's images",
            higher_is_better=True,
            function=_named("per_rank:geometric_mean_sensitivity"),
        ),
        Metric(
            name="kendall",
            title="Kendall's tau-b",
            unit="1 is perfect, 0 is chance",
            higher_is_better=True,
            function=_named("correlation:kendall"),
        ),
        Metric(
            name="spearman",
            title="Spearman's rho",
            unit="1 is perfect, 0 is chance",
            higher_is_better=True,
            function=_named("correlation:spearman"),
        ),
        Metric(
            name="pearson",
            title="Pearson's r",
            unit="1 is perfect, 0 is chance",
            higher_is_better=True,
            function=_named("correlation:pearson"),
        ),
        Metric(
            name="epsilon-error",
            title="epsilon error",
            unit="0 is perfect, 1 is far outside the raters' spread",
            higher_is_better=False,
            function=_named("scores:epsilon_error"),
        ),
        Metric(
            name="brier",
            title="Brier score",
            unit="0 is perfect, 2 is worst",
            higher_is_better=False,
            function=_named("calibration:brier"),
            of_posterior=True,
        ),
        Metric(
            name="ece",
            title="expected calibration error",
            unit="probability",
            higher_is_better=False,
            function=_named("calibration:ece"),
            of_posterior=True,
        ),
        Metric(
            name="ace",
            title="adaptive calibration error",
            unit="probability",
            higher_is_better=False,
            function=_named("calibration:ace"),
            of_posterior=True,
        ),
        Metric(
            name="unimodal",
            title="unimodal posteriors",
            unit="share of images",
            higher_is_better=True,
            function=_named("scores:unimodal"),
            of_posterior=True,
        ),
        Metric(
            name="violations",
            title="rank-consistency violations",
            unit="share of neighbouring ranks",
            higher_is_better=False,
            function=of_the_head,
            of_head=True,
        ),
        ordinality_of("ordinality"),
        intervals("coverage", 90),
        intervals("width", 90),
    )
}
