"""A metric and a decoding from another package: the worst error, and the 5 % quantile."""

from ordbench import Metric


def worst(evaluation):
    return evaluation.errors.max()


WORST = Metric(
    name="worst", title="worst error", unit="{unit}", higher_is_better=False, function=worst
)


def lowest(probs, values):
    return values[(probs.cumsum(1) > 0.05).argmax(1)]
