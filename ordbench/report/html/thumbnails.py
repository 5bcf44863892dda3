"""Small copies of test images, inside the page."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from ordbench.data.loading import open_dataset
from ordbench.dataset import Sample
from ordbench.errors import DatasetError, OrdbenchError
from ordbench.plugins.reference import PluginRef
from ordbench.runs.spec import RunSpec

SIZE = 96  # pixels of the longer side
QUALITY = 70
AT_MOST = 300  # images of a report
logger = logging.getLogger(__name__)


class ImagePlaces(NamedTuple):
    """Where datasets lie; see `ordbench.data.loading.open_dataset`."""

    data_root: Path | None = None
    cache: Path | None = None


def thumbnails(names: Iterable[str], spec: RunSpec, places: ImagePlaces) -> dict[str, str]:
    """JPEG data URIs of test images by name; without those that cannot be read.

    Args:
        names: Of samples.
        spec: A run that was tested on them.
        places: Where its dataset lies.
    """
    try:
        samples = _samples(spec, places)
    except OrdbenchError as error:
        logger.warning("no images of %s: %s", spec.test_dataset or spec.dataset, error)
        return {}
    found: dict[str, str] = {}
    for name in names:
        if name in samples:
            with suppress(DatasetError):
                found[name] = data_uri(samples[name])
    return found


def data_uri(sample: Sample) -> str:
    """A small JPEG of an image.

    Raises:
        DatasetError: If the image cannot be read, or there is none.
    """
    image = sample.open()
    image.thumbnail((SIZE, SIZE))
    file = BytesIO()
    image.save(file, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"


def _samples(spec: RunSpec, places: ImagePlaces) -> dict[str, Sample]:
    name, argument, options = spec.dataset, spec.dataset_argument, spec.dataset_options
    if spec.test_dataset:
        ref = PluginRef.parse(spec.test_dataset)
        name, argument, options = ref.name, ref.argument, {**ref.options}
    listing = open_dataset(name, argument, options, data_root=places.data_root, cache=places.cache)
    return {sample.name: sample for sample in listing.samples}
