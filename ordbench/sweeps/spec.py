"""What a sweep is: a grid of heads, datasets, shots and seeds; typed, from YAML or from Python."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from ordbench.errors import OrdbenchError, SpecError, UnknownPluginError
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS
from ordbench.plugins.selection import chosen
from ordbench.recipe import Recipe
from ordbench.runs.spec import (
    RunSettings,
    RunSpec,
    dataset_name,
    dataset_settings,
    head_settings,
    of_given,
)
from ordbench.splits.draw import protocol_name
from ordbench.splits.formats import read_split
from ordbench.splits.split import Seed
from ordbench.sweeps.plan_file import PlanFile, read_plan
from ordbench.utils.text import did_you_mean, items, parse_numbers
from ordbench.utils.wording import wanted

SAID = "said"  # type of the validation errors whose text is a whole message


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


def parse_folds(texts: Iterable[str]) -> list[int | None]:
    """Read ``0-4,7`` or ``all``, which is None.

    Raises:
        SpecError: If an item is neither ``all`` nor a whole number nor a range.

    >>> parse_folds(["0-2", "all"])
    [0, 1, 2, None]
    """
    folds: list[int | None] = []
    for item in items(texts):
        folds += [None] if item == "all" else parse_numbers([item], "--fold", others="'all', ")
    return folds


def parse_recipe(texts: Iterable[str]) -> dict[str, Any]:
    """Read ``KEY=VALUE``, each a field of a `Recipe`.

    Raises:
        SpecError: If there is no such field, it does not take the value, or it is given twice.

    >>> parse_recipe(["learning-rate=0.5"])
    {'learning_rate': 0.5}
    """
    changes: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise SpecError(f"--recipe {text}: wanted KEY=VALUE")
        name = key.replace("-", "_")
        if name not in Recipe.model_fields:
            near = did_you_mean(name, Recipe.model_fields)
            raise SpecError(f"--recipe {text}: unknown key {key!r}; {near}")
        if name in changes:
            raise SpecError(f"--recipe {text}: {name} is given twice; run once for each value")
        try:
            changes[name] = getattr(Recipe.model_validate({name: value}), name)
        except ValidationError as error:
            raise SpecError(f"--recipe {name}={value}: {wanted(error.errors())}") from None
    return changes


def _texts(value: object) -> list[str]:
    """One value, many or a mapping, as texts."""
    if isinstance(value, Mapping):
        return [f"{key}={item}" for key, item in cast("Mapping[str, object]", value).items()]
    if isinstance(value, str) or not isinstance(value, Iterable):
        value = [value]
    return ["all" if one is None else str(one) for one in cast("Iterable[object]", value)]


def _axis(read: Callable[[str], Sequence[object]]) -> BeforeValidator:
    """Reads comma-separated values one by one, so that an error says which is wrong."""

    def validate(value: object, info: ValidationInfo) -> list[object]:
        found: dict[object, None] = {}
        before: list[str] = []
        for text in items(_texts(value)):
            found |= dict.fromkeys(_checked(text, partial(_read_after, before, read)))
            before.append(text)
        if not found:
            raise _error("", f"--{info.field_name} has no value")
        return list(found)

    return BeforeValidator(validate)


def _read_after(
    before: Sequence[str], read: Callable[[str], Sequence[object]], text: str
) -> Sequence[object]:
    """Read a value; an unknown name behind an option may belong to the list in it.

    Raises:
        OrdbenchError: As ``read`` does.
    """
    try:
        return read(text)
    except UnknownPluginError as error:
        option = re.fullmatch(r".*:([\w-]+)=[^:]+", before[-1]) if before else None
        if not option:
            raise
        raise UnknownPluginError(
            f"{error}; values in the option {option[1]} are separated by semicolons: "
            + shlex.quote(f"{before[-1]};{text}")
        ) from None


def _checked(text: str, read: Callable[[str], Any]) -> Any:  # noqa: ANN401 - what `read` returns
    try:
        return read(text)
    except OrdbenchError as error:
        raise _error(text, str(error)) from None


def _error(text: str, said: str) -> PydanticCustomError:
    return PydanticCustomError(SAID, "{said}", {"said": said, "text": text})


def _head(text: str) -> list[str]:
    for ref in chosen([text], HEADS):
        head_settings(str(ref))
    return [text]


def _dataset(text: str) -> list[str]:
    for ref in chosen([text], DATASETS):
        dataset_settings(str(ref))
    return [text]


def _backbone(text: str) -> list[str]:
    BACKBONES.offer(PluginRef.parse(text).name)
    return [text]


def _text(value: str) -> str:
    return value and str(_checked(value, lambda text: _backbone(text)[0]))


def _protocol(value: str) -> str:
    return str(_checked(value, protocol_name))


def _test_dataset(value: str) -> str:
    return str(_checked(value, dataset_name))


def _recipe(value: object) -> dict[str, Any]:
    texts = _texts(value)
    for text in texts:
        _checked(text, lambda text: parse_recipe([text]))
    return cast("dict[str, Any]", _checked(", ".join(texts), lambda _: parse_recipe(texts)))


def _given_split(path: Path) -> Path:
    _checked(str(path), lambda _: read_split(path))
    return path


class SweepSpec(RunSettings):
    """A sweep: every combination of its heads, datasets, backbones, shots, folds and seeds.

    Those take one value or many, comma-separated texts too. The other fields hold for every run;
    some of them are those of `RunSettings`.

    Attributes:
        head: ``NAME[:KEY=VALUE]``; ``all`` and globs (``*clip``) mean what is installed.
        dataset: ``NAME[:ARGUMENT][:KEY=VALUE]``, ``all`` and globs too.
        backbone: ``FAMILY:ARGUMENT``. Left out, it is ``none`` for datasets that bring features.
        shots: Training images a rank; None or ``all`` for all images.
        seeds: Numbers and ranges (``0-4``); each is the data seed and the train seed of a run.
        fold: Test folds; numbers and ranges. None or ``all`` for all that a dataset has.
        text: Backbone whose text tower prompt heads use; empty for the backbone's own.
        split: Manifest or lists of the split to use in place of drawn ones. A manifest sets shots,
            fold and data seed where these are left out.
        recipe: Changes of each head's own recipe, by field.
        tune: Hyper-parameter trials a run; None for none.
        sampler: Search method of the tuning.
        data_seed: Data seed of all runs, in place of ``seeds``.
        train_seed: Train seed of all runs, in place of ``seeds``.
        save_heads: Whether trained heads are kept beside the records; in no run id.

    Raises:
        ValidationError: If a value cannot be used; `from_options` makes one line of it.
    """

    head: Annotated[tuple[str, ...], _axis(_head)]
    dataset: Annotated[tuple[str, ...], _axis(_dataset)]
    backbone: Annotated[tuple[str, ...], _axis(_backbone)] = ("clip:tiny",)
    shots: Annotated[tuple[int | None, ...], _axis(lambda text: parse_shots([text]))] = (None,)
    seeds: Annotated[tuple[int, ...], _axis(lambda text: parse_numbers([text], "--seeds"))] = (0,)
    fold: Annotated[tuple[int | None, ...], _axis(lambda text: parse_folds([text]))] = (0,)
    text: Annotated[str, AfterValidator(_text)] = ""
    protocol: Annotated[str, AfterValidator(_protocol)] = "standard"
    test_dataset: Annotated[str, AfterValidator(_test_dataset)] = ""
    split: Annotated[Path, AfterValidator(_given_split)] | None = None
    recipe: Annotated[dict[str, Any], BeforeValidator(_recipe)] = Field(default_factory=dict)
    tune: int | None = Field(default=None, ge=1)
    sampler: Literal["random", "grid", "optuna"] | None = None
    data_seed: Seed | None = None
    train_seed: Seed | None = None
    save_heads: bool = True

    @model_validator(mode="after")
    def _sampler_of_a_tuning(self) -> Self:
        if self.sampler and not self.tune:
            raise _error("", f"--sampler {self.sampler}: add --tune, say --tune 20")
        return self

    @classmethod
    def from_options(cls, plan: Path | None = None, **options: object) -> Self:
        """The sweep that options describe, over those of a plan file.

        Args:
            plan: YAML file of options; see `read_plan`.
            options: Values by field; None for those that were not given.

        Raises:
            SpecError: If a value cannot be used; names its option, or its line in the plan.

        >>> SweepSpec.from_options(head="linear", dataset="drawn-faces", seeds="0-2,7").seeds
        (0, 1, 2, 7)
        """
        given = {name: value for name, value in options.items() if value is not None}
        for name, value in given.items():
            for text in _texts(value):
                _refuse_undecodable(name, text)
        read = read_plan(plan, known=cls.model_fields, many=MANY) if plan else PlanFile({})
        read = PlanFile({name: found for name, found in read.values.items() if name not in given})
        try:
            return cls.model_validate(read.texts(MANY) | given)
        except ValidationError as error:
            raise SpecError(_one_line(error.errors(), read)) from None

    def expand(self, folds_of: Callable[[RunSpec], Iterable[int]] | None = None) -> list[RunSpec]:
        """Every run, with defaults filled in, in the order of the axes.

        Args:
            folds_of: Gives all folds of the dataset of a run, where they are asked for; see
                `ordbench.sweeps.folds`.

        Raises:
            OrdbenchError: If a plug-in cannot be loaded.
            SpecError: If all folds are asked for, but not given.
        """
        shared = self.model_dump(include=set(RunSettings.model_fields)) | {"text": self.text}
        if self.tune:
            shared["tuning"] = {"budget": self.tune, "sampler": self.sampler or "random"}
        seeds = {"data_seed": self.data_seed, "train_seed": self.train_seed}
        fixed: dict[str, Any] = {name: seed for name, seed in seeds.items() if seed is not None}
        if self.split:
            fixed |= of_given(read_split(self.split), given=self.model_fields_set - {"split"})
        heads = [head_settings(str(ref)) for ref in chosen(self.head, HEADS)]
        for head in heads:
            head["recipe"] = head["recipe"].model_copy(update=self.recipe)
        datasets = [dataset_settings(str(ref)) for ref in chosen(self.dataset, DATASETS)]
        backbones: list[dict[str, Any]] = [{"backbone": name} for name in self.backbone]
        if "backbone" not in self.model_fields_set:
            backbones = [{}]  # each dataset has its default
        runs: list[RunSpec] = []
        for dataset, backbone in itertools.product(datasets, backbones):
            first = RunSpec.model_validate(shared | {**dataset, **heads[0], **backbone} | fixed)
            folds = self._folds(first, folds_of)
            runs += [
                RunSpec.model_validate(
                    shared
                    | {**dataset, **head, **backbone, "fold": fold, "shots": shots}
                    | {"data_seed": seed, "train_seed": seed}
                    | fixed
                )
                for fold, shots, head, seed in itertools.product(
                    folds, self.shots, heads, self.seeds
                )
            ]
        return runs

    def _folds(
        self, run: RunSpec, folds_of: Callable[[RunSpec], Iterable[int]] | None
    ) -> list[int]:
        """The folds of the dataset of a run, each once."""
        folds: dict[int, None] = {}
        for fold in self.fold:
            if fold is not None:
                folds[fold] = None
            elif folds_of:
                folds |= dict.fromkeys(folds_of(run))
            else:
                raise SpecError("--fold all: the datasets say which folds there are; give folds_of")
        return list(folds)


MANY = {"head", "dataset", "backbone", "shots", "seeds", "fold", "recipe"}
"""Fields that may have several values in a plan."""


def _refuse_undecodable(name: str, text: str) -> None:
    """A path may have bytes that are no letters, which no record can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        shown = text.encode(errors="backslashreplace").decode()
        raise SpecError(f"{_flag(name)} {shown}: not all of it is UTF-8; rename it") from None


def _one_line(errors: Sequence[ErrorDetails], plan: PlanFile) -> str:
    """The first error, by its option or by its line in the plan; what is missing comes last."""
    first = min(errors, key=lambda error: error["type"] == "missing")
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "missing":
        return f"Missing option '--{name}'; ordbench ls {name}s says what there is"
    if first["type"] == SAID:
        context = first.get("ctx", {})
        said, text = context["said"], context["text"]
    else:
        text = str(first["input"])
        either = [error for error in errors if error["loc"][:1] == first["loc"][:1]]
        said = f"{_flag(name)} {text}: {wanted(either)}"
    place = plan.place(name, text)
    return f"{place}: {said.removeprefix('--')}" if place else said


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
