"""Short names of runs: a screen has 80 columns, and much of a sweep is the same for all runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ordbench.plugins.reference import PluginRef
from ordbench.runs.spec import RunSpec
from ordbench.runs.titles import (
    dataset_label,
    protocol_title,
    seed_title,
    shots_title,
    tested_title,
)
from ordbench.splits.draw import open_protocol
from ordbench.utils.text import counted

Title = Callable[[RunSpec], str]


class RunNames:
    """Names each run by its head, its seed, and what else is not the same for all runs.

    Args:
        specs: The runs of a sweep.
    """

    def __init__(self, specs: Sequence[RunSpec]) -> None:
        self._total = len(specs)
        self._same: list[str] = []
        self._differ: list[Title] = []
        self._hint = ""
        examples = _examples(specs)
        for title, short in _PARTS.items():
            found = {title(spec) for spec in examples}
            if len(found) == 1:
                self._same += found - {"fold 0", ""}
                if title is _fold and _folds(examples[0]):
                    self._hint = "; --fold all tests every fold"
            else:  # two files may have the same name
                clear = len({short(spec) for spec in examples}) == len(found)
                self._differ.append(short if clear else title)

    def common(self) -> str:
        """How many runs there are, and what is the same for all of them."""
        same = f": {', '.join(self._same)}" if self._same else ""
        return f"{counted(self._total, 'run')}{same}{self._hint}"

    def cell(self, spec: RunSpec, label: str) -> str:
        """A run but for its seeds; ``label`` is that of its head."""
        return ", ".join([label, *filter(None, (title(spec) for title in self._differ))])

    def run(self, spec: RunSpec, label: str) -> str:
        """A run."""
        return f"{self.cell(spec, label)}, {seed_title(spec)}"


def _examples(specs: Iterable[RunSpec]) -> list[RunSpec]:
    """One run of each kind that is named in another way: a title costs time, and runs are many."""
    return list(
        {
            (
                spec.dataset,
                spec.dataset_argument,
                repr(spec.dataset_options),
                spec.test_dataset,
                spec.backbone,
                spec.shots,
                spec.protocol,
                spec.fold,
            ): spec
            for spec in specs
        }.values()
    )


def _dataset(spec: RunSpec) -> str:
    """The dataset without the folders of its path."""
    choice = PluginRef.parse(dataset_label(spec))
    return str(replace(choice, argument=Path(choice.argument).name))


def _backbone(spec: RunSpec) -> str:
    return spec.backbone


def _short_backbone(spec: RunSpec) -> str:
    """The backbone without the folders of its file."""
    model, at, file = spec.backbone.partition("@")
    return model + at + Path(file).name


def _fold(spec: RunSpec) -> str:
    folds = _folds(spec)
    return f"fold {spec.fold} of {folds}" if folds else f"fold {spec.fold}"


def _folds(spec: RunSpec) -> int | None:
    return open_protocol(spec.protocol).folds


_PARTS: dict[Title, Title] = {
    dataset_label: _dataset,
    tested_title: tested_title,
    _backbone: _short_backbone,
    shots_title: shots_title,
    protocol_title: protocol_title,
    _fold: _fold,
}
