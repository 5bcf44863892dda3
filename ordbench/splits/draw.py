"""Which image goes where: a protocol draws the split, and what it draws is checked.

Test images depend on the dataset and the fold alone, so that two runs of different seeds are tested
on the same images. In few-shot the training images of n shots lie within those of more shots.
"""

from __future__ import annotations

from collections.abc import Iterable

from ordbench.dataset import Sample, Samples
from ordbench.errors import SpecError
from ordbench.plugins.options import changed, resolve
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import PROTOCOLS
from ordbench.protocol import SplitProtocol
from ordbench.recipe import OptionValue
from ordbench.splits.split import (
    Split,
    check,
    check_tested,
    leaks,
    notes,
    short,
    with_own_ranks,
)


def draw(
    listing: Samples,
    *,
    dataset: str,
    protocol: str,
    fold: int,
    shots: int | None,
    data_seed: int,
) -> Split:
    """Draw the split of one run.

    Args:
        listing: The dataset as it was read.
        dataset: Its registered name; it salts the draw.
        protocol: As typed, ``NAME[:KEY=VALUE]``.
        fold: Which fold is tested.
        shots: Training images a rank; None for all.
        data_seed: Draws the few-shot set, another one in each fold; without shots nothing depends
            on it, unless the protocol is seeded.

    Raises:
        SpecError: If there is no such protocol or fold, or if no rank has that many images.
        DatasetError: If a part is empty, or if a person or a picture is in two parts.
    """
    drawn_by = open_protocol(protocol)
    with PROTOCOLS.blamed(PluginRef.parse(protocol).name, "draws no split"):
        parts = drawn_by.parts(
            listing, dataset=dataset, fold=fold, shots=shots, data_seed=data_seed
        )
        division = drawn_by.division(listing)
    paper, where = drawn_by.validates_on_test, f"{dataset}, fold {fold}"
    parts, train_ranks = with_own_ranks(parts, listing, where=where)
    check(parts, listing, where=where, paper=paper)
    check_tested(parts, listing, protocol=protocol)
    return Split(
        dataset=dataset,
        train=_names(parts.train),
        val=_names(parts.val),
        test=_names(parts.test),
        protocol=protocol,
        fold=fold,
        shots=shots,
        data_seed=data_seed,
        leaks=leaks(parts, paper=paper),
        short=short(parts.train, listing.task.num_ranks, shots),
        notes=notes(parts, listing, shots=shots, paper=paper, changed=len(train_ranks)),
        division=division,
        train_ranks=train_ranks,
    )


def open_protocol(text: str) -> SplitProtocol:
    """The protocol that ``NAME[:KEY=VALUE]`` names.

    Raises:
        SpecError: If it has no such option.
        UnknownPluginError: If there is no such protocol.
    """
    plugin, options = _looked_up(text)
    return plugin(**options)


def protocol_name(text: str) -> str:
    """A protocol as typed, without options that are the default.

    Raises:
        OrdbenchError: As `open_protocol`.

    >>> protocol_name("standard")
    'standard'
    """
    plugin, options = _looked_up(text)
    return str(PluginRef(PluginRef.parse(text).name, options=changed(plugin, options)))


def _looked_up(text: str) -> tuple[type[SplitProtocol], dict[str, OptionValue]]:
    ref = PluginRef.parse(text)
    plugin = PROTOCOLS[ref.name]
    if ref.argument:
        raise SpecError(f"--protocol {text}: {ref.argument!r} is not KEY=VALUE")
    try:
        return plugin, resolve(plugin, ref.options, owner=f"protocol {ref.name!r}")
    except SpecError as error:
        raise SpecError(f"{error}; {ref.name}: {plugin.title}") from None


def _names(samples: Iterable[Sample]) -> tuple[str, ...]:
    return tuple(sorted(sample.name for sample in samples))
