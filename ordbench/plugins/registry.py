"""Plug-ins by name: one entry-point group a kind, and no import before a name is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from ordbench.errors import BrokenPluginError, UnknownPluginError
from ordbench.metrics.on_demand import ON_DEMAND_METRICS
from ordbench.metrics.registry import (
    BUILTIN_DECODES,
    BUILTIN_METRICS,
    Metric,
    parse_cumulative_score,
)
from ordbench.utils.text import did_you_mean

if TYPE_CHECKING:
    from ordbench.backbone import BackboneFamily
    from ordbench.dataset import Dataset
    from ordbench.head import BaseHead
    from ordbench.metrics.registry import Decode
    from ordbench.protocol import SplitProtocol

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """The installed plug-ins of one kind: a read-only mapping from name to object.

    Args:
        kind: What error messages call one plug-in ("head").
        group: The entry-point group that packages fill ("ordbench.heads").
        builtin: Those that need no entry point; a package cannot replace them.
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, T] | None = None) -> None:
        self.kind = kind
        self.group = group
        self._builtin = builtin or {}

    def __getitem__(self, name: str) -> T:
        """Import the plug-in called ``name``.

        Raises:
            UnknownPluginError: If nobody offers ``name``; near names are suggested.
            BrokenPluginError: If two packages offer it, or if its import fails.
        """
        if name in self._builtin:
            return self._builtin[name]
        offer = self.offer(name)
        try:
            return cast(T, offer.load())
        except Exception as error:  # a plug-in may raise anything while it is imported
            raise BrokenPluginError(
                f"{self.kind} {name!r} of {_owner(offer)} cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error

    def offer(self, name: str) -> EntryPoint:
        """The one entry point called ``name``, not imported.

        Raises:
            UnknownPluginError: If nobody offers ``name``.
            BrokenPluginError: If two packages offer it.
        """
        offers = _distinct(_offers(self.group, *sys.path).select(name=name))
        if not offers:
            listed = "" if self.kind == "decode" else f" (see ordbench ls {self.kind}s)"
            raise UnknownPluginError(
                f"unknown {self.kind} {name!r}; {did_you_mean(name, self)}{listed}"
            )
        if len(offers) > 1:
            owners = " and ".join(sorted(_owner(offer) for offer in offers))
            raise BrokenPluginError(
                f"{self.kind} {name!r} is offered twice: by {owners}; uninstall one of them"
            )
        return offers[0]

    def package(self, name: str) -> str:
        """The package that offers ``name``, and its version.

        Raises:
            UnknownPluginError: As for `offer`.
            BrokenPluginError: As for `offer`.
        """
        package = self.offer(name).dist
        return f"{package.name} {package.version}" if package else "unknown"

    def __contains__(self, name: object) -> bool:
        """Whether it is installed; it is not imported."""
        return name in set(self)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._builtin, *_offers(self.group, *sys.path).names}))

    def __len__(self) -> int:
        return len({*self._builtin, *_offers(self.group, *sys.path).names})


@cache
def _offers(group: str, *path: str) -> EntryPoints:
    """What is offered on a search path: a walk through all installed packages takes 10 ms."""
    return entry_points(group=group)


def _distinct(offers: EntryPoints) -> list[EntryPoint]:
    """A package found twice on the path (a checkout and its install) offers a name once."""
    return list({_owner(offer): offer for offer in offers}.values())


def _owner(offer: EntryPoint) -> str:
    return f"{offer.dist.name if offer.dist else '?'} ({offer.value})"


HEADS: Registry[type[BaseHead]] = Registry("head", "ordbench.heads")
DATASETS: Registry[type[Dataset]] = Registry("dataset", "ordbench.datasets")
BACKBONES: Registry[type[BackboneFamily]] = Registry("backbone", "ordbench.backbones")
PROTOCOLS: Registry[type[SplitProtocol]] = Registry("protocol", "ordbench.protocols")
METRICS: Registry[Metric] = Registry(
    "metric", "ordbench.metrics", BUILTIN_METRICS | ON_DEMAND_METRICS
)
DECODES: Registry[Decode] = Registry("decode", "ordbench.decodes", BUILTIN_DECODES)


def find_metric(name: str) -> Metric:
    """The metric of that name; CS@k for any k, as ``cs@K``.

    Raises:
        UnknownPluginError: If nobody offers it.
        BrokenPluginError: If what a package offers is not a metric of that name.
    """
    metric = cast(object, parse_cumulative_score(name) or METRICS[name])  # packages may err
    if not isinstance(metric, Metric) or metric.name != name:
        raise BrokenPluginError(
            f"metric {name!r} must be an ordbench.Metric of that name, got {metric!r}"
        )
    return metric
