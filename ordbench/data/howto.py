"""How to get a dataset, step by step, from its card."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ordbench.data.status import folder_of
from ordbench.dataset import DatasetCard, downloadable
from ordbench.plugins.registry import DATASETS


class Step(NamedTuple):
    """What to do next: a sentence, and the command that does it, if there is one."""

    text: str
    command: str = ""


def steps(
    name: str,
    data_root: Path | None = None,
    cache: Path | None = None,
    *,
    argument: str = "",
    here: bool = False,
) -> list[Step]:
    """What a newcomer does, from nothing to the first run.

    Args:
        name: Registered name of the dataset.
        data_root: As for `ordbench.data.paths.resolve_root`; the commands repeat it.
        cache: As for `ordbench.data.paths.resolve_cache`.
        argument: What is typed after the name; empty for the word that the card has for it.
        here: Whether it is there already, so that it need not be got.

    Raises:
        UnknownPluginError: If there is none of that name.
        BrokenPluginError: If it cannot be imported.
    """
    plugin = DATASETS[name]
    card = plugin.card
    folder = folder_of(name, card, data_root, cache)
    typed = name
    if card.argument:
        typed = shlex.quote(f"{name}:{argument or card.argument}")
    elsewhere = data_root and folder and not card.embedded
    flag = f" --data-root {shlex.quote(str(data_root))}" if elsewhere else ""
    backbone = "" if card.embedded or card.brings_features else " --backbone clip:ViT-B-16/openai"
    use = "Use it; the backbone's weights are downloaded once." if backbone else "Use it."
    get = Step("Download it, or do the next steps by hand.", f"ordbench data get {typed}{flag}")
    return [
        *([get] if downloadable(plugin) and not here else []),
        *(_by_hand(card, folder) if not here else ()),
        *([Step("See its options.", f"ordbench show dataset {name}")] if card.argument else []),
        Step("Check it.", f"ordbench data verify {typed}{flag}"),
        Step(use, f"ordbench run --head linear --dataset {typed}{backbone}{flag}"),
    ]


def _by_hand(card: DatasetCard, folder: Path | None) -> Iterator[Step]:
    what = f"{card.how_to_get[0].upper()}{card.how_to_get[1:]}."
    if card.embedded:
        yield Step(what)
    elif folder:
        yield Step("Make its folder, if it is missing.", f"mkdir -p {shlex.quote(str(folder))}")
        yield Step(what)
        yield Step(f"See that {folder} holds: {card.layout}.")
    else:
        yield Step(what)
        yield Step(f"See that it has: {card.layout}.")
