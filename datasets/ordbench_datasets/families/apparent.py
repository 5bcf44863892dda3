"""What the apparent-age datasets of ChaLearn LAP share: raters' mean, deviation and parts."""

from __future__ import annotations

from ordbench.dataset import Part, Sample, SkippedFile

# The extra values that the epsilon error asks for.
RATERS_MEAN, RATERS_DEVIATION = "mean", "stdv"
# The folder of each official part, in 2016.
FOLDERS: dict[Part, str] = {"train": "train", "val": "valid", "test": "test"}


def aged(name: str, age: float, ages: range, part: Part) -> Sample | SkippedFile:
    """A photograph without its image: the rank is the nearest year, of halves the even one.

    >>> aged("a.jpg", 20.5, range(101), "test").rank
    20
    """
    if round(age) not in ages:
        return SkippedFile(name, f"age {age:g} is not in {ages[0]}..{ages[-1]}")
    return Sample(name, None, ages.index(round(age)), part=part)


def apparent(name: str, mean: float, stdv: float, ages: range, part: Part) -> Sample | SkippedFile:
    """A photograph as `aged` has it, with raters' mean and deviation for the epsilon error."""
    sample = aged(name, mean, ages, part)
    if isinstance(sample, SkippedFile):
        return sample
    return sample._replace(extra={RATERS_MEAN: mean, RATERS_DEVIATION: stdv})
