"""What one run leaves behind: everything needed to trust it, and to run it again."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from ordbench.backbone import Layer
from ordbench.dataset import SkippedFile
from ordbench.recipe import OptionValue
from ordbench.runs.spec import RunSpec
from ordbench.utils.canonical_json import (
    RUN_ID_LENGTH,
    add_checksum,
    canonical,
    run_id,
    verify_checksum,
)
from ordbench.utils.files import read_regular
from ordbench.utils.wording import wanted


def _nan_for_null(value: object) -> object:
    return math.nan if value is None else value


def _null_for_nan(value: float) -> float | None:
    return None if math.isnan(value) else value


# JSON has no NaN: it is written as null. Infinities are written as strings.
Number = Annotated[
    float,
    BeforeValidator(_nan_for_null),
    PlainSerializer(_null_for_nan, return_type=float | None, when_used="json"),
]


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class TaskFacts(_Facts):
    """What was predicted.

    Attributes:
        title: The dataset's name in print.
        num_ranks: K.
        unit: What estimates and the MAE are measured in ("years").
        rank_values: K numbers in ``unit``, so that predictions can be scored without the dataset.
    """

    title: str
    num_ranks: int
    unit: str
    rank_values: tuple[float, ...] = ()


class SplitFacts(_Facts):
    """Which images trained, validated and tested.

    Attributes:
        hash: SHA-256 of the split manifest.
        train: Images in the training part, after the draw of shots.
        val: Images in the validation part.
        test: Images in the test part.
        rejected: Files that were left out as unusable, each with the reason.
        leaks: Test images that show a person also in training or validation.
        short: Ranks with fewer training images than shots.
        notes: What the reader of a result must know ("rank 3 has 2 of 4 shots").
        division: Where the test images come from ("official folds"); empty if unknown.
    """

    hash: str
    train: int
    val: int
    test: int
    rejected: tuple[SkippedFile, ...] = ()
    leaks: int = 0
    short: int = 0
    notes: tuple[str, ...] = ()
    division: str = ""


class FeatureFacts(_Facts):
    """The features that the head saw.

    Attributes:
        key: Key of the feature cache.
        dtype: Arithmetic of the image tower ("bfloat16").
        cosine: Least cosine to the float32 features where that was measured.
        layer: After or before the projection into the joint space.
        normalize: Whether they were brought to unit length.
    """

    key: str
    dtype: str
    cosine: float | None = None
    layer: Layer = "post"
    normalize: bool = False


class Tried(_Facts):
    """One candidate of a tuning.

    Attributes:
        changed: What it changed in the run's recipe and in the head's options, by name.
        val_mae: MAE on validation, in the task's unit; infinite if the training diverged.
    """

    changed: dict[str, OptionValue]
    val_mae: Number


class TrainingFacts(_Facts):
    """How the training went.

    Attributes:
        steps: Updates done.
        best_step: The step whose weights were kept.
        val_mae: MAE on validation at that step, in the task's unit.
        parameters: Numbers that were trained.
        stopped_early: Whether patience ended the training.
        tried: Every candidate of the tuning, where there was one.
        chosen: What the best of them changed in the run's recipe and in the head's options, by
            name: the first with the least ``val_mae``, which the record is about.
    """

    steps: int
    best_step: int
    val_mae: Number
    parameters: int
    stopped_early: bool = False
    tried: tuple[Tried, ...] = ()
    chosen: dict[str, OptionValue] = Field(default_factory=dict[str, OptionValue])


class PredictionsFile(_Facts):
    """The file of per-image predictions, in the record's own folder."""

    file: str = Field(pattern=r"^[0-9a-f]+\.parquet$")
    sha256: str


class HeadFile(_Facts):
    """The file of the trained head, in the record's own folder."""

    file: str = Field(pattern=r"^[0-9a-f]+\.safetensors$")
    sha256: str


class Record(_Facts):
    """What one run leaves behind.

    Records with NaN in them are not equal to their copies, as NaN is not equal to itself.

    Attributes:
        schema_version: Raised by a release whose records the one before it cannot read.
        run_id: See `run_id`.
        status: Whether the run came to its end.
        label: The head as a user would type it, with the options that are not the defaults.
        spec: From which the run can be done again.
        ranked: Whether leaderboards may rank it; False for ``--protocol paper``.
        task: What was predicted. None only where a failed run did not get that far; so for
            ``split``, ``features`` and ``training``.
        split: Which images trained, validated and tested.
        features: What the head saw.
        training: How the training went.
        metrics: Scores on the test images by decoding and name. ``point`` holds those of a head
            without a posterior, ``posterior`` those that need no decoding, ``head`` what
            `BaseHead.measures` gave. NaN where undefined.
        baseline: The same scores of the median of the training ranks, by name.
        hashes: SHA-256 of what can change the outcome: ``images``, ``labels``, ``split``,
            ``backbone``, ``features``, ``text`` of a head that prompts one, ``head`` (its source).
        versions: Of Python, ordbench, the libraries, and the package that owns the head.
        machine: Processor, cores, system, device.
        seconds: Wall time of ``features``, ``fit`` and ``test``.
        predictions: The file of per-image predictions.
        kept_head: The file of the trained head; None where it was not kept.
        error: Why the run failed, in one line.
        created: When, ISO 8601 in UTC. Informative only: never part of an id.

    Raises:
        ValidationError: If a run that is done lacks facts or scores, or a failed one its error.
    """

    schema_version: Literal[1] = 1
    run_id: str = Field(pattern=f"^[0-9a-f]{{{RUN_ID_LENGTH}}}$")
    status: Literal["done", "failed"]
    label: str = Field(min_length=1)
    spec: RunSpec
    ranked: bool = True
    task: TaskFacts | None = None
    split: SplitFacts | None = None
    features: FeatureFacts | None = None
    training: TrainingFacts | None = None
    metrics: dict[str, dict[str, Number]] = Field(default_factory=dict[str, dict[str, Number]])
    baseline: dict[str, Number] = Field(default_factory=dict)
    hashes: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    machine: dict[str, str] = Field(default_factory=dict)
    seconds: dict[str, float] = Field(default_factory=dict)
    predictions: PredictionsFile | None = None
    kept_head: HeadFile | None = None
    error: str | None = None
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @model_validator(mode="after")
    def _complete(self) -> Self:
        facts = (self.task, self.split, self.features, self.training, self.metrics or None)
        if self.status == "done" and None in facts:
            raise ValueError("a run that is done has task, split, features, training and metrics")
        if (self.status == "failed") != (self.error is not None):
            raise ValueError("a failed run has an error, and no other run has one")
        return self


class UnreadableError(ValueError):
    """A record file that may be whole but cannot be read now."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(f"it cannot be read: {cause.strerror}")
        self.cause = cause


class SkippedCell(_Facts):
    """Runs that could not be started, whatever their seeds.

    Attributes:
        label: The head as a user would type it.
        spec: One of the runs; its seeds do not matter.
        reason: Why they could not be started, in one line.
        created: When, ISO 8601 in UTC.
    """

    label: str
    spec: RunSpec
    reason: str
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def key(self) -> str:
        """The same for all runs that differ in their seeds only."""
        return cell_key(self.spec)


def cell_key(spec: RunSpec) -> str:
    """A hash of what was asked for, without the seeds."""
    return run_id(spec.model_dump(mode="json", exclude={"data_seed", "train_seed"}))


def to_json(record: Record) -> str:
    """One line of standard JSON with sorted keys: equal records give equal text."""
    return canonical(json.loads(record.model_dump_json()))


def to_sealed(record: Record) -> bytes:
    """The content of a record file: the same line with its checksum in it."""
    return add_checksum(to_json(record)).encode()


def read_record(path: Path, run_id: str | None = None) -> Record:
    """Read the file of one record.

    Raises:
        FileNotFoundError: If there is none.
        EditedError: If it is not as it was written.
        ValueError: If it cannot be read or is not a record (of ``run_id``); in one line.
    """
    try:
        content = read_regular(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableError(error) from error
    return from_sealed(content, run_id)


def from_sealed(content: bytes, run_id: str | None = None) -> Record:
    """Read one record that is as it was written.

    Raises:
        EditedError: If its checksum is missing or that of other content.
        ValueError: If it is not one, or not that of ``run_id``; the message is one line.
    """
    plain = verify_checksum(content)
    try:
        record = Record.model_validate_json(plain)
    except ValidationError as error:
        # What another version calls its fields is unknown here, too, so its number comes first.
        first = min(error.errors(), key=lambda found: found["loc"] != ("schema_version",))
        where = ".".join(str(part) for part in first["loc"])
        if where == "schema_version":
            raise ValueError(
                f"its format (schema_version {first['input']}) is that of another version of "
                "ordbench; read it with that one"
            ) from None
        said = wanted([first])
        raise ValueError(f"{where}: {said}" if where else said) from None
    if run_id is not None and record.run_id != run_id:
        raise ValueError(f"it is the record of run {record.run_id}")
    return record
