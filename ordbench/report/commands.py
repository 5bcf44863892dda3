"""The commands that make runs again, from their records."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

from ordbench.errors import OrdbenchError
from ordbench.plugins.reference import PluginRef, typed_value
from ordbench.plugins.registry import HEADS
from ordbench.recipe import OptionValue, Recipe
from ordbench.results.rows import without_paths
from ordbench.runs.record import Record
from ordbench.runs.spec import RunSpec, dataset_name

Seeds = tuple[int, int]
Cell = tuple[int | None, Seeds]


class _Settings(NamedTuple):
    """The options that runs of one command share, but for heads, shots and seeds."""

    options: tuple[tuple[str, str], ...]
    cells: frozenset[Cell]


def commands(records: Iterable[Record]) -> list[str]:
    """The `ordbench run` commands of these runs, without the folders of a machine.

    Heads that have the same shots, seeds and settings stand in one command. A head that is not
    installed is said to have its whole recipe.
    """
    found: defaultdict[tuple[str, tuple[tuple[str, str], ...]], set[Cell]] = defaultdict(set)
    known: dict[str, tuple[tuple[str, str], ...]] = {}  # the same for most runs of a head
    for record in records:
        spec = record.spec
        same = spec.model_dump_json(exclude={"shots", "data_seed", "train_seed"})
        if same not in known:
            known[same] = tuple(_options(without_paths(spec)))
        cell = (spec.shots, (spec.data_seed, spec.train_seed))
        found[record.label, known[same]].add(cell)
    heads: defaultdict[_Settings, list[str]] = defaultdict(list)
    for (label, options), cells in found.items():
        heads[_Settings(options, frozenset(cells))].append(label)
    return [
        _command(sorted(labels), settings.options, shots, seeds)
        for settings, labels in sorted(heads.items(), key=lambda one: (one[0].options, one[1]))
        for shots, seeds in _grids(settings.cells)
    ]


def _options(spec: RunSpec) -> Iterable[tuple[str, str]]:
    """The options of a run that are not the default, but for head, shots and seeds."""
    dataset = str(PluginRef(spec.dataset, spec.dataset_argument, _texts(spec.dataset_options)))
    with suppress(OrdbenchError):  # it is not installed here
        dataset = dataset_name(dataset)
    yield "dataset", dataset
    yield "backbone", spec.backbone
    for name in ("text", "test_dataset"):
        if value := getattr(spec, name):
            yield name.replace("_", "-"), value
    for name in ("layer", "dtype", "protocol", "fold"):
        if (value := getattr(spec, name)) != RunSpec.model_fields[name].default:
            yield name, str(value)
    if spec.split:
        yield "split", f"{spec.split[:12]}.json"
    for name, value in _recipe_changes(spec).items():
        yield "recipe", f"{name}={value}"
    if spec.tuning:
        yield "tune", str(spec.tuning.budget)
        yield "sampler", spec.tuning.sampler
    if spec.normalize:
        yield "normalize", ""


def _texts(options: Mapping[str, OptionValue]) -> dict[str, str]:
    return {name: typed_value(value) for name, value in options.items()}


def _recipe_changes(spec: RunSpec) -> dict[str, object]:
    """What differs from the recipe of the head's class."""
    if spec.recipe is None:
        return {}
    own: dict[str, object] = {}
    with suppress(OrdbenchError):
        own = HEADS[spec.head].recipe.model_dump()
    recipe = spec.recipe.model_dump()
    return {name: recipe[name] for name in Recipe.model_fields if own.get(name) != recipe[name]}


def _grids(cells: Iterable[Cell]) -> list[tuple[list[int | None], list[Seeds]]]:
    """Shots that have the same seeds together."""
    seeds: defaultdict[int | None, set[Seeds]] = defaultdict(set)
    for shots, pair in cells:
        seeds[shots].add(pair)
    shots_of: defaultdict[tuple[Seeds, ...], list[int | None]] = defaultdict(list)
    for shots, pairs in seeds.items():
        for part in _seed_axes(pairs):
            shots_of[part].append(shots)
    return [
        (sorted(shots, key=lambda one: (one is None, one or 0)), [*pairs])
        for pairs, shots in sorted(shots_of.items())
    ]


def _seed_axes(pairs: Iterable[Seeds]) -> list[tuple[Seeds, ...]]:
    """Seeds that one command can name: those that are the same twice, and the rest by data seed."""
    parts: defaultdict[int, list[Seeds]] = defaultdict(list)
    for data_seed, train_seed in sorted(pairs):
        parts[-1 if data_seed == train_seed else data_seed].append((data_seed, train_seed))
    return [tuple(part) for part in parts.values()]


def _command(
    labels: Sequence[str],
    options: Iterable[tuple[str, str]],
    shots: Sequence[int | None],
    seeds: Sequence[Seeds],
) -> str:
    words = ["ordbench", "run", "--head", ",".join(labels)]
    for name, value in options:
        words += [f"--{name}", value] if value else [f"--{name}"]
    words += ["--shots", ",".join("all" if one is None else str(one) for one in shots)]
    words += ["--seeds", number_ranges([train_seed for _, train_seed in seeds])]
    if seeds[0][0] != seeds[0][1]:
        words += ["--data-seed", str(seeds[0][0])]
    return shlex.join(words)


def number_ranges(numbers: Sequence[int]) -> str:
    """Rising numbers as `ordbench.utils.text.parse_numbers` reads them.

    >>> number_ranges([0, 1, 2, 7])
    '0-2,7'
    """
    starts = [0, *(at + 1 for at, (one, other) in enumerate(pairwise(numbers)) if other > one + 1)]
    runs = [numbers[start:end] for start, end in pairwise([*starts, len(numbers)])]
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
