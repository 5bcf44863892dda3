"""What `ordbench reproduce` prints: the plans, and published numbers beside ours."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ordbench.cli.facts import fact_lines, wrapped
from ordbench.cli.grids import print_grid
from ordbench.data.paths import dataset_folder, resolve_root
from ordbench.plugins.registry import DATASETS
from ordbench.report.reproduction import (
    ComparedCell,
    compare,
    find_plan,
    not_available,
    plans,
)
from ordbench.runs.titles import dataset_label
from ordbench.sweeps.callback import Callback

if TYPE_CHECKING:
    from ordbench.leaderboard.ranking import Score
    from ordbench.runs.record import Record
    from ordbench.runs.runner import RunResult

WIDTH = 80


def print_plans(data_root: Path | None, *, as_json: bool) -> None:
    """Print the plans, what each needs, and whether that is here."""
    names = dict.fromkeys(plan.dataset_name for plan in plans().values())
    datasets = {name: _needed(name, data_root) for name in names}
    if as_json:
        described = {name: plan.model_dump(mode="json") for name, plan in plans().items()}
        found = {"plans": described, "datasets": datasets, "not_available": not_available()}
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    rows = [
        [name, plan.title, plan.dataset, "yes" if datasets[plan.dataset_name]["here"] else "no"]
        for name, plan in plans().items()
    ]
    print_grid(["name", "title", "dataset", "here"], rows, left=4)
    for name, needed in datasets.items():
        typer.echo(f"\n{name}")
        facts = {label: str(text) for label, text in needed.items() if label != "here"}
        for line in fact_lines(facts, WIDTH - 2):
            typer.echo(f"  {line}")
    typer.echo("\nno plan yet")
    for text in not_available():
        for line in wrapped(text, WIDTH, "    ", first="  - "):
            typer.echo(line)


def _needed(name: str, data_root: Path | None) -> dict[str, object]:
    """Where a dataset is looked for, whether something is there, and on which terms it is had."""
    card = DATASETS[name].card
    folder = dataset_folder(resolve_root(data_root), name)
    here = folder.is_dir() and any(folder.iterdir())
    return {
        "here": here,
        "folder": str(folder),
        "get it": card.how_to_get,
        "licence": card.licence,
    }


class Reproduction(Callback):
    """Gathers the runs of a plan, and prints them beside the published numbers.

    Args:
        name: Of the plan.

    Raises:
        SpecError: If there is no such plan.
    """

    def __init__(self, name: str) -> None:
        self.plan = find_plan(name)
        self._name = name
        self._records: list[Record] = []

    def on_result(self, result: RunResult) -> None:
        """See `Callback`."""
        self._records.append(result.record)

    def print_found(self, *, as_json: bool) -> None:
        """Print the comparison; nothing if there is no run."""
        if not self._records:
            return
        cells = compare(self.plan, self._records)
        if as_json:
            typer.echo(json.dumps(self._as_json(cells), ensure_ascii=False))
            return
        typer.echo(f"\n{self.plan.title}: MAE, published and here")
        columns = ["in the paper", "head", "shots", "published", "here", "difference", "runs"]
        print_grid(columns, (self._row(cell) for cell in cells), left=2)
        notes = {
            "source": self.plan.source,
            "numbers": self.plan.table,
            "here": self._here(),
        }
        for label, text in notes.items():
            for line in wrapped(f"{label}: {text}", WIDTH):
                typer.echo(line)
        typer.echo("what differs")
        for text in [*self._changed(), *self.plan.differs]:
            for line in wrapped(text, WIDTH, "    ", first="  - "):
                typer.echo(line)

    @property
    def _same_dataset(self) -> bool:
        return {record.spec.dataset for record in self._records} == {self.plan.dataset_name}

    def _row(self, cell: ComparedCell) -> list[str]:
        ours, published = cell.ours, _spread(cell.mae, cell.std)
        comparable = ours is not None and self._same_dataset
        return [
            *(cell.row.published, cell.row.head, str(cell.shots), published),
            _spread(ours.mean, ours.std) if ours else "",
            f"{ours.mean - cell.mae:+.2f}" if ours and comparable else "",
            str(ours.runs if ours else 0),
        ]

    def _here(self) -> str:
        """What was run, in words."""
        specs = [record.spec for record in self._records]
        versions = dict.fromkeys(record.versions.get("ordbench", "") for record in self._records)
        parts = [
            *{f"{spec.backbone}, frozen": None for spec in specs},
            *{dataset_label(spec): None for spec in specs},
            *{f"protocol {spec.protocol}": None for spec in specs},
            f"folds {_listed(spec.fold for spec in specs)}",
            f"seeds {_listed(spec.train_seed for spec in specs)}",
            self._images(),
            f"ordbench {' and '.join(filter(None, versions))}",
        ]
        return "; ".join(filter(None, parts))

    def _images(self) -> str:
        """How many images a run has: the copy of a dataset may be a part of it."""
        splits = [record.split for record in self._records if record.split]
        if not splits:
            return ""
        train, val, test = (
            max(getattr(split, part) for split in splits) for part in ("train", "val", "test")
        )
        return f"at most {train} training, {val} validation and {test} test images a run"

    def _changed(self) -> list[str]:
        """What was typed in place of what the plan says."""
        planned = self.plan.backbone
        backbones = dict.fromkeys(record.spec.backbone for record in self._records)
        changed = [
            f"backbone: here {name}, where the plan has {planned}"
            for name in backbones
            if name != planned
        ]
        if not self._same_dataset:
            changed.append(f"dataset: not {self.plan.dataset_name}, so that no difference is shown")
        return changed

    def _as_json(self, cells: list[ComparedCell]) -> dict[str, object]:
        return {
            "plan": self._name,
            **self.plan.model_dump(mode="json", exclude={"rows"}),
            "changed": self._changed(),
            "here": self._here(),
            "cells": [
                {
                    "published_as": cell.row.published,
                    "head": cell.row.head,
                    "shots": None if cell.shots == "all" else cell.shots,
                    "published": {"mae": cell.mae, "std": cell.std},
                    "here": _score(cell.ours),
                }
                for cell in cells
            ],
        }


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(set(numbers))))


def _spread(mean: float, std: float | None) -> str:
    return f"{mean:.2f}" if std is None else f"{mean:.2f} ± {std:.2f}"


def _score(ours: Score | None) -> dict[str, object] | None:
    return {"mae": ours.mean, "std": ours.std, "runs": ours.runs} if ours else None
