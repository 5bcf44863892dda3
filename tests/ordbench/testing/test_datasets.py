"""Each check of datasets fails on one with the fault that it is for, and says what is wrong."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import PIL.Image
import pytest

from ordbench.dataset import Dataset, DatasetCard, Sample, Samples
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench.testing.datasets import DATASET_CHECKS, DatasetUnderTest

CARD = DatasetCard(
    title="Two pictures",
    source="an example",
    licence="CC0",
    how_to_get="draw them",
    layout="0.png and 1.png",
    ranks="two ranks",
)
TASK = Task(rank_names=("a", "b"), rank_values=(0, 1), unit="ranks", context="it is")
turns = itertools.count()


class Good(Dataset):
    card: ClassVar[DatasetCard] = CARD

    def read(self) -> Samples:
        files = sorted(self.root.glob("*.png"))
        if not files:
            raise DatasetError(f"{CARD.title} not found in {self.root}; {CARD.how_to_get}")
        return Samples(task=TASK, samples=tuple(map(self.sample, files)))

    def sample(self, file: Path) -> Sample:
        return Sample(file.name, file, int(file.stem))


class EmptyCard(Good):
    card: ClassVar[DatasetCard] = replace(CARD, licence="")


class WrongDefault(Good):
    def __init__(self, root: Path, argument: str = "", *, size: int = "big") -> None:  # type: ignore[assignment]  # the fault
        super().__init__(root, argument)


class TakesAny(Good):
    def __init__(self, root: Path, argument: str = "") -> None:
        self.root, self.argument = root, argument


class Silent(Good):
    def read(self) -> Samples:
        return Samples(task=TASK, samples=tuple(map(self.sample, sorted(self.root.glob("*.png")))))


class Moody(Good):
    def sample(self, file: Path) -> Sample:
        return Sample(f"{next(turns)}.png", file, 0)


class Absolute(Good):
    def sample(self, file: Path) -> Sample:
        return Sample(str(file), file, 0)


class NoPicture(Good):
    def sample(self, file: Path) -> Sample:
        return Sample(file.name, file.parent, 0)


class NobodyShown(Good):
    card: ClassVar[DatasetCard] = replace(CARD, grouped=True)


class FeaturesOnTheCard(Good):
    card: ClassVar[DatasetCard] = replace(CARD, brings_features=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("0.png", "1.png"):
        PIL.Image.new("RGB", (2, 2)).save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("check", [name for name in DATASET_CHECKS if "light" not in name])
def test_a_good_dataset_passes(check: str, root: Path) -> None:
    DATASET_CHECKS[check](DatasetUnderTest(dataset_class=Good, root=root))


@pytest.mark.parametrize(
    ("dataset", "check", "said"),
    [
        (EmptyCard, "card_is_filled", "card.licence is empty"),
        (TakesAny, "unknown_argument_is_refused", "it takes any"),
        (Silent, "missing_files_are_named", "and it is read"),
        (Moody, "reading_is_repeatable", "two readings differ"),
        (Absolute, "names_are_relative_paths", "begins or ends with a slash"),
        (NobodyShown, "groups_folds_and_parts_are_whole", "people repeat; no group"),
        (FeaturesOnTheCard, "images_open", "brings_features is True, and it gives features: False"),
        (Good, "importing_it_is_light", "No module named|importing it loads"),
    ],
)
def test_a_faulty_dataset_fails(dataset: type[Dataset], check: str, said: str, root: Path) -> None:
    with pytest.raises(AssertionError, match=said):
        DATASET_CHECKS[check](DatasetUnderTest(dataset_class=dataset, root=root))


@pytest.mark.parametrize(
    ("dataset", "check"),
    [(NoPicture, "images_open"), (WrongDefault, "options_have_types_and_defaults")],
)
def test_the_error_of_a_faulty_dataset_is_its_own(
    dataset: type[Dataset], check: str, root: Path
) -> None:
    with pytest.raises((DatasetError, ValueError, LookupError)):
        DATASET_CHECKS[check](DatasetUnderTest(dataset_class=dataset, root=root))
