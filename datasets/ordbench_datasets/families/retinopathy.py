"""What datasets of diabetic retinopathy share: five grades."""

from __future__ import annotations

from ordbench.task import Task

GRADES = ("no DR", "mild NPDR", "moderate NPDR", "severe NPDR", "PDR")


def retinopathy_task() -> Task:
    """The five grades, with NumCLIP's context sentence.

    >>> retinopathy_task().num_ranks
    5
    """
    return Task(
        rank_names=GRADES,
        rank_values=tuple(map(float, range(len(GRADES)))),
        unit="ranks",
        context="diabetic retinopathy assessment: this is a patient fundus image with",
    )
