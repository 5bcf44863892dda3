"""What `ordbench show` tells of one plug-in, gathered from its card, signature and docstrings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

from ordbench.plugins.head_card import head_card
from ordbench.plugins.option_docs import OptionDoc, about, argument_texts, option_docs
from ordbench.plugins.options import takes_argument
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS, PROTOCOLS

Kind = Literal["head", "dataset", "backbone", "protocol"]


@dataclass(frozen=True, kw_only=True)
class Description:
    """One plug-in.

    Attributes:
        kind: What it is.
        name: Its registered name.
        title: Its title in one line.
        about: The docstring of its class.
        package: Which package brings it, and its version.
        facts: What else its card says, by the names of the card.
        argument: What must be typed after its name and a colon; empty for most.
        argument_help: What that is.
        options: What may follow as ``KEY=VALUE``.
        recipe: How a head is trained; empty where it is not trained by steps.
        tuning: What ``--tune`` varies, with the values or the ends of the range that are tried.
    """

    kind: Kind
    name: str
    title: str
    about: str
    package: str
    facts: dict[str, object]
    argument: str = ""
    argument_help: str = ""
    options: list[OptionDoc] = field(default_factory=list[OptionDoc])
    recipe: dict[str, object] = field(default_factory=dict[str, object])
    tuning: dict[str, object] = field(default_factory=dict[str, object])

    @property
    def axes(self) -> dict[str, str]:
        """What ``--tune`` varies, in words."""
        return {name: _axis_text(axis) for name, axis in self.tuning.items()}

    def as_json(self) -> dict[str, object]:
        """All of it, the facts among the rest."""
        said = asdict(self)
        facts = said.pop("facts")
        return {**said, **facts, "options": [option._asdict() for option in self.options]}


def describe(kind: Kind, name: str) -> Description:
    """Gather what is known of the plug-in called ``name``.

    Raises:
        UnknownPluginError: If nobody offers it; near names are suggested.
        BrokenPluginError: If it cannot be imported.
    """
    tell = {"head": _head, "dataset": _dataset, "backbone": _backbone, "protocol": _protocol}
    return tell[kind](name)


def _head(name: str) -> Description:
    # Imported here so that datasets, backbones and protocols are shown without loading torch.
    from ordbench.recipe import LogUniform
    from ordbench.training.samplers import space_of

    head = HEADS[name]
    card = asdict(head_card(name))
    recipe = head.recipe if head.iterative else None
    space = space_of(recipe, head.search)
    return Description(
        kind="head",
        name=name,
        title=card.pop("title"),
        about=about(head),
        package=HEADS.package(name),
        facts=card,
        argument="ARGUMENT" if takes_argument(head) else "",
        argument_help=argument_texts(head).get("argument", ""),
        options=option_docs(head),
        recipe=recipe.model_dump() if recipe else {},
        tuning={
            key: axis._asdict() if isinstance(axis, LogUniform) else axis
            for key, axis in space.items()
        },
    )


def _dataset(name: str) -> Description:
    dataset = DATASETS[name]
    card = asdict(dataset.card)
    return Description(
        kind="dataset",
        name=name,
        title=card.pop("title"),
        about=about(dataset),
        package=DATASETS.package(name),
        argument=card.pop("argument"),
        argument_help=argument_texts(dataset).get("argument", "") if dataset.card.argument else "",
        facts=card,
        options=option_docs(dataset),
    )


def _backbone(name: str) -> Description:
    family = BACKBONES[name]
    return Description(
        kind="backbone",
        name=name,
        title=family.title,
        about=about(family),
        package=BACKBONES.package(name),
        facts={"source": family.source, "needs": family.needs, "libraries": family.libraries},
        argument="ARGUMENT",
    )


def _protocol(name: str) -> Description:
    protocol = PROTOCOLS[name]
    return Description(
        kind="protocol",
        name=name,
        title=protocol.title,
        about=about(protocol),
        package=PROTOCOLS.package(name),
        facts={
            "source": protocol.source,
            "ranked": protocol.ranked,
            "validates_on_test": protocol.validates_on_test,
        },
        options=option_docs(protocol),
    )


def _axis_text(axis: object) -> str:
    if isinstance(axis, dict):
        return f"{axis['low']:.2g} to {axis['high']:.2g}, by its logarithm"
    return ", ".join(map(str, axis)) if isinstance(axis, tuple) else str(axis)
