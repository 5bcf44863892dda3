"""The trained head of a run, ready to predict: from its file, or trained again."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from ordbench.errors import StoreError
from ordbench.results.layout import HEAD, archive_path, record_path
from ordbench.results.lookup import find_run
from ordbench.results.store import Store
from ordbench.runs.head_hub import PREFIX, pull
from ordbench.runs.kept_head import KeptHead, from_safetensors, to_safetensors
from ordbench.runs.predictions import Predictions
from ordbench.runs.predictor import Predictor
from ordbench.runs.record import Record
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.retraining import retrain
from ordbench.utils.files import cannot_read, expanded, read_regular

logger = logging.getLogger(__name__)


def load_head(
    run: str | Path,
    *,
    results: str | Path = "results",
    backbone: str = "",
    settings: Locations | None = None,
) -> Predictor:
    """The trained head of a run, with its backbone.

    A head that was not kept is trained again, which is logged, and so is what is not as in the
    record then.

    Args:
        run: The run id, or as many of its first digits as no other run has; or the path of a kept
            head, ``....safetensors``; or ``hf:OWNER/NAME[@REVISION]`` on the Hugging Face Hub.
        results: Folder of the records.
        backbone: ``FAMILY:ARGUMENT[@PATH]`` where the weights do not lie where they lay in the run.
        settings: Where datasets and caches lie, and the device; None for the defaults of the
            command line.

    Raises:
        StoreError: If there is no such run or file, it failed, or the file cannot be read.
        OrdbenchError: If the head is to be trained again and something is missing.
    """
    if isinstance(run, str) and run.startswith(PREFIX):
        return _predictor(_read(pull(run.removeprefix(PREFIX))), backbone, settings)
    if isinstance(run, Path) or run.endswith(HEAD):
        return _predictor(_read(expanded(run)), backbone, settings)
    return head_of(find_run(Path(results), run), Path(results), backbone, settings)


def head_of(
    record: Record, results: Path, backbone: str = "", settings: Locations | None = None
) -> Predictor:
    """The trained head of a record; see `load_head`."""
    if record.status == "failed":
        raise StoreError(f"run {record.run_id} failed and has no head: {record.error}")
    store, kept = Store(results), None
    why = "was not kept" if record.kept_head is None else "is not in the archive"
    try:
        content = None if archive_path(results) else store.head_file(record)
        kept = from_safetensors(content) if content is not None else None
    except ValueError as error:
        why = f"cannot be used ({record_path(results, record.run_id).with_suffix(HEAD)}: {error})"
    if kept is not None:
        return _predictor(kept, backbone, settings)
    logger.warning("the head of run %s %s and is trained again", record.run_id, why)
    if backbone:
        spec = record.spec.model_copy(update={"backbone": backbone})
        record = record.model_copy(update={"spec": spec})
    again = retrain(record, _stored(store, record), _resources(record, settings))
    if again.differs:
        logger.warning("the new head may not be that of run %s: %s", record.run_id, again.differs)
    return Predictor(
        again.head, again.facts, again.validation, backbone=backbone, settings=settings
    )


def kept_file(record: Record, results: Path) -> bytes:
    """The file of the trained head of a record as another machine needs it: without paths.

    Raises:
        StoreError: If it was not kept or cannot be read.
    """
    try:
        content = None if archive_path(results) else Store(results).head_file(record)
        kept = from_safetensors(content) if content is not None else None
    except ValueError as error:
        raise StoreError(f"the head of run {record.run_id} cannot be used: {error}") from error
    if kept is None:
        raise StoreError(
            f"the head of run {record.run_id} is not in {results}; `ordbench run --overwrite "
            "always` trains and keeps it"
        )
    return to_safetensors(replace(kept, facts=kept.facts.portable()))


def _resources(record: Record, settings: Locations | None) -> Resources:
    """Where a run is done again: on the CPU if it was, and with the leaks that it had."""
    settings = replace(settings or Locations(), allow_leak=True)
    if settings.device == "auto" and record.machine.get("device") == "cpu":
        settings = replace(settings, device="cpu")
    return Resources(settings)


def _predictor(kept: KeptHead, backbone: str, settings: Locations | None) -> Predictor:
    return Predictor(kept.head(), kept.facts, kept.validation, backbone=backbone, settings=settings)


def _read(path: Path) -> KeptHead:
    try:
        return from_safetensors(read_regular(path))
    except OSError as error:
        raise cannot_read(path, error) from error
    except ValueError as error:
        raise StoreError(f"{path} cannot be used: {error}") from error


def _stored(store: Store, record: Record) -> Predictions | None:
    try:
        return store.read_predictions(record.run_id)
    except StoreError:
        return None
