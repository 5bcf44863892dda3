"""What one run is: a frozen description from which the run can be done again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from ordbench.backbone import Dtype, Layer
from ordbench.errors import SpecError
from ordbench.plugins.options import changed, resolve, takes_argument
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import DATASETS, HEADS
from ordbench.recipe import OptionValue, Recipe
from ordbench.splits.draw import protocol_name
from ordbench.splits.list_files import SplitLists
from ordbench.splits.split import Seed, Split
from ordbench.training.samplers import Tuning

NO_BACKBONE = "none"
"""The backbone of a run on a dataset that brings features."""


class RunSettings(BaseModel):
    """What a run and a sweep say in the same words.

    Attributes:
        layer: Features after (``post``) or before (``pre``) the projection into the joint space.
        normalize: Whether features are brought to unit length.
        dtype: Arithmetic of the image tower; ``auto`` is settled by the device.
        protocol: ``NAME[:KEY=VALUE]``. ``standard`` selects on validation; ``paper`` selects on
            test as the OrdinalCLIP code does, and is never ranked with the others.
        test_dataset: Dataset whose samples are tested, as typed; empty for samples of the one that
            trains. Its hashes stand in the run id in its place.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: Layer = "post"
    normalize: bool = False
    dtype: Dtype | Literal["auto"] = "auto"
    protocol: str = "standard"
    test_dataset: str = ""

    @model_serializer(mode="wrap")
    def _without_unused(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what few runs have: a run is described as before there was such a field."""
        described: dict[str, object] = dump(self)
        if not self.test_dataset:
            described.pop("test_dataset", None)
        return described


class RunSpec(RunSettings):
    """One training of one head and its test. Its other fields are those of `RunSettings`.

    Attributes:
        head: Name of the head, or with its options as typed: ``coop:context_tokens=4``.
        head_options: Its options, defaults filled in.
        dataset: Name of the dataset, or as typed: ``folder:PATH:KEY=VALUE``.
        dataset_argument: What stands after the colon (a path); never part of the run id.
        dataset_options: Its options, defaults filled in; the labels that they lead to stand in the
            run id in their place.
        backbone: ``FAMILY:ARGUMENT``; a path after ``@`` is never part of the run id. ``none`` for
            a dataset that brings features, and the default there.
        text: Backbone whose text tower is prompted; empty for the backbone's own.
        fold: Which fold is the test fold.
        split: SHA-256 of the split manifest or lists that a user gave, or empty; in a record, that
            of the split.
        shots: Training images a rank; None for all.
        data_seed: Draws the few-shot set.
        train_seed: Starts the head and orders the batches.
        recipe: How the head is trained; None for the head's own recipe.
        tuning: How many settings around that are tried on validation; None for none.
    """

    head: str
    head_options: dict[str, OptionValue] = Field(default_factory=dict)
    dataset: str
    dataset_argument: str = ""
    dataset_options: dict[str, OptionValue] = Field(default_factory=dict)
    backbone: str = "clip:tiny"
    text: str = ""
    fold: int = Field(default=0, ge=0)
    split: str = ""
    shots: int | None = Field(default=None, ge=1)
    data_seed: Seed = 0
    train_seed: Seed = 0
    recipe: Recipe | None = None
    tuning: Tuning | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, fields: object) -> object:
        """Read ``folder:PATH`` and ``coop:KEY=VALUE`` as the command line does."""
        if not isinstance(fields, dict):
            return fields
        for kind in ("head", "dataset"):
            text = fields.get(kind)
            if not isinstance(text, str) or ":" not in text:
                continue
            ref = PluginRef.parse(text)
            options = _head_options(ref) if kind == "head" else ref.options
            typed: dict[str, object] = {kind: ref.name, f"{kind}_options": options}
            if ref.argument and kind == "dataset":
                typed[f"{kind}_argument"] = ref.argument
            if twice := sorted(typed.keys() & fields.keys() - {kind}):
                raise ValueError(f"{kind}={text!r} says {twice[0]} too; give it once")
            fields = {**fields, **typed}
        if "backbone" not in fields and _brings_features(str(fields.get("dataset", ""))):
            return {**fields, "backbone": NO_BACKBONE}
        return fields

    @field_validator("text")
    @classmethod
    def _own_needs_no_name(cls, text: str, so_far: ValidationInfo) -> str:
        """The backbone's own tower, by name, is no other run: its features need no projection."""
        return "" if text == so_far.data.get("backbone") else text


def datasets_of(spec: RunSpec) -> list[str]:
    """Names of the datasets that a run reads: the one that trains, and the one that is tested."""
    tested = [PluginRef.parse(spec.test_dataset).name] if spec.test_dataset else []
    return [spec.dataset, *tested]


def is_aligned(spec: RunSpec) -> bool:
    """Whether the features lie in the joint space of the text tower that a head would prompt."""
    return not spec.text and spec.layer == "post"


def _brings_features(dataset: str) -> bool:
    return dataset in DATASETS and DATASETS[dataset].card.brings_features


def check_backbone(spec: RunSpec) -> None:
    """Refuse a backbone for a dataset that brings features, and none for one that has images.

    Raises:
        SpecError: Naming the dataset and the backbone.
    """
    datasets = datasets_of(spec)
    if len({_brings_features(dataset) for dataset in datasets}) > 1:
        raise SpecError(
            f"--test-dataset {spec.test_dataset}: one of {' and '.join(datasets)} brings features, "
            "the other one has images; take two of a kind"
        )
    for dataset in datasets:
        if _brings_features(dataset):
            if spec.backbone != NO_BACKBONE:
                raise SpecError(
                    f"--backbone {spec.backbone}: dataset {dataset!r} brings its features and has "
                    f"no images; leave --backbone out, or write --backbone {NO_BACKBONE}"
                )
        elif PluginRef.parse(spec.backbone).name == NO_BACKBONE:
            raise SpecError(
                f"--backbone {spec.backbone}: dataset {dataset!r} has images and no features; "
                "take clip:MODEL/PRETRAINED or timm:NAME"
            )


def _head_options(ref: PluginRef) -> dict[str, str]:
    """The options of a head, of which what stands after its name is one."""
    return {**ref.options, **({"argument": ref.argument} if ref.argument else {})}


def head_settings(text: str) -> dict[str, Any]:
    """The fields of a `RunSpec` that a head, as typed, sets: name, options and recipe.

    Raises:
        OrdbenchError: If there is no such head or option.
    """
    ref = PluginRef.parse(text)
    head = HEADS[ref.name]
    if ref.argument and not takes_argument(head):
        raise SpecError(
            f"head {text!r}: {ref.argument!r} is not KEY=VALUE; write {ref.name}:KEY=VALUE"
        )
    options = resolve(head, _head_options(ref), owner=f"head {ref.name!r}")
    return {"head": ref.name, "head_options": options, "recipe": head.recipe}


def dataset_settings(text: str) -> dict[str, Any]:
    """The fields of a `RunSpec` that a dataset, as typed, sets.

    Raises:
        OrdbenchError: If there is no such dataset or option.
    """
    ref = PluginRef.parse(text)
    options = resolve(DATASETS[ref.name], ref.options, owner=f"dataset {ref.name!r}")
    return {"dataset": ref.name, "dataset_argument": ref.argument, "dataset_options": options}


def dataset_name(text: str) -> str:
    """A dataset as typed, without options that are the default; empty for none.

    Raises:
        OrdbenchError: If there is no such dataset or option.

    >>> dataset_name("drawn-faces:seed=0:per_rank=5")
    'drawn-faces:per_rank=5'
    """
    if not text:
        return ""
    ref = PluginRef.parse(text)
    plugin = DATASETS[ref.name]
    options = resolve(plugin, ref.options, owner=f"dataset {ref.name!r}")
    return str(PluginRef(ref.name, ref.argument, changed(plugin, options)))


def resolved(spec: RunSpec) -> RunSpec:
    """The same run with every default filled in, so that one run has one description.

    Raises:
        OrdbenchError: If there is no such head, dataset, protocol or option.
    """
    head, dataset = HEADS[spec.head], DATASETS[spec.dataset]
    return spec.model_copy(
        update={
            "head_options": resolve(head, spec.head_options, owner=f"head {spec.head!r}"),
            "dataset_options": resolve(
                dataset, spec.dataset_options, owner=f"dataset {spec.dataset!r}"
            ),
            "recipe": spec.recipe or head.recipe,
            "protocol": protocol_name(spec.protocol),
            "test_dataset": dataset_name(spec.test_dataset),
        }
    )


def of_given(split: Split | SplitLists, given: Collection[str]) -> dict[str, Any]:
    """The fields of a `RunSpec` that a split from a file sets where they are not given."""
    said = ("shots", "fold", "data_seed") if isinstance(split, Split) else ()
    fields = {name: getattr(split, name) for name in said}
    fields["split"] = split.hash
    return {name: value for name, value in fields.items() if name not in given}
