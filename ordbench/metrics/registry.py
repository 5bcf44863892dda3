"""What scores are called, how tables print them, and how posteriors are decoded: no arithmetic.

Apart from the formulas, so that a table is printed without loading NumPy.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Decode = Literal["argmax", "mean", "median"]
Estimate = Literal[Decode, "point"]
"""How a number came about: a posterior was decoded, or the head gives a point and no posterior."""

Column = Literal[Estimate, "posterior"]
"""What a score is a function of."""

DECODES: tuple[Decode, ...] = get_args(Decode)
CS_UNITS = (1, 3, 5)


class Metric(NamedTuple):
    """How a leaderboard prints and sorts one metric.

    Attributes:
        name: Its key in `scores`.
        title: What captions call it.
        higher_is_better: Which way the column is sorted.
        unit: What it is measured in; ``{unit}`` stands for the dataset's unit ("years").
    """

    name: str
    title: str
    higher_is_better: bool
    unit: str


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("mae", "MAE", False, "{unit}"),
        Metric("accuracy", "accuracy", True, "share of images"),
        *(Metric(f"cs@{k}", f"CS@{k}", True, f"share within {k} {{unit}}") for k in CS_UNITS),
        Metric("qwk", "QWK", True, "1 is perfect, 0 is chance"),
        Metric("nll", "NLL", False, "nats per image"),
        Metric("rps", "RPS", False, "rank steps"),
    )
}
