"""Records as rows: one run a row, for tables and for pandas; and the runs of one cell together."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import isnan
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from ordbench.plugins.reference import PluginRef, typed_value

if TYPE_CHECKING:
    import pandas as pd

    from ordbench.recipe import OptionValue
    from ordbench.runs.record import Record, SkippedCell
    from ordbench.runs.spec import RunSpec

    Options = Mapping[str, OptionValue]

Seeds = tuple[int, int]
"""Data seed and train seed of a run."""
FEW_VALIDATION = 100  # an MAE over fewer is uncertain by about 8 % of itself or more
_PATH = re.compile(r"~|\.{0,2}[\\/]|[A-Za-z]:[\\/]")


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """What tables need of one record, as plain values.

    Attributes:
        run_id: See `Record`; so for ``created``, ``status``, ``ranked``, ``label``, ``error``.
        data_seed: Draws the few-shot set.
        train_seed: Starts the head and orders the batches.
        seconds_fit: Wall time of the training.
        val_mae: MAE on validation of the weights that were kept, in ``unit``.
        metrics: Scores on the test images, as ``NAME_DECODE`` ("mae_median").
        baseline: Scores of the median of the training ranks, by name.
        head: Name of the head.
        head_options: All its options.
        head_hash: SHA-256 of its source.
        recipe: How it was trained; how it was tuned as ``tune_...``.
        text: Text tower that was prompted, without a path; empty for the backbone's own, and for
            a head that prompts none.
        text_hash: SHA-256 of its weights; empty for a head that prompts none.
        dataset: Name of the dataset.
        dataset_argument: What follows the colon; of a path the last part.
        dataset_options: Its options that are not empty; of a path the file name.
        image_hash: SHA-256 of its images.
        label_hash: SHA-256 of its samples' names and ranks, and of the task.
        title: Its name in print.
        unit: What its MAE is measured in.
        backbone: ``FAMILY:ARGUMENT``, without a path.
        backbone_hash: SHA-256 of its weights.
        layer: Features after or before the projection.
        normalize: Whether they were scaled to unit length.
        dtype: Arithmetic of the image tower.
        protocol: See `RunSpec`; so for ``fold``, ``split``, ``shots`` (None: all images).
        other: All other fields of the `RunSpec` that are not the default.
        leaks: Whether test images show people whom training or validation shows.
        short: Whether a rank has fewer training images than shots.
        few_validation: How many images it was selected on, if fewer than `FEW_VALIDATION`; else 0.
        division: Where its test images come from, as in "official folds"; empty if unknown.
        ordbench: Version that made the run.
        parameters: Numbers that were trained.
    """

    run_id: str
    created: str
    data_seed: int
    train_seed: int
    seconds_fit: float | None
    val_mae: float | None
    metrics: Mapping[str, float]
    baseline: Mapping[str, float]

    status: str
    ranked: bool
    label: str
    error: str | None
    head: str
    head_options: Options
    head_hash: str
    recipe: Options
    text: str
    text_hash: str
    dataset: str
    dataset_argument: str
    dataset_options: Options
    image_hash: str
    label_hash: str
    title: str
    unit: str
    backbone: str
    backbone_hash: str
    layer: str
    normalize: bool
    dtype: str
    protocol: str
    fold: int
    split: str
    shots: int | None
    other: Options
    leaks: bool
    short: bool
    few_validation: int
    division: str
    ordbench: str
    parameters: int | None

    @property
    def dataset_name(self) -> str:
        """The dataset as it would be typed, but for folders and options."""
        name, argument = self.dataset, self.dataset_argument
        return f"{name}:{argument}" if argument else name

    @cached_property
    def shared(self) -> str:
        """JSON of all that seeds do not change, and of the names of the scores."""
        values = {name: getattr(self, name) for name in _SHARED}
        return json.dumps(values | {"metrics": [*self.metrics], "baseline": [*self.baseline]})


_NAMES = [field.name for field in fields(RunRow)]
_OF_ONE_RUN = {"run_id", "created", "data_seed", "train_seed", "seconds_fit", "val_mae"}
_SHARED = [name for name in _NAMES if name not in {*_OF_ONE_RUN, "metrics", "baseline"}]
_HAVE_COLUMNS = {*_NAMES, "tuning"}


def flatten(record: Record) -> RunRow:
    """The row of one record."""
    spec, task, hashes, training = record.spec, record.task, record.hashes, record.training
    val = record.split.val if record.split else 0
    plain = without_paths(spec)
    tuning = spec.tuning.model_dump(mode="json") if spec.tuning else {}
    return RunRow(
        run_id=record.run_id,
        created=record.created,
        data_seed=spec.data_seed,
        train_seed=spec.train_seed,
        seconds_fit=record.seconds.get("fit"),
        val_mae=None if training is None or isnan(training.val_mae) else training.val_mae,
        metrics=_scores(record),
        baseline=record.baseline,
        status=record.status,
        ranked=record.ranked,
        label=record.label,
        error=record.error,
        head=spec.head,
        head_options=spec.head_options,
        head_hash=hashes.get("head", ""),
        recipe={
            **(spec.recipe.model_dump(mode="json") if spec.recipe else {}),
            **{f"tune_{name}": value for name, value in tuning.items()},
        },
        text=spec.text.partition("@")[0] if "text" in hashes else "",
        text_hash=hashes.get("text", ""),
        dataset=spec.dataset,
        dataset_argument=PureWindowsPath(spec.dataset_argument).name,
        dataset_options={
            name: value for name, value in plain.dataset_options.items() if value != ""
        },
        image_hash=hashes.get("images", ""),
        label_hash=hashes.get("labels", ""),
        title=task.title if task else spec.dataset,
        unit=task.unit if task else "",
        backbone=spec.backbone.partition("@")[0],
        backbone_hash=hashes.get("backbone", ""),
        layer=spec.layer,
        normalize=spec.normalize,
        dtype=record.features.dtype if record.features else spec.dtype,
        protocol=spec.protocol,
        fold=spec.fold,
        split=spec.split,
        shots=spec.shots,
        other={
            name: value
            for name, value in plain.model_dump(mode="json", exclude=_HAVE_COLUMNS).items()
            if getattr(spec, name) != type(spec).model_fields[name].default
        },
        leaks=record.split is not None and record.split.leaks > 0,
        short=record.split is not None and record.split.short > 0,
        few_validation=val if val < FEW_VALIDATION else 0,
        division=record.split.division if record.split else "",
        ordbench=record.versions.get("ordbench", ""),
        parameters=training.parameters if training else None,
    )


def flatten_skipped(cell: SkippedCell) -> RunRow:
    """The row of a cell that could not be started, with the status ``skipped``."""
    from ordbench.runs.record import Record

    record = Record(
        run_id=cell.key, status="failed", label=cell.label, spec=cell.spec, error=cell.reason
    )
    return replace(flatten(record), status="skipped", created=cell.created)


def to_frame(records: Iterable[RunRow]) -> pd.DataFrame:
    """Rows for pandas: scores are columns such as ``mae_median`` and ``mae_baseline``.

    ``shots`` is a nullable integer, missing where all training images were used.
    """
    import pandas as pd  # takes half a second, which `ordbench table` does not have

    rows: list[dict[str, object]] = []
    for record in records:
        values = {n: getattr(record, n) for n in _NAMES if n not in {"metrics", "baseline"}}
        row = {n: options_text(v) if isinstance(v, Mapping) else v for n, v in values.items()}
        baseline = {f"{name}_baseline": value for name, value in record.baseline.items()}
        rows.append({**row, **record.metrics, **baseline})
    frame = pd.DataFrame(rows)
    return frame.astype({"shots": "Int64"}) if rows else frame


def options_text(options: Options) -> str:
    """Options as a user would type them, in the order of their names.

    >>> options_text({"tuned": True, "context": "a: b", "base_ranks": 5})
    'base_ranks=5:context="a: b":tuned=true'
    """
    typed = {name: typed_value(value) for name, value in options.items()}
    return str(PluginRef("", options=typed)).removeprefix(":")


def _scores(record: Record) -> dict[str, float]:
    return {
        f"{name}_{decode}": value
        for decode, scores in record.metrics.items()
        for name, value in scores.items()
    }


def without_paths(spec: RunSpec) -> RunSpec:
    """The same run without the folders of a machine, of which no run id depends.

    >>> from ordbench.runs.spec import RunSpec
    >>> spec = RunSpec(head="coral", dataset="csv", dataset_argument="/home/me/ages.csv")
    >>> without_paths(spec).dataset_argument
    'ages.csv'
    """
    options = {
        name: _file_name(value) if isinstance(value, str) else value
        for name, value in spec.dataset_options.items()
    }
    changes = {
        "dataset_argument": _file_name(spec.dataset_argument),
        "dataset_options": options,
        "test_dataset": _typed_name(spec.test_dataset),
        "backbone": _weights_name(spec.backbone),
        "text": _weights_name(spec.text),
    }
    return spec.model_copy(update=changes)


def _file_name(text: str) -> str:
    """The last part of a path that begins at a root, a home or a folder's parent; else the text."""
    return re.split(r"[\\/]", text.rstrip("\\/"))[-1] if _PATH.match(text) else text


def _typed_name(dataset: str) -> str:
    """A dataset as typed, of a path the last part."""
    if not dataset:
        return ""
    ref = PluginRef.parse(dataset)
    options = {name: _file_name(value) for name, value in ref.options.items()}
    return str(PluginRef(ref.name, PureWindowsPath(ref.argument).name, options))


def _weights_name(backbone: str) -> str:
    name, at, path = backbone.partition("@")
    return name + at + _file_name(path)


@dataclass(frozen=True, kw_only=True)
class CellRuns:
    """Runs that differ in nothing but seeds.

    Attributes:
        first: One of them.
        run_ids: One a run, as for all that follows.
        created: When each was made.
        seeds: Data seed and train seed of each.
        seconds: Wall time of each training.
        val_maes: MAE on validation of each.
        metrics: Scores on the test images, as in `RunRow`.
        baseline: Scores of the median of the training ranks.
        unscored: Why they lack a score that was asked for, or have one that says nothing; see
            `ordbench.results.rescoring`.
    """

    first: RunRow
    run_ids: Sequence[str]
    created: Sequence[str]
    seeds: Sequence[Seeds]
    seconds: Sequence[float | None]
    val_maes: Sequence[float | None]
    metrics: Mapping[str, Sequence[float]]
    baseline: Mapping[str, Sequence[float]]
    unscored: str = ""

    def __len__(self) -> int:
        return len(self.run_ids)

    def rows(self) -> Iterator[RunRow]:
        """The runs one by one."""
        for index, run_id in enumerate(self.run_ids):
            yield replace(
                self.first,
                run_id=run_id,
                created=self.created[index],
                data_seed=self.seeds[index][0],
                train_seed=self.seeds[index][1],
                seconds_fit=self.seconds[index],
                val_mae=self.val_maes[index],
                metrics={name: values[index] for name, values in self.metrics.items()},
                baseline={name: values[index] for name, values in self.baseline.items()},
            )

    def part(self, run_ids: Collection[str]) -> list[CellRuns]:
        """The cell with these of its runs only; an empty list if it has none of them."""
        rows = [row for row in self.rows() if row.run_id in run_ids]
        return [of_rows(rows)] if rows else []


def of_rows(rows: Sequence[RunRow]) -> CellRuns:
    """The cell of one or more runs that differ in seeds only and have the same scores."""
    first = rows[0]
    return CellRuns(
        first=first,
        run_ids=[row.run_id for row in rows],
        created=[row.created for row in rows],
        seeds=[(row.data_seed, row.train_seed) for row in rows],
        seconds=[row.seconds_fit for row in rows],
        val_maes=[row.val_mae for row in rows],
        metrics={name: [row.metrics[name] for row in rows] for name in first.metrics},
        baseline={name: [row.baseline[name] for row in rows] for name in first.baseline},
    )


def group_by_cell(rows: Iterable[RunRow]) -> list[CellRuns]:
    """The cells of some runs."""
    cells: defaultdict[str, list[RunRow]] = defaultdict(list)
    for row in rows:
        cells[row.shared].append(row)
    return [of_rows(cell) for cell in cells.values()]
