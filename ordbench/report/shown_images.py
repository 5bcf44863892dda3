"""The images of a dataset on which a run errs most and least."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ordbench.errors import SpecError
from ordbench.report.error_analysis import ImageError, best_images, worst_images
from ordbench.results.evaluations import read_decoded
from ordbench.runs.record import Record
from ordbench.runs.resources import Locations, Resources

if TYPE_CHECKING:
    from PIL.Image import Image


class ShownImage(NamedTuple):
    """An image, and what the run said of it."""

    image: Image
    error: ImageError


class ShownImages(NamedTuple):
    """The images with the largest and with the smallest errors, these first; and their unit."""

    worst: Sequence[ShownImage]
    best: Sequence[ShownImage]
    unit: str

    @property
    def parts(self) -> list[tuple[str, Sequence[ShownImage]]]:
        """Both, by name."""
        return [("worst", self.worst), ("best", self.best)]


def shown_images(
    results: Path,
    record: Record,
    *,
    decode: str = "median",
    at_most: int = 8,
    settings: Locations | None = None,
) -> ShownImages:
    """Open the images of a run's dataset that it estimates worst and best.

    Args:
        results: The store of the run.
        record: Of the run.
        decode: How posteriors become estimates.
        at_most: Images of each kind.
        settings: Where datasets and caches lie; None for the defaults of the command line.

    Raises:
        SpecError: If the dataset brings features in place of images, or has other images now.
        OrdbenchError: If predictions or images cannot be read.
    """
    evaluation = read_decoded(results, record, decode).evaluation
    listing = Resources(settings).listing(record.spec)
    samples = {sample.name: sample for sample in listing.samples}
    unit = record.task.unit if record.task else ""

    def opened(errors: Sequence[ImageError]) -> list[ShownImage]:
        missing = [error.sample for error in errors if error.sample not in samples]
        if missing:
            raise SpecError(
                f"dataset {record.spec.dataset!r} has no image {missing[0]!r} of run "
                f"{record.run_id}; give the --data-root of the run"
            )
        return [ShownImage(samples[error.sample].open(), error) for error in errors]

    worst = opened(worst_images(evaluation, at_most))
    return ShownImages(worst, opened(best_images(evaluation, at_most)), unit)
