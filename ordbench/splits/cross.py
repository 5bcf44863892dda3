"""Two datasets as one: the first trains and validates, the second is tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ordbench.dataset import OfficialSplit, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def with_test_dataset(train: Samples, test: Samples, *, train_name: str, test_name: str) -> Samples:
    """The samples of ``train`` that may train, and those of ``test`` whose rank ``train`` has.

    The official test samples of ``train`` are left out; its official folds are not used. All of
    ``test`` is the test part, whatever parts it has. Its samples are named ``TEST_NAME:NAME``. So
    are its groups, unless both datasets have one name: then equal groups are one person.

    Args:
        train: The dataset that is trained on; its task is that of the result.
        test: The dataset that is tested.
        train_name: Registered name of the first.
        test_name: Registered name of the second.

    Raises:
        DatasetError: If the ranks of the two are not measured alike, if none is in both, or if
            one dataset has images and the other features, or other features.
    """
    ranks = _matching_ranks(train.task, test.task, f"--test-dataset {test_name}", train_name)
    trained = [place for place, s in enumerate(train.samples) if train.draws or s.part != "test"]
    tested = [place for place, s in enumerate(test.samples) if s.rank in ranks]
    if not tested:
        raise DatasetError(
            f"--test-dataset {test_name}: no sample has a rank that {train_name} has; its ranks "
            f"are {_ends(test.task)}, those of {train_name} {_ends(train.task)}"
        )
    parted = bool(train.draws) or any(sample.part for sample in train.samples)
    samples = [train.samples[place] for place in trained]
    if not parted:
        samples = [sample._replace(part="train", fold=None) for sample in samples]

    def moved(sample: Sample) -> Sample:
        """A sample of the second dataset in the result."""
        group = sample.group
        if group is not None and test_name != train_name:
            group = f"{test_name}:{group}"
        return sample._replace(
            name=f"{test_name}:{sample.name}",
            rank=ranks[sample.rank],
            group=group,
            fold=None,
            part="test",
        )

    moved_samples = [moved(test.samples[place]) for place in tested]
    names = tuple(sample.name for sample in moved_samples)
    dropped = len(test.samples) - len(tested)
    return replace(
        train,
        samples=(*samples, *moved_samples),
        rejected=(
            *train.rejected,
            *(SkippedFile(f"{test_name}:{name}", reason) for name, reason in test.rejected),
        ),
        draws=tuple(OfficialSplit(draw.train, names, draw.val) for draw in train.draws),
        notes=(
            *train.notes,
            *(f"{test_name}: {note}" for note in test.notes),
            f"tested on {len(tested)} of {len(test.samples)} samples of {test_name}"
            + (f"; {dropped} have a rank that {train_name} does not have" if dropped else ""),
        ),
        features=_features(train, trained, test, tested, test_name),
        test_dataset=test_name,
    )


def _ends(task: Task) -> str:
    return f"{task.rank_names[0]} to {task.rank_names[-1]}"


def _matching_ranks(train: Task, test: Task, what: str, train_name: str) -> dict[int, int]:
    """The rank of the training task that has the value of each rank of the test task."""
    if train.unit != test.unit:
        raise DatasetError(
            f"{what}: its ranks are measured in {test.unit}, those of {train_name} in "
            f"{train.unit}; give your own dataset the unit of the other, as by unit=years"
        )
    if train.unit == "ranks" and train.rank_names != test.rank_names:
        raise DatasetError(
            f"{what}: its ranks are known by their order only, and are not those of {train_name}; "
            "give both the same ranks= or bins="
        )
    places = {value: rank for rank, value in enumerate(train.rank_values)}
    return {rank: places[v] for rank, v in enumerate(test.rank_values) if v in places}


def _features(
    train: Samples, trained: Sequence[int], test: Samples, tested: Sequence[int], test_name: str
) -> NDArray[np.float32] | None:
    if train.features is None and test.features is None:
        return None
    if train.features is None or test.features is None:
        raise DatasetError(
            f"--test-dataset {test_name}: one dataset has images, the other features; take two of "
            "a kind"
        )
    import numpy as np

    widths = train.features.shape[1], test.features.shape[1]
    if widths[0] != widths[1]:
        raise DatasetError(
            f"--test-dataset {test_name}: it has {widths[1]} features a sample, and {widths[0]} "
            "are trained on"
        )
    if train.feature_names and test.feature_names:
        pairs = zip(train.feature_names, test.feature_names, strict=True)
        for place, (ours, theirs) in enumerate(pairs, 1):
            if ours != theirs:
                raise DatasetError(
                    f"--test-dataset {test_name}: its feature {place} is {theirs!r}, and {ours!r} "
                    "is trained on; give both the same columns in the same order"
                )
    return np.concatenate([train.features[trained], test.features[tested]])
