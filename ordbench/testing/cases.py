"""What is to be checked, as it is typed: a registered name, or a module and a class."""

from __future__ import annotations

from pathlib import Path

from ordbench.data.paths import dataset_folder, resolve_cache, resolve_root
from ordbench.dataset import check_argument
from ordbench.errors import SpecError
from ordbench.features.extraction import open_family
from ordbench.plugins.lookup import find_plugin
from ordbench.plugins.options import resolve, takes_argument
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS
from ordbench.testing.backbones import BackboneUnderTest
from ordbench.testing.datasets import DatasetUnderTest
from ordbench.testing.heads import HeadUnderTest


def typed_head(text: str, *, text_tower: str) -> HeadUnderTest:
    """The head of ``NAME[:KEY=VALUE]`` or ``MODULE:CLASS[:KEY=VALUE]``.

    Args:
        text: As typed.
        text_tower: The backbone whose text tower it prompts, if it prompts one.

    Raises:
        OrdbenchError: If there is no such head, option or text tower.
    """
    head, ref = find_plugin(text, HEADS)
    if ref.argument and not takes_argument(head):
        raise SpecError(
            f"head {text!r}: {ref.argument!r} is not KEY=VALUE; write {ref.name}:KEY=VALUE"
        )
    given = ref.options | ({"argument": ref.argument} if ref.argument else {})
    options = resolve(head, given, owner=f"head {ref.name!r}")
    tower = None
    if head.needs_text:
        family, argument = open_family(text_tower)
        tower = family.load_text_tower(argument, device="cpu")
        if tower is None:
            raise SpecError(f"--text {text_tower} has no text encoder; use another backbone")
    case = HeadUnderTest(head_class=head, options=options, text_tower=tower)
    try:
        case.build()
    except SpecError as error:  # of an option's value
        raise SpecError(f"head {ref.name!r}: {error}") from error
    except Exception:  # the checks say where
        pass
    return case


def typed_dataset(text: str, *, data_root: Path | None = None) -> DatasetUnderTest:
    """The dataset of ``NAME[:ARGUMENT][:KEY=VALUE]`` or ``MODULE:CLASS...``, with its files.

    Args:
        text: As typed.
        data_root: Folder of all datasets, or of this one, as for `open_dataset`.

    Raises:
        OrdbenchError: If there is no such dataset or option.
    """
    dataset, ref = find_plugin(text, DATASETS)
    check_argument(dataset.card, ref.argument, ref.name)
    options = resolve(dataset, ref.options, owner=f"dataset {ref.name!r}")
    parent = resolve_cache(None) if dataset.card.embedded else resolve_root(data_root)
    return DatasetUnderTest(
        dataset_class=dataset,
        root=dataset_folder(parent, ref.name.partition(":")[0]),
        argument=ref.argument,
        options=options,
    )


def typed_backbone(text: str) -> BackboneUnderTest:
    """The backbone of ``FAMILY:ARGUMENT`` or ``MODULE:CLASS:ARGUMENT``.

    Raises:
        OrdbenchError: If there is no such family or model.
    """
    family, ref = find_plugin(text, BACKBONES)
    family().check(ref.argument)
    return BackboneUnderTest(family_class=family, argument=ref.argument)
