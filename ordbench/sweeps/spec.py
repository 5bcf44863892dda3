"""From what a user typed to the runs it means: a grid of heads, datasets, shots and seeds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from ordbench.errors import SpecError
from ordbench.plugins.options import resolve
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS
from ordbench.plugins.selection import chosen, is_pattern
from ordbench.recipe import Recipe
from ordbench.runs.spec import RunSpec
from ordbench.splits.manifest import read_manifest
from ordbench.sweeps.plan_file import read_plan
from ordbench.utils.text import items, parse_numbers


def parse_shots(texts: Iterable[str]) -> list[int | None]:
    """Read ``1,2,4,all``.

    Raises:
        SpecError: If an item is neither ``all`` nor a whole number of at least 1.

    >>> parse_shots(["1,2", "all"])
    [1, 2, None]
    """
    shots: list[int | None] = []
    for item in items(texts):
        if item == "all":
            shots.append(None)
        elif item.isdecimal() and int(item) >= 1:
            shots.append(int(item))
        else:
            raise SpecError(f"--shots {item}: wanted 'all' or a whole number of at least 1 a rank")
    return shots


def parse_recipe(texts: Iterable[str]) -> dict[str, str]:
    """Read ``KEY=VALUE``, each a field of a `Recipe`.

    Raises:
        SpecError: If there is no such field, or one is given twice.

    >>> parse_recipe(["learning-rate=0.5"])
    {'learning_rate': '0.5'}
    """
    changes: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise SpecError(f"--recipe {text}: wanted KEY=VALUE")
        name = key.replace("-", "_")
        if name not in Recipe.model_fields:
            near = get_close_matches(name, Recipe.model_fields) or Recipe.model_fields
            raise SpecError(f"--recipe {text}: there is no {key!r}; there is: {', '.join(near)}")
        if name in changes:
            raise SpecError(f"--recipe {text}: {name} is given twice; run once for each value")
        changes[name] = value
    return changes


def with_tuning(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings, with ``tune`` and ``sampler`` as one.

    Raises:
        SpecError: If there is a sampler alone.
    """
    kept = {name: value for name, value in settings.items() if name not in {"tune", "sampler"}}
    if "tune" not in settings:
        if "sampler" in settings:
            raise SpecError(f"--sampler {settings['sampler']}: add --tune, say --tune 20")
        return kept
    sampler = settings.get("sampler", "random")
    return {**kept, "tuning": {"budget": settings["tune"], "sampler": sampler}}


def spec_of(settings: Mapping[str, object]) -> RunSpec:
    """The run that settings describe.

    Raises:
        SpecError: If a value is not to be had; names its option, and what was wanted.
    """
    try:
        return RunSpec.model_validate(settings)
    except ValidationError as error:
        flags = [_flag(one["loc"]) for one in error.errors()]
        wanted = [one["msg"].removeprefix("Input should be ") for one in error.errors()]
        # Each member of a union has an error of its own.
        either = " or ".join(w for w, flag in zip(wanted, flags, strict=True) if flag == flags[0])
        raise SpecError(f"{flags[0]}{error.errors()[0]['input']}: wanted {either}") from None


def _flag(place: tuple[int | str, ...]) -> str:
    """How the value at a place of a `RunSpec` is typed."""
    match place:
        case ("recipe", key):
            return f"--recipe {key}="
        case ("tuning", key):
            return "--tune " if key == "budget" else f"--{key} "
        case _:
            return f"--{place[0]} ".replace("_", "-")


AXES = {
    "head": "heads",
    "dataset": "datasets",
    "backbone": "backbones",
    "shots": "shots",
    "seeds": "seeds",
    "fold": "folds",
    "recipe": "recipe",
}

SETTINGS = (
    "text",
    "layer",
    "normalize",
    "dtype",
    "protocol",
    "split",
    "data_seed",
    "train_seed",
    "tune",
    "sampler",
)

NAMES = frozenset(AXES) | frozenset(SETTINGS)


@dataclass(frozen=True, kw_only=True)
class SweepSpec:
    """The axes of a sweep, as typed; each takes comma-separated values.

    Attributes:
        heads: ``NAME[:KEY=VALUE]``; ``all`` and globs (``*clip``) mean what is installed.
        datasets: ``NAME[:ARGUMENT][:KEY=VALUE]``, with globs.
        backbones: ``FAMILY:ARGUMENT``.
        shots: Images a rank, or ``all``.
        seeds: Numbers and ranges (``0-4``); each is both data seed and train seed.
        folds: Numbers and ranges.
        recipe: ``KEY=VALUE``, put over each head's own recipe.
        settings: The other fields of `RunSpec`, the same for every run.
    """

    heads: Sequence[str]
    datasets: Sequence[str]
    backbones: Sequence[str] = ("clip:tiny",)
    shots: Sequence[str] = ("all",)
    seeds: Sequence[str] = ("0",)
    folds: Sequence[str] = ("0",)
    recipe: Sequence[str] = ()
    settings: Mapping[str, object] = field(default_factory=dict[str, object])

    @classmethod
    def of(cls, values: Mapping[str, Sequence[str]]) -> SweepSpec:
        """The grid of options as typed, by their long names.

        Args:
            values: For each of `NAMES` that was given, its values.

        Raises:
            SpecError: If there is no head or no dataset, or an axis is empty.

        >>> SweepSpec.of({"head": ["coral"], "dataset": ["utkface"], "seeds": ["0-2"]}).seeds
        ['0-2']
        """
        for name in ("head", "dataset"):
            if not items(values.get(name, ())):
                raise SpecError(
                    f"Missing option '--{name}'; ordbench ls {name}s says what there is"
                )
        for name in AXES:
            if name in values and not items(values[name]):
                raise SpecError(f"--{name} has no value")
        axes = {AXES[name]: texts for name, texts in values.items() if name in AXES}
        settings: dict[str, object] = {n: values[n][0] for n in SETTINGS if n in values}
        return cls(**axes, settings=with_tuning(settings))

    def named_heads(self) -> frozenset[str]:
        """The heads that were typed by name, so that ``all`` or a glob is not why they are here."""
        names = {PluginRef.parse(text).name for text in items(self.heads)}
        return frozenset(name for name in names if not is_pattern(name))

    def specs(self) -> list[RunSpec]:
        """Every combination, checked, with defaults filled in, in the order of the axes.

        Raises:
            OrdbenchError: If a name, an option or a number is not to be had.
        """
        heads = chosen(self.heads, HEADS)
        datasets = chosen(self.datasets, DATASETS)
        axes = itertools.product(
            datasets,
            items(self.backbones),
            parse_numbers(self.folds, "--fold"),
            parse_shots(self.shots),
            heads,
            parse_numbers(self.seeds, "--seeds"),
        )
        resolved = {head: head_settings(head, self.recipe) for head in map(str, heads)}
        specs: list[RunSpec] = []
        for dataset, backbone, fold, shots, head, seed in axes:
            settings = {
                **resolved[str(head)],
                **_dataset_settings(dataset),
                "backbone": backbone,
                "fold": fold,
                "shots": shots,
                "data_seed": seed,
                "train_seed": seed,
                **self.settings,
            }
            specs.append(spec_of(settings))
        return specs


def typed(plan: Path | None, **options: object) -> dict[str, list[str]]:
    """What a user typed, by long name: the options, over those of a plan file.

    Args:
        plan: YAML file, or None.
        options: Values of `NAMES`; None for those that were not given.

    Raises:
        SpecError: If the plan cannot be read, or a value that no option replaces is wrong; names
            the line.
    """
    values: dict[str, list[str]] = {}
    for name, value in options.items():
        if value is not None:
            texts = cast(list[object], value) if isinstance(value, list) else [value]
            values[name] = [_writable(str(text), name) for text in texts]

    def check(name: str, text: str) -> None:
        if name not in values:
            _check(name, text)

    return {**read_plan(plan, check, many=AXES, one=SETTINGS), **values} if plan else values


def _writable(text: str, name: str) -> str:
    """The same text, if a record can hold it: a path may have bytes that are no letters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        shown = text.encode(errors="backslashreplace").decode()
        raise SpecError(
            f"--{name.replace('_', '-')} {shown}: not all of it is UTF-8; rename it"
        ) from None
    return text


def _check(name: str, text: str) -> None:
    """Refuse one value as a grid of it would."""
    match name:
        case "head":
            for head in chosen([text], HEADS):
                head_settings(str(head))
        case "dataset":
            for dataset in chosen([text], DATASETS):
                _dataset_settings(dataset)
        case "backbone" | "text":
            for backbone in items([text]):
                BACKBONES.offer(PluginRef.parse(backbone).name)
        case "shots":
            parse_shots([text])
        case "seeds" | "fold":
            parse_numbers([text], f"--{name}")
        case "recipe":
            spec_of({"head": "", "dataset": "", "recipe": parse_recipe([text])})
        case "split":
            read_manifest(Path(text))
        case _:
            spec_of({"head": "", "dataset": "", **with_tuning({"tune": 1, name: text})})


def head_settings(text: str, overrides: Iterable[str] = ()) -> dict[str, object]:
    """The fields of a `RunSpec` that a head and a recipe, as typed, decide.

    Raises:
        OrdbenchError: If there is no such head, option or recipe.
    """
    choice = PluginRef.parse(text)
    head = HEADS[choice.name]
    if choice.argument:
        raise SpecError(
            f"head {text!r}: {choice.argument!r} is no KEY=VALUE; write {choice.name}:KEY=VALUE"
        )
    options = resolve(head, choice.options, owner=f"head {choice.name!r}")
    recipe = {**head.recipe.model_dump(), **parse_recipe(overrides)}
    return {"head": choice.name, "head_options": options, "recipe": recipe}


def _dataset_settings(choice: PluginRef) -> dict[str, object]:
    options = resolve(DATASETS[choice.name], choice.options, owner=f"dataset {choice.name!r}")
    return {
        "dataset": choice.name,
        "dataset_argument": choice.argument,
        "dataset_options": options,
    }


def resolved(spec: RunSpec) -> RunSpec:
    """The same run with every default filled in, so that one run has one description.

    Raises:
        OrdbenchError: As for `SweepSpec.specs`.
    """
    head = HEADS[spec.head]
    dataset = DATASETS[spec.dataset]
    return spec.model_copy(
        update={
            "head_options": resolve(head, spec.head_options, owner=f"head {spec.head!r}"),
            "dataset_options": resolve(
                dataset, spec.dataset_options, owner=f"dataset {spec.dataset!r}"
            ),
            "recipe": spec.recipe or head.recipe,
        }
    )
