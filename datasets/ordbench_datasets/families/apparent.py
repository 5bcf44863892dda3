"""What the apparent-age datasets of ChaLearn LAP share: raters' mean, deviation and parts."""

from __future__ import annotations

from ordbench.dataset import Part, Sample, SkippedFile
from ordbench_datasets.families.faces import aged

# The extra values that the epsilon error asks for.
RATERS_MEAN, RATERS_DEVIATION = "mean", "stdv"
# The folder of each official part, in 2016.
FOLDERS: dict[Part, str] = {"train": "train", "val": "valid", "test": "test"}


def apparent(name: str, mean: float, stdv: float, ages: range, part: Part) -> Sample | SkippedFile:
    """A photograph as `aged` has it, with raters' mean and deviation for the epsilon error."""
    sample = aged(name, mean, ages, part)
    if isinstance(sample, SkippedFile):
        return sample
    return sample._replace(extra={RATERS_MEAN: mean, RATERS_DEVIATION: stdv})
