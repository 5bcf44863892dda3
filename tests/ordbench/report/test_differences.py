"""Where two heads differ, on twelve images whose scores can be checked by hand."""

import numpy as np
import pytest

from ordbench.errors import SpecError
from ordbench.plugins.registry import find_metric
from ordbench.report.differences import Differences, differences
from ordbench.results.image_scores import ImageScores, ImageSet

MAE = find_metric("mae")
RANKS = np.arange(12)
IMAGES = ImageSet(
    samples=tuple(f"{index:02d}.jpg" for index in range(12)),
    ranks=RANKS,
    rank_values=tuple(float(10 * rank) for rank in range(12)),
    unit="years",
    groups=("Ada", "Ada", "Ada", "Bo", *[None] * 8),
    extra={
        "gender": ("f", "m") * 6,
        "quality": (*[index / 2 for index in range(11)], None),
    },
)


def side(errors: list[float], median: float | None = 50.0) -> ImageScores:
    """Two seeds: these errors, and 2 more."""
    scores = np.array([errors, np.add(errors, 2.0)])
    return ImageScores(
        images=IMAGES,
        seeds=[(0, 0), (1, 1)],
        scores=scores,
        estimates=np.asarray(10 * RANKS + scores, np.float64),
        train_medians=[median, median],
    )


FIRST = side([1.0] * 12)
SECOND = side([4.0, 1.0, 1.0, 0.0, *[1.0] * 7, 6.0])


def found(
    *attributes: str, first: ImageScores = FIRST, second: ImageScores = SECOND
) -> Differences:
    return differences(first, second, MAE, top=2, attributes=attributes)


def test_every_rank_is_in_one_of_ten_groups() -> None:
    parts = found().by_rank
    assert [(part.name, part.paired.images) for part in parts][:3] == [
        ("0..10", 2),
        ("20..30", 2),
        ("40", 1),
    ]
    assert sum(part.paired.images for part in parts) == 12
    assert parts[0].paired.difference == -1.5
    assert any(part.paired.p for part in parts)
    assert {part.paired.p_holm for part in parts} == {None}, "parts are not adjusted"


def test_images_are_cut_by_their_distance_from_the_train_median() -> None:
    parts = found().by_distance
    # Distances 50, 40, 30, 20, 10, 0, 10, 20, 30, 40, 50, 60.
    assert [(part.name, part.paired.images) for part in parts] == [
        ("0..10", 3),
        ("20..30", 4),
        ("40", 2),
        ("50..60", 3),
    ]
    assert parts[-1].paired.difference == pytest.approx((-3.0 - 5.0) / 3)
    assert not found(first=side([1.0] * 12, None), second=side([2.0] * 12, None)).by_distance


def test_attributes_are_values_or_quarters_and_unknown_ones_are_refused() -> None:
    by = found("gender", "quality").by_attribute
    assert [(part.name, part.paired.difference) for part in by["gender"]] == [
        ("f", -0.5),
        ("m", pytest.approx((1.0 - 5.0) / 6)),
    ]
    assert sum(part.paired.images for part in by["quality"]) == 11, "one is not known"
    with pytest.raises(SpecError, match="no attribute 'gendre'; did you mean gender"):
        found("gendre")


def test_people_and_images_come_with_the_largest_differences_first() -> None:
    details = found()
    assert details.people == [("Ada", 3, -1.0), ("Bo", 1, 1.0)]
    assert (details.first_better, details.second_better) == (2, 1)
    assert [(one.sample, one.difference) for one in details.best_of_first] == [
        ("11.jpg", -5.0),
        ("00.jpg", -3.0),
    ]
    (image,) = details.best_of_second
    # Errors 1 and 3 against 0 and 2: the mean over the seeds.
    assert image == ("03.jpg", 30.0, 32.0, 31.0, 1.0)


def test_all_images_of_one_rank_are_one_part() -> None:
    images = ImageSet(
        samples=("a", "b"),
        ranks=np.array([3, 3]),
        rank_values=IMAGES.rank_values,
        unit="years",
        groups=(None, None),
        extra={},
    )
    one, other = (
        ImageScores(
            images=images,
            seeds=[(0, 0)],
            scores=np.array([scores]),
            estimates=np.array([scores]),
            train_medians=[30.0],
        )
        for scores in ([1.0, 2.0], [2.0, 2.0])
    )
    details = differences(one, other, MAE, top=5)
    assert [part.name for part in details.by_rank] == ["20..30"]
    assert [part.name for part in details.by_distance] == ["0"]
