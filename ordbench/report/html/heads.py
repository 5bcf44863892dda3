"""One section a head: its card, how it was trained, and where its results stand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ordbench.errors import OrdbenchError
from ordbench.report.descriptions import Description, describe
from ordbench.results.rows import options_text
from ordbench.runs.record import Record


class Chosen(NamedTuple):
    """What a tuning chose, and in how many runs."""

    label: str
    settings: str
    runs: int


@dataclass(frozen=True, kw_only=True)
class HeadSection:
    """What is known of one head.

    Attributes:
        name: Of the plug-in.
        description: Its card and options; None where it is not installed here.
        missing: Why there is none.
        labels: With the options that its runs had.
        recipes: How its runs were trained; each with the labels of these runs.
        parameters: Numbers that were trained, the least and the most.
        tried: Candidates of each tuning.
        chosen: What tunings chose, the most frequent first.
    """

    name: str
    description: Description | None
    missing: str = ""
    labels: Sequence[str]
    recipes: Mapping[str, Sequence[str]]
    parameters: tuple[int, int] | None
    tried: int = 0
    chosen: Sequence[Chosen] = field(default_factory=list[Chosen])

    @property
    def title(self) -> str:
        """Its title in one line."""
        return self.description.title if self.description else self.name


def head_sections(records: Iterable[Record]) -> list[HeadSection]:
    """One section for each head of these runs, by name."""
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[record.spec.head].append(record)
    return [_section(name, runs) for name, runs in sorted(found.items())]


def _section(name: str, records: Sequence[Record]) -> HeadSection:
    description, missing = None, ""
    try:
        description = describe("head", name)
    except OrdbenchError as error:
        missing = str(error)
    recipes: defaultdict[str, set[str]] = defaultdict(set)
    chosen: Counter[tuple[str, str]] = Counter()
    for record in records:
        if record.spec.recipe and (description is None or description.recipe):
            recipe = record.spec.recipe.model_dump().items()
            recipes[", ".join(f"{key}={value}" for key, value in recipe)].add(record.label)
        if record.training and record.training.tried:
            changed = options_text(record.training.chosen) or "nothing changed"
            chosen[record.label, changed] += 1
    parameters = [record.training.parameters for record in records if record.training]
    tried = [len(record.training.tried) for record in records if record.training]
    return HeadSection(
        name=name,
        description=description,
        missing=missing,
        labels=sorted({record.label for record in records}),
        recipes={recipe: sorted(labels) for recipe, labels in recipes.items()},
        parameters=(min(parameters), max(parameters)) if parameters else None,
        tried=max(tried, default=0),
        chosen=[Chosen(*key, runs) for key, runs in chosen.most_common()],
    )
