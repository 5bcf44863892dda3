"""Published tables as named plans: what ordbench runs for them, and how its results compare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field

from ordbench.errors import SpecError
from ordbench.leaderboard.ranking import Score, aggregate
from ordbench.plugins.reference import PluginRef
from ordbench.runs.record import Record
from ordbench.runs.spec import RunSpec, head_settings
from ordbench.runs.titles import head_label
from ordbench.utils.text import did_you_mean

Shots = int | Literal["all"]


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedRow(_Facts):
    """One row of a published table.

    Attributes:
        head: The head that ordbench runs for it, as typed.
        published: What the source calls it.
        mae: MAE on the test images by number of shots, or MAE and standard deviation.
    """

    head: str
    published: str
    mae: dict[Shots, float | tuple[float, float]] = Field(min_length=1)


class Plan(_Facts):
    """A published table, and the sweep that ordbench runs for it.

    Attributes:
        title: What is compared.
        source: The paper, with its address.
        table: Where in it, or by whom, the numbers are given.
        dataset: As typed.
        backbone: ``FAMILY:ARGUMENT``.
        seeds: Of the runs.
        fold: Test folds.
        differs: What is not as in the paper.
        rows: The numbers.
    """

    title: str
    source: str = Field(pattern=r"https://(arxiv\.org/abs|doi\.org)/\S+$")
    table: str = Field(min_length=1)
    dataset: str
    backbone: str
    seeds: str
    fold: str = "0"
    differs: tuple[str, ...] = Field(min_length=1)
    rows: tuple[PublishedRow, ...] = Field(min_length=1)

    @property
    def dataset_name(self) -> str:
        """The dataset without its options."""
        return PluginRef.parse(self.dataset).name

    def options(self, **given: object) -> dict[str, Any]:
        """The options of `ordbench run` that run it, over which those that are given win."""
        shots = dict.fromkeys(str(shots) for row in self.rows for shots in row.mae)
        planned = {
            "head": [row.head for row in self.rows],
            "dataset": self.dataset,
            "backbone": self.backbone,
            "shots": [*shots],
            "seeds": self.seeds,
            "fold": self.fold,
        }
        return planned | {name: value for name, value in given.items() if value is not None}


class _File(_Facts):
    plans: dict[str, Plan]
    not_available: tuple[str, ...]


class ComparedCell(NamedTuple):
    """A published number, and ordbench's.

    Attributes:
        row: The row of the table.
        shots: Images a rank that train.
        mae: As published.
        std: As published; None where it is not given.
        ours: Mean and spread over the runs; None without runs.
    """

    row: PublishedRow
    shots: Shots
    mae: float
    std: float | None
    ours: Score | None


def plans() -> Mapping[str, Plan]:
    """All plans, by name."""
    return _file().plans


def not_available() -> Sequence[str]:
    """Tables of the same papers for which there is no plan."""
    return _file().not_available


def find_plan(name: str) -> Plan:
    """The plan of that name.

    Raises:
        SpecError: If there is none; near names are suggested.
    """
    found = plans().get(name)
    if found is None:
        near = did_you_mean(name, plans())
        raise SpecError(f"unknown plan {name!r}; {near}; see ordbench reproduce --list")
    return found


def compare(plan: Plan, records: Iterable[Record], decode: str = "median") -> list[ComparedCell]:
    """Set the MAE of finished runs beside the published numbers.

    Args:
        plan: The published table.
        records: Of the plan's runs; failures are left out.
        decode: How posteriors become estimates; heads without one answer with their points.
    """
    found: defaultdict[tuple[str, Shots], list[float]] = defaultdict(list)
    for record in records:
        scores = record.metrics.get(decode) or record.metrics.get("point") or {}
        if record.status == "done" and "mae" in scores:
            found[record.label, record.spec.shots or "all"].append(scores["mae"])
    return [
        _cell(row, shots, published, found.get((_label(row.head), shots), []))
        for row in plan.rows
        for shots, published in row.mae.items()
    ]


def _cell(
    row: PublishedRow, shots: Shots, published: float | tuple[float, float], ours: Iterable[float]
) -> ComparedCell:
    mae, std = published if isinstance(published, tuple) else (published, None)
    return ComparedCell(row, shots, mae, std, aggregate(ours))


def _label(head: str) -> str:
    """What records call a head that was typed so."""
    return head_label(RunSpec.model_validate({"dataset": "", **head_settings(head)}))


@cache
def _file() -> _File:
    text = files("ordbench.report").joinpath("published.yaml").read_text(encoding="utf-8")
    return _File.model_validate(yaml.safe_load(text))
