"""What metrics and decodings exist, and how tables print them; their arithmetic is imported later.

A table needs names, titles and units only, so this module does not import NumPy. The registries
`METRICS` and `DECODES` of `ordbench.plugins.registry` add those of other packages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ordbench.metrics.evaluation import Evaluation

    Score = Callable[[Evaluation], float]
    Decode = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

CS_OF_YEARS = (1, 3, 5)
_ORDINALITY = re.compile(r"ordinality@(\d+)")
_CUMULATIVE = re.compile(r"cs@(\d+(?:\.\d+)?)")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A score of predictions. Packages add one by an entry point of group ``ordbench.metrics``.

    Attributes:
        name: What a user types.
        title: What captions call it.
        unit: What it is measured in; ``{unit}`` is replaced by the dataset's unit ("years").
        higher_is_better: Which end of the column is best.
        function: The score of an `Evaluation`; NaN where it is undefined.
        of_posterior: Whether it is a function of the posterior, and not of decoded estimates.
        of_head: Whether the head itself is measured when it is tested, by `BaseHead.measures`; no
            later function of its predictions can.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool
    function: Score = field(compare=False)
    of_posterior: bool = False
    of_head: bool = False


def cumulative_score(k: float) -> Metric:
    """CS@k: the share of images with an absolute error of at most ``k``."""
    function = _later("scores", "cumulative_score", k)
    return Metric(
        name=f"cs@{k:g}",
        title=f"CS@{k:g}",
        unit=f"share within {k:g} {{unit}}",
        higher_is_better=True,
        function=function,
    )


def parse_cumulative_score(name: str) -> Metric | None:
    """The metric that ``cs@K`` names, for any number K; None if it is another name.

    >>> metric = parse_cumulative_score("cs@2.5")
    >>> metric and metric.unit
    'share within 2.5 {unit}'
    """
    match = _CUMULATIVE.fullmatch(name)
    return cumulative_score(float(match[1])) if match else None


def ordinality_of(name: str, span: str = "") -> Metric:
    """Ordinality of a head's prototypes; see `ordbench.nn.ordinality`."""
    return Metric(
        name=name,
        title=f"ordinality of prototypes{span}",
        unit="share of steps at which the cosine falls; 0.5 is chance",
        higher_is_better=True,
        function=of_the_head,
        of_head=True,
    )


def of_the_head(evaluation: Evaluation) -> float:
    """Stands for what only the head could tell.

    Raises:
        ValueError: Always.
    """
    raise ValueError("it is measured of the head when it is tested, not of its predictions")


def parse_ordinality(name: str) -> Metric | None:
    """The metric that ``ordinality@SPAN`` names; None if it is another name.

    >>> metric = parse_ordinality("ordinality@4")
    >>> metric and metric.title
    'ordinality of prototypes, span 4'
    """
    match = _ORDINALITY.fullmatch(name)
    return ordinality_of(name, f", span {match[1]}") if match else None


def metrics_for(cs_thresholds: Sequence[float] | None, unit: str) -> list[Metric]:
    """The metrics that a run records.

    Args:
        cs_thresholds: Of the dataset's card; None for 1, 3, 5 if the unit is years, else none.
        unit: What the task is measured in.
    """
    if cs_thresholds is None:
        cs_thresholds = CS_OF_YEARS if unit == "years" else ()
    others = [metric for name, metric in BUILTIN_METRICS.items() if "@" not in name]
    return [*others, *map(cumulative_score, cs_thresholds)]


def _later(module: str, function: str, *arguments: float) -> Callable[..., Any]:
    """A function of a module beside this one, which is imported when it is called."""

    def call(*arrays: object) -> object:
        return getattr(import_module(f"ordbench.metrics.{module}"), function)(*arrays, *arguments)

    return call


BUILTIN_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="mae",
            title="MAE",
            unit="{unit}",
            higher_is_better=False,
            function=_later("scores", "mae"),
        ),
        Metric(
            name="accuracy",
            title="accuracy",
            unit="share of images",
            higher_is_better=True,
            function=_later("scores", "accuracy"),
        ),
        *map(cumulative_score, CS_OF_YEARS),
        Metric(
            name="qwk",
            title="QWK",
            unit="1 is perfect, 0 is chance",
            higher_is_better=True,
            function=_later("scores", "qwk"),
        ),
        Metric(
            name="nll",
            title="NLL",
            unit="nats per image",
            higher_is_better=False,
            function=_later("scores", "nll"),
            of_posterior=True,
        ),
        Metric(
            name="rps",
            title="RPS",
            unit="rank steps",
            higher_is_better=False,
            function=_later("scores", "rps"),
            of_posterior=True,
        ),
    )
}

BUILTIN_DECODES: dict[str, Decode] = {
    name: _later("decoding", name) for name in ("argmax", "mean", "median")
}
