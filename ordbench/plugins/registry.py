"""Plug-ins by name: one entry-point group a kind, and no import before a name is asked for."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import Distribution, EntryPoint, EntryPoints, entry_points
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from ordbench.errors import BrokenPluginError, OrdbenchError, UnknownPluginError
from ordbench.metrics.on_demand import ON_DEMAND_METRICS, parse_interval_metric
from ordbench.metrics.registry import (
    BUILTIN_DECODES,
    BUILTIN_METRICS,
    Metric,
    parse_cumulative_score,
    parse_ordinality,
)
from ordbench.plugins.contract import Contract
from ordbench.utils.files import expanded
from ordbench.utils.text import did_you_mean, one_line

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
        fault: Says why something cannot be such a plug-in, empty if it can; None where those who
            use it check it.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        builtin: Mapping[str, T] | None = None,
        fault: Callable[[object], str] | None = None,
    ) -> None:
        self.kind = kind
        self.group = group
        self._builtin = builtin or {}
        self._fault = fault

    def __getitem__(self, name: str) -> T:
        """Import the plug-in called ``name``.

        Raises:
            UnknownPluginError: If nobody offers ``name``; near names are suggested.
            BrokenPluginError: If two packages offer it, its import fails, or it is not what
                plug-ins of this kind must be.
        """
        if name in self._builtin:
            return self._builtin[name]
        return self.load(self.offer(name))

    def load(self, offer: EntryPoint) -> T:
        """Import what an entry point names, which no package need offer.

        Raises:
            BrokenPluginError: If its import fails, or it is not what plug-ins of this kind must be.
        """
        what = f"{self.kind} {offer.name!r}"
        if offer.dist is not None:
            what = f"{what} of {_owner(offer)}"
        if not offer.pattern.match(offer.value):
            raise BrokenPluginError(f"{what}: wanted MODULE:NAME behind its entry point")
        try:
            plugin = cast(object, offer.load())
        except (Exception, SystemExit) as error:  # a plug-in may raise anything while imported
            raise BrokenPluginError(
                f"{what} cannot be imported: {type(error).__name__}: {one_line(error)}"
            ) from error
        if self._fault and (fault := self._fault(plugin)):
            raise BrokenPluginError(f"{what} cannot be used: {fault}")
        return cast(T, plugin)

    def offer(self, name: str) -> EntryPoint:
        """The one entry point called ``name``, not imported.

        Raises:
            UnknownPluginError: If nobody offers ``name``.
            BrokenPluginError: If two packages offer it, or its name cannot be typed.
        """
        offers = _distinct(_offers(self.group, *sys.path).select(name=name))
        if not offers:
            listed = "" if self.kind == "decode" else f" (see ordbench ls {self.kind}s)"
            raise UnknownPluginError(f"unknown {self.kind} {name!r}; {self._advice(name)}{listed}")
        if len(offers) > 1:
            owners = " and ".join(sorted(_owner(offer) for offer in offers))
            raise BrokenPluginError(
                f"{self.kind} {name!r} is offered twice: by {owners}; uninstall one of them"
            )
        if name == "all" or not name.isprintable() or re.search(r'[:,*?\[\]"]', name):
            raise BrokenPluginError(
                f"{self.kind} {name!r} of {_owner(offers[0])} cannot be typed: 'all' and the "
                'characters : , * ? [ ] " mean something else; rename its entry point'
            )
        return offers[0]

    def _advice(self, name: str) -> str:
        """What to type in place of a name that nobody offers."""
        before, equals, after = name.partition("=")
        if equals and before in self:
            return f"write {before}:{after}"
        family = f"; write FAMILY:{name}" if self.kind == "backbone" else ""
        return did_you_mean(name, self) + family

    def package(self, name: str) -> str:
        """The package that offers ``name``, and its version.

        Raises:
            UnknownPluginError: As for `offer`.
            BrokenPluginError: As for `offer`.
        """
        return " ".join(next(iter(self.owner(name).items()), ("unknown",)))

    def owner(self, name: str) -> dict[str, str]:
        """The version of the package that offers ``name``, by its name; empty if unknown.

        Raises:
            UnknownPluginError: As for `offer`.
            BrokenPluginError: As for `offer`.
        """
        return _package(self.offer(name))

    @contextmanager
    def blamed(self, name: str, doing: str) -> Generator[None]:
        """Make one line of whatever a stranger's plug-in raises meanwhile.

        Errors of ordbench and of files go on as they are, and so does what its own plug-ins raise.

        Args:
            name: The plug-in that is at work.
            doing: What it cannot do then, for the error ("cannot be read").
        """
        try:
            yield
        except (OrdbenchError, OSError):
            raise
        except Exception as error:
            if "ordbench" in self.owner(name):
                raise
            raise BrokenPluginError(
                f"{self.kind} {name!r} of {_owner(self.offer(name))} {doing}: "
                f"{type(error).__name__}: {one_line(error)}"
            ) from error

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


def _package(offer: EntryPoint) -> dict[str, str]:
    """Name and version of the package behind an entry point; empty if its metadata lack them."""
    return dict(_named(offer.dist))


@cache
def _named(package: Distribution | None) -> dict[str, str]:
    """Its name and version; the metadata of ordbench take 2 ms to read."""
    named = package is not None and package.metadata["Name"] and package.metadata["Version"]
    return {package.name: package.version} if package and named else {}


def _owner(offer: EntryPoint) -> str:
    return f"{next(iter(_package(offer)), '?')} ({offer.value})"


class _Datasets(Registry["type[Dataset]"]):
    """The datasets; what looks like a path is answered with those that read such files."""

    def _advice(self, name: str) -> str:
        if name.partition("=")[0] in self:
            return super()._advice(name)
        path = expanded(name)
        ending = "/" if path.is_dir() or not path.suffix else path.suffix.lower()
        looks = path.exists() or "/" in name or "\\" in name or ending != "/"
        readers = [other for other in self if ending in self._reads(other)] if looks else []
        typed = [f"{reader}:{name}" for reader in readers]
        return f"for a path, write {' or '.join(typed)}" if typed else super()._advice(name)

    def _reads(self, name: str) -> tuple[str, ...]:
        try:
            return self[name].card.reads
        except BrokenPluginError:
            return ()


_TEXT = "builtins:str"


HEADS: Registry[type[BaseHead]] = Registry(
    "head",
    "ordbench.heads",
    fault=Contract(
        base="ordbench.head:BaseHead",
        called="ordbench.Head or ordbench.PointHead",
        facts={"recipe": "ordbench.recipe:Recipe"},
    ).fault,
)
DATASETS: Registry[type[Dataset]] = _Datasets(
    "dataset",
    "ordbench.datasets",
    fault=Contract(
        base="ordbench.dataset:Dataset",
        called="ordbench.Dataset",
        facts={"card": "ordbench.dataset:DatasetCard"},
    ).fault,
)
BACKBONES: Registry[type[BackboneFamily]] = Registry(
    "backbone",
    "ordbench.backbones",
    fault=Contract(
        base="ordbench.backbone:BackboneFamily",
        called="ordbench.BackboneFamily",
        facts={"title": _TEXT, "source": _TEXT, "needs": _TEXT},
    ).fault,
)
PROTOCOLS: Registry[type[SplitProtocol]] = Registry(
    "protocol",
    "ordbench.protocols",
    fault=Contract(
        base="ordbench.protocol:SplitProtocol",
        called="ordbench.SplitProtocol",
        facts={"title": _TEXT},
    ).fault,
)
METRICS: Registry[Metric] = Registry(
    "metric", "ordbench.metrics", BUILTIN_METRICS | ON_DEMAND_METRICS
)
DECODES: Registry[Decode] = Registry(
    "decode",
    "ordbench.decodes",
    BUILTIN_DECODES,
    lambda plugin: "" if callable(plugin) else f"wanted a function, got {plugin!r}",
)


_FAMILIES = (parse_cumulative_score, parse_ordinality, parse_interval_metric)


def find_metric(name: str) -> Metric:
    """The metric of that name; of families such as ``cs@K`` for any K.

    Raises:
        UnknownPluginError: If nobody offers it.
        BrokenPluginError: If what a package offers is not a metric of that name.
    """
    parsed = next(filter(None, (parse(name) for parse in _FAMILIES)), None)
    metric = cast(object, parsed or METRICS[name])  # packages may err
    if not isinstance(metric, Metric) or metric.name != name:
        raise BrokenPluginError(
            f"metric {name!r} must be an ordbench.Metric of that name, got {metric!r}"
        )
    return metric
