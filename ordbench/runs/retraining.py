"""A head that was not kept, trained again from its record, and compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ordbench.head import BaseHead, Prediction
from ordbench.metrics.decoding import to_unit
from ordbench.runs.inference import predict
from ordbench.runs.keeping import facts_of, validation_of
from ordbench.runs.kept_head import HeadFacts, Validation
from ordbench.runs.predictions import Predictions
from ordbench.runs.preparation import prepare
from ordbench.runs.record import Record
from ordbench.runs.resources import Resources
from ordbench.runs.runner import train
from ordbench.utils.torch_threads import threads


class Retrained(NamedTuple):
    """A head that was trained again.

    Attributes:
        head: On the device of the resources.
        facts: What it is; its run id is that of the work as it is now.
        validation: What it says of the validation images.
        differs: In what it is not the head of the record, in one line; empty if in nothing.
    """

    head: BaseHead
    facts: HeadFacts
    validation: Validation
    differs: str


def retrain(record: Record, stored: Predictions | None, resources: Resources) -> Retrained:
    """Train the head of a run again.

    Args:
        record: Of a run that is done.
        stored: Its predictions; None where they are not there.
        resources: Where its dataset and its backbone are.

    Raises:
        OrdbenchError: If something is missing or unusable, or the training diverges.
    """
    prepared = prepare(record.spec, resources)
    device = resources.device
    with threads(1):
        (search,) = train([prepared], resources)
    head = search.found().head
    test = prepared.labelled("test").features
    prediction = predict(head, test.to(device))
    options = search.default.at(search.chosen).options
    has_posterior = prediction.posterior is not None
    differs = [
        *_other_identity(record, prepared.identity.run_id, prepared.identity.hashes),
        *_other_predictions(prediction, stored, prepared.material.listing.task.rank_values),
    ]
    return Retrained(
        head,
        facts_of(prepared, options, device, has_posterior=has_posterior),
        validation_of(prepared, head, device),
        "; ".join(differs),
    )


def _other_identity(record: Record, run_id: str, hashes: Mapping[str, str]) -> Iterator[str]:
    if run_id != record.run_id:
        names = [name for name in hashes if hashes[name] != record.hashes.get(name)]
        changed = f"other {', '.join(names)}" if names else "another version of a library"
        yield f"the same description is run {run_id} now, by {changed}"


def _other_predictions(
    prediction: Prediction, stored: Predictions | None, values: tuple[float, ...]
) -> Iterator[str]:
    """How far predictions are from the stored ones, if they are not the same bit by bit."""
    if stored is None:
        yield "there are no stored predictions to compare with"
        return
    before: NDArray[np.floating] | None = stored.posterior
    if prediction.posterior is None:
        what, found = "estimate", to_unit(prediction.position.cpu().numpy(), values)
        before = stored.estimates.get("point")
    else:
        what, found = "probability", prediction.posterior.cpu().numpy()
    if before is None or before.shape != found.shape:
        yield "the stored predictions are of other images"
    elif not np.array_equal(found, before):
        yield f"a test image's {what} differs by up to {np.abs(found - before).max():.2g}"
