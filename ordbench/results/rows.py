"""Records as rows: one run a row, plain values in columns, for tables and for pandas."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, NamedTuple

from ordbench.plugins.reference import PluginRef

if TYPE_CHECKING:
    import pandas as pd

    from ordbench.recipe import OptionValue
    from ordbench.runs.record import Record
    from ordbench.runs.spec import RunSpec

_PATH = re.compile(r"~|\.{0,2}[\\/]|[A-Za-z]:[\\/]")


class RunRow(NamedTuple):
    """What tables need of one record; an index holds it as it stands.

    The fields before ``run_id`` are those that no seed changes: ``record[:SHARED]``.

    Attributes:
        status: See `Record`; so for ``ranked``, ``label``, ``run_id``, ``created``, ``error``.
        head: Name of the head.
        head_options: All its options, as ``KEY=VALUE:KEY=VALUE``.
        head_hash: SHA-256 of its source.
        recipe: How it was trained and tuned, as ``KEY=VALUE:KEY=VALUE``.
        text: Text tower that was prompted, without a path; empty for the backbone's own, and for
            a head that prompts none.
        text_hash: SHA-256 of its weights; empty for a head that prompts none.
        dataset: Name of the dataset.
        dataset_argument: What stands after the colon; of a path the last part.
        dataset_options: Its options that are not empty, as ``KEY=VALUE:KEY=VALUE``; of a path the
            file name.
        image_hash: SHA-256 of its images.
        label_hash: SHA-256 of its samples' names and ranks, and of the task.
        title: Its name in print.
        unit: What its MAE is measured in.
        backbone: ``FAMILY:ARGUMENT``, without a path.
        backbone_hash: SHA-256 of its weights.
        layer: Features after or before the projection.
        normalize: Whether they were brought to unit length.
        dtype: Arithmetic of the image tower.
        protocol: See `RunSpec`; so for ``fold``, ``split``, ``shots`` (None: all images),
            ``data_seed``, ``train_seed``.
        leaks: Whether test images show people whom training or validation shows.
        short: Whether a rank has fewer training images than shots.
        ordbench: Version that made the run.
        parameters: Numbers that were trained.
        seconds_fit: Wall time of the training.
        metrics: Scores on the test images, as ``NAME_DECODE`` ("mae_median").
        baseline: Scores of the median of the training ranks, by name.
    """

    status: str
    ranked: bool
    label: str
    head: str
    head_options: str
    head_hash: str
    recipe: str
    text: str
    text_hash: str
    dataset: str
    dataset_argument: str
    dataset_options: str
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
    leaks: bool
    short: bool
    ordbench: str
    parameters: int | None
    run_id: str
    created: str
    data_seed: int
    train_seed: int
    seconds_fit: float | None
    error: str | None
    metrics: Mapping[str, float]
    baseline: Mapping[str, float]

    @property
    def dataset_name(self) -> str:
        """The dataset as it would be typed, but for folders and options."""
        name, argument = self.dataset, self.dataset_argument
        return f"{name}:{argument}" if argument else name


SHARED = RunRow._fields.index("run_id")


def flatten(record: Record) -> RunRow:
    """The row of one record."""
    spec, task, hashes = record.spec, record.task, record.hashes
    return RunRow(
        status=record.status,
        ranked=record.ranked,
        label=record.label,
        head=spec.head,
        head_options=_text(spec.head_options),
        head_hash=hashes.get("head", ""),
        recipe=_training_text(
            spec.recipe.model_dump_json() if spec.recipe else "{}",
            spec.tuning.model_dump_json() if spec.tuning else "{}",
        ),
        text=spec.text.partition("@")[0] if "text" in hashes else "",
        text_hash=hashes.get("text", ""),
        dataset=spec.dataset,
        dataset_argument=PureWindowsPath(spec.dataset_argument).name,
        dataset_options=_text(
            {k: v for k, v in without_paths(spec).dataset_options.items() if v != ""}
        ),
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
        leaks=record.split is not None and record.split.leaks > 0,
        short=record.split is not None and record.split.short > 0,
        ordbench=record.versions.get("ordbench", ""),
        parameters=record.training.parameters if record.training else None,
        run_id=record.run_id,
        created=record.created,
        data_seed=spec.data_seed,
        train_seed=spec.train_seed,
        seconds_fit=record.seconds.get("fit"),
        error=record.error,
        metrics=_scores(record),
        baseline=record.baseline,
    )


def to_frame(records: Iterable[RunRow]) -> pd.DataFrame:
    """Rows for pandas: scores are columns such as ``mae_median`` and ``mae_baseline``.

    ``shots`` is a nullable integer, missing where all training images were used.
    """
    import pandas as pd  # takes half a second, which `ordbench table` does not have

    rows: list[dict[str, object]] = []
    for record in records:
        row: dict[str, object] = record._asdict()
        del row["metrics"], row["baseline"]
        baseline = {f"{name}_baseline": value for name, value in record.baseline.items()}
        rows.append({**row, **record.metrics, **baseline})
    frame = pd.DataFrame(rows)
    return frame.astype({"shots": "Int64"}) if rows else frame


def _scores(record: Record) -> dict[str, float]:
    return {
        f"{name}_{decode}": value
        for decode, scores in record.metrics.items()
        for name, value in scores.items()
    }


@cache
def _training_text(recipe: str, tuning: str) -> str:
    """Thousands of runs share a recipe, and to write it out takes longer than all the rest."""
    return _text(json.loads(recipe) | {f"tune_{k}": v for k, v in json.loads(tuning).items()})


def _text(options: Mapping[str, OptionValue]) -> str:
    """Options as a user would type them, in the order of their names.

    >>> _text({"tuned": True, "context": "a: b", "base_ranks": 5})
    'base_ranks=5:context="a: b":tuned=true'
    """
    typed = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in options.items()
    }
    return str(PluginRef("", options=typed)).removeprefix(":")


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
        "backbone": _weights_name(spec.backbone),
        "text": _weights_name(spec.text),
    }
    return spec.model_copy(update=changes)


def _file_name(text: str) -> str:
    """The last part of a path that begins at a root, a home or a folder's parent; else the text."""
    return re.split(r"[\\/]", text.rstrip("\\/"))[-1] if _PATH.match(text) else text


def _weights_name(backbone: str) -> str:
    name, at, path = backbone.partition("@")
    return name + at + _file_name(path)


Scores = Mapping[str, Sequence[float]]
"""Scores by name, one a run."""

_OWN = attrgetter("run_id", "created", "data_seed", "train_seed", "seconds_fit")


@dataclass(frozen=True)
class CellRuns:
    """Runs that differ in nothing but seeds: what is said of one is said of all.

    Attributes:
        first: One of them.
        run_ids: One a run, as all that follows.
        created: When each was made.
        seeds: Data seed and train seed of each.
        seconds: Wall time of each training.
        metrics: Scores on the test images, as in `RunRow`.
        baseline: Scores of the median of the training ranks.
    """

    first: RunRow
    run_ids: Sequence[str]
    created: Sequence[str]
    seeds: Sequence[tuple[int, int]]
    seconds: Sequence[float | None]
    metrics: Scores
    baseline: Scores

    def __len__(self) -> int:
        return len(self.run_ids)

    def rows(self) -> Iterator[RunRow]:
        """The runs one by one."""
        shared, error = self.first[:SHARED], self.first.error
        own = zip(self.run_ids, self.created, self.seeds, self.seconds, strict=True)
        scores = zip(
            _by_run(self.metrics, len(self)), _by_run(self.baseline, len(self)), strict=True
        )
        for (run_id, created, seeds, seconds), both in zip(own, scores, strict=True):
            yield RunRow._make((*shared, run_id, created, *seeds, seconds, error, *both))

    def part(self, run_ids: Set[str]) -> list[CellRuns]:
        """Those of its runs: one lot, or none."""
        rows = [row for row in self.rows() if row.run_id in run_ids]
        return [of_rows(rows)] if rows else []


def of_rows(rows: Sequence[RunRow]) -> CellRuns:
    """A lot of runs that differ in seeds alone and have scores of the same names; at least one."""
    run_ids, created, data_seeds, train_seeds, seconds = zip(*map(_OWN, rows), strict=True)
    first = rows[0]
    return CellRuns(
        first,
        run_ids,
        created,
        list(zip(data_seeds, train_seeds, strict=True)),
        seconds,
        {name: [row.metrics[name] for row in rows] for name in first.metrics},
        {name: [row.baseline[name] for row in rows] for name in first.baseline},
    )


def alike(rows: Iterable[RunRow]) -> list[CellRuns]:
    """The lots of some runs."""
    lots: defaultdict[tuple[object, ...], list[RunRow]] = defaultdict(list)
    for row in rows:
        names = tuple(row.metrics), tuple(row.baseline)
        lots[(*row[:SHARED], row.error, *names)].append(row)
    return [of_rows(lot) for lot in lots.values()]


def _by_run(scores: Scores, runs: int) -> Iterable[dict[str, float]]:
    names = list(scores)
    if not names:
        return ({} for _ in range(runs))
    return (dict(zip(names, run, strict=True)) for run in zip(*scores.values(), strict=True))
