"""What every dataset must do: checks by name, each raises an AssertionError that says why.

The files are the test's own, in the layout as it is distributed:

    from ordbench.testing.datasets import DATASET_CHECKS, DatasetUnderTest

    @pytest.mark.parametrize("check", DATASET_CHECKS)
    def test_my_dataset(check, tmp_path):
        write_a_few_images(tmp_path)
        DATASET_CHECKS[check](DatasetUnderTest(dataset_class=MyDataset, root=tmp_path))
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import get_args

from ordbench.dataset import Dataset, Part, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.plugins.options import declared, resolve
from ordbench.recipe import OptionValue
from ordbench.testing.imports import loaded_with

HEAVY = ("torch", "pandas", "numpy", "PIL", "requests")


@dataclass(frozen=True, kw_only=True)
class DatasetUnderTest:
    """A dataset class, and where its files lie.

    Attributes:
        dataset_class: The class.
        root: Its folder, with its files.
        argument: What stands after the colon, for a dataset that takes something.
        options: Its options; those that are left out have their defaults.
    """

    dataset_class: type[Dataset]
    root: Path
    argument: str = ""
    options: Mapping[str, OptionValue] = field(default_factory=dict[str, OptionValue])

    def read(self) -> Samples:
        """What its reader finds."""
        return self.dataset_class(self.root, self.argument, **self.options).read()


Check = Callable[[DatasetUnderTest], None]
"""Raises AssertionError if it fails."""


def card_is_filled(case: DatasetUnderTest) -> None:
    """Each text of the card is one line and not empty, but for ``argument`` and ``terms``."""
    card = case.dataset_class.card
    for one in fields(card):
        value = getattr(card, one.name)
        if isinstance(value, str) and one.name not in {"argument", "terms"}:
            assert value.strip() == value != "", f"card.{one.name} is empty or has blanks around it"
            assert "\n" not in value, f"card.{one.name} has more than one line"
    assert card.folds >= 0, f"card.folds is {card.folds}"


def options_have_types_and_defaults(case: DatasetUnderTest) -> None:
    """What is typed is converted to the declared type, the defaults among the rest."""
    options = declared(case.dataset_class)
    defaults = {name: default for name, (_, default) in options.items()}
    typed = {name: "none" if value is None else str(value) for name, value in defaults.items()}
    got = resolve(case.dataset_class, typed, owner="the dataset")
    assert got == defaults, f"typed as text, the defaults become {got}, expected {defaults}"


def unknown_argument_is_refused(case: DatasetUnderTest) -> None:
    """Something after the colon is refused where the card names nothing, else it is required."""
    takes = bool(case.dataset_class.card.argument)
    try:
        case.dataset_class(case.root, "" if takes else "something", **case.options)
    except SpecError:
        return
    raise AssertionError("it needs an argument and is made without" if takes else "it takes any")


def missing_files_are_named(case: DatasetUnderTest) -> None:
    """A folder without its files is refused in one line that names it and says what to do."""
    card = case.dataset_class.card
    if card.embedded:
        return
    with tempfile.TemporaryDirectory() as empty:
        for root in (Path(empty), Path(empty) / "missing"):
            argument = str(root) if card.argument else ""
            try:
                case.dataset_class(root, argument, **case.options).read()
            except DatasetError as error:
                said = str(error)
            else:
                raise AssertionError(f"nothing is in {root}, and it is read")
            assert "\n" not in said, f"the error has more than one line: {said}"
            assert str(root) in said, f"the error does not name {root}: {said}"
            helps = card.how_to_get in said or "; wanted " in said
            assert helps, f"the error does not say what to do: {said}"


def reading_is_repeatable(case: DatasetUnderTest) -> None:
    """Two readings list the same samples in the same order, and at least one."""
    first, second = case.read(), case.read()
    assert first.samples, "no sample is found"
    assert first.samples == second.samples, "two readings differ"
    assert first.fingerprint == second.fingerprint, "two readings have other fingerprints"


def names_are_relative_paths(case: DatasetUnderTest) -> None:
    """Sample names are relative, with forward slashes, so that they are the same everywhere."""
    for sample in case.read().samples:
        name = sample.name
        assert name.strip("/") == name, f"sample {name!r} begins or ends with a slash"
        assert "\\" not in name, f"sample {name!r} has a backslash"
        assert str(case.root) not in name, f"sample {name!r} holds the path of its folder"


def images_open(case: DatasetUnderTest) -> None:
    """The first and the last image are RGB pictures; or there are features, as the card says."""
    listing = case.read()
    samples = listing.samples
    brings = case.dataset_class.card.brings_features
    has = listing.features is not None
    assert has == brings, f"card.brings_features is {brings}, and it gives features: {has}"
    if brings:
        images = [sample.name for sample in samples if sample.image is not None]
        assert not images, f"it has features and images: {images[:3]}"
        return
    for sample in (samples[0], samples[-1]):
        image = sample.open()
        assert image.mode == "RGB", f"{sample.name} opens in mode {image.mode}"
        assert min(image.size) > 0, f"{sample.name} is empty"


def groups_folds_and_parts_are_whole(case: DatasetUnderTest) -> None:
    """What the card promises is on each sample: groups, official folds; parts are known ones."""
    card, samples = case.dataset_class.card, case.read().samples
    if card.grouped:
        nobody = [sample.name for sample in samples if sample.group is None]
        assert not nobody, f"the card says that people repeat; no group: {nobody[:3]}"
    for sample in samples:
        assert sample.part is None or sample.part in get_args(Part), f"part {sample.part!r}"
        if card.folds and sample.fold is not None:
            assert 0 <= sample.fold < card.folds, f"{sample.name}: fold {sample.fold}"


def importing_it_is_light(case: DatasetUnderTest) -> None:
    """Importing its module loads neither torch nor pandas: `ordbench ls datasets` imports all."""
    loaded = loaded_with(case.dataset_class.__module__, HEAVY)
    assert not loaded, f"importing it loads {', '.join(loaded)}"


DATASET_CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        card_is_filled,
        options_have_types_and_defaults,
        unknown_argument_is_refused,
        missing_files_are_named,
        reading_is_repeatable,
        names_are_relative_paths,
        images_open,
        groups_folds_and_parts_are_whole,
        importing_it_is_light,
    )
}
