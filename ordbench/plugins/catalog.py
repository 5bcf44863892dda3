"""What is installed, for `ordbench ls`: names, titles, sources and needs, without loading torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from ordbench.errors import OrdbenchError
from ordbench.plugins.head_card import head_card
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS, METRICS, PROTOCOLS, find_metric

Kind = Literal["heads", "datasets", "backbones", "protocols", "metrics"]


class Entry(NamedTuple):
    """One row: a plug-in, or why it cannot be used (``broken``)."""

    name: str
    title: str
    source: str
    needs: str
    broken: str = ""


def entries(kind: Kind) -> list[Entry]:
    """List the plug-ins of one kind by name; a broken one is a row, not an end."""
    names: dict[Kind, Iterable[str]] = {
        "heads": HEADS,
        "datasets": DATASETS,
        "backbones": BACKBONES,
        "protocols": PROTOCOLS,
        "metrics": METRICS,
    }
    return [entry(kind, name) for name in names[kind]]


def entry(kind: Kind, name: str) -> Entry:
    """What is to be known of one plug-in; ``broken`` says so where there is none of that name."""
    describe: dict[Kind, Callable[[str], Entry]] = {
        "heads": _head,
        "datasets": _dataset,
        "backbones": _backbone,
        "protocols": _protocol,
        "metrics": _metric,
    }
    try:
        return describe[kind](name)
    except OrdbenchError as error:
        return Entry(name, "", "", "", broken=str(error))


def _dataset(name: str) -> Entry:
    card = DATASETS[name].card
    needs = "nothing" if card.embedded else f"{card.how_to_get}; licence: {card.licence}"
    return Entry(name, card.title, card.source, needs)


def _backbone(name: str) -> Entry:
    family = BACKBONES[name]
    return Entry(name, family.title, family.source, family.needs)


def _protocol(name: str) -> Entry:
    protocol = PROTOCOLS[name]
    return Entry(name, protocol.title, protocol.source, "nothing")


def _metric(name: str) -> Entry:
    metric = find_metric(name)
    better = "higher" if metric.higher_is_better else "lower"
    unit = metric.unit.format(unit="units of the dataset")
    title = f"{metric.title} [{unit}], {better} is better"
    needs = "a posterior" if metric.of_posterior else "a head that is measured so"
    return Entry(name, title, "", needs if metric.of_posterior or metric.of_head else "nothing")


def _head(name: str) -> Entry:
    card = head_card(name)
    return Entry(name, card.title, card.source, card.needs)
