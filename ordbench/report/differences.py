"""Where two heads differ: by rank, by distance from the train median, by person, image by image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.registry import Metric
from ordbench.report.error_analysis import rank_groups
from ordbench.results.attributes import Indices, parts_of, quarters, span
from ordbench.results.image_scores import ImageScores, ImageSet
from ordbench.statistics.paired import Paired, SeedScores, by_draw, common_seeds, compare

GROUPS = 10  # of ranks
Named = tuple[str, Indices]


class Part(NamedTuple):
    """Some of the test images.

    Attributes:
        name: What they have in common.
        paired: The two heads on these images; its p value is not adjusted.
    """

    name: str
    paired: Paired


class Person(NamedTuple):
    """Who or what several images show, and the mean difference of their scores."""

    name: str
    images: int
    difference: float


class Image(NamedTuple):
    """One image: true value, mean estimate of both heads, and the difference of their scores."""

    sample: str
    true: float
    first: float
    second: float
    difference: float


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Where two heads differ, by the mean over the seeds that both have.

    Attributes:
        by_rank: At most ten groups of neighbouring ranks.
        by_distance: Quarters of the images by the distance of the truth from the train median;
            empty where that is not stored.
        by_attribute: By a value beside the rank, for the attributes asked for.
        people: Those with the largest differences; empty where people are not known.
        first_better: How many images the first head scores better.
        second_better: How many images the second head scores better.
        best_of_first: The images with the largest advantage of the first head.
        best_of_second: The images with the largest advantage of the second head.
    """

    by_rank: Sequence[Part]
    by_distance: Sequence[Part]
    by_attribute: Mapping[str, Sequence[Part]]
    people: Sequence[Person]
    first_better: int
    second_better: int
    best_of_first: Sequence[Image]
    best_of_second: Sequence[Image]

    def as_json(self) -> dict[str, object]:
        """All of it as plain values."""
        return {
            "by_rank": _plain(self.by_rank),
            "by_distance": _plain(self.by_distance),
            "by_attribute": {name: _plain(parts) for name, parts in self.by_attribute.items()},
            "people": [person._asdict() for person in self.people],
            "first_better": self.first_better,
            "second_better": self.second_better,
            "best_of_first": [image._asdict() for image in self.best_of_first],
            "best_of_second": [image._asdict() for image in self.best_of_second],
        }


def differences(
    first: ImageScores,
    second: ImageScores,
    metric: Metric,
    *,
    top: int,
    attributes: Sequence[str] = (),
) -> Differences:
    """Say where two heads differ.

    Args:
        first: Scores of one head.
        second: Scores of another on the same images, with at least one seed in common.
        metric: What the scores are.
        top: How many people, and images in each direction, to name.
        attributes: Names of values beside the rank.

    Raises:
        SpecError: If the images have no such attribute.
    """
    images = first.images
    seeds = common_seeds(first.by_seed, second.by_seed)
    ours, theirs = (by_draw(one.by_seed, seeds).mean(0) for one in (first, second))
    change = ours - theirs
    gain = change if metric.higher_is_better else -change
    estimates = [
        by_draw(SeedScores(one.seeds, one.estimates), seeds).mean(0) for one in (first, second)
    ]
    true = np.asarray(images.rank_values, np.float64)[images.ranks]

    def best(advantage: NDArray[np.float64]) -> list[Image]:
        order: list[int] = np.argsort(-advantage, kind="stable")[:top].tolist()
        one, other = estimates
        return [
            Image(
                sample=images.samples[at],
                true=float(true[at]),
                first=float(one[at]),
                second=float(other[at]),
                difference=float(change[at]),
            )
            for at in order
            if advantage[at] > 0
        ]

    def parts(named: Sequence[Named]) -> list[Part]:
        found = ((name, _part(first, second, chosen)) for name, chosen in named)
        return [Part(name, paired) for name, paired in found if paired]

    return Differences(
        by_rank=parts(_ranks(images)),
        by_distance=parts(_distances(true, first, second)),
        by_attribute={name: parts(parts_of(images.extra, name)) for name in attributes},
        people=_people(images, change)[:top],
        first_better=int((gain > 0).sum()),
        second_better=int((gain < 0).sum()),
        best_of_first=best(gain),
        best_of_second=best(-gain),
    )


def _part(first: ImageScores, second: ImageScores, chosen: Indices) -> Paired | None:
    units = first.images.units
    one, other = (SeedScores(side.seeds, side.scores[:, chosen]) for side in (first, second))
    found = compare(one, other, [units[at] for at in chosen.tolist()]) if len(chosen) else None
    return found and found._replace(p_holm=None)  # the parts are many, and none was planned


def _ranks(images: ImageSet) -> list[Named]:
    values, ranks = images.rank_values, images.ranks
    return [
        (
            span(values[group[0]], values[group[-1]]),
            np.flatnonzero((ranks >= group[0]) & (ranks <= group[-1])),
        )
        for group in rank_groups(len(values), GROUPS)
    ]


def _distances(true: NDArray[np.float64], first: ImageScores, second: ImageScores) -> list[Named]:
    known = [one for one in (*first.train_medians, *second.train_medians) if one is not None]
    return quarters(np.abs(true - median(known))) if known else []


def _people(images: ImageSet, change: NDArray[np.float64]) -> list[Person]:
    """The people shown, the largest differences first."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for at, group in enumerate(images.groups):
        if group is not None:
            found[group].append(at)
    people = [Person(name, len(at), float(change[at].mean())) for name, at in found.items()]
    return sorted(people, key=lambda person: (-abs(person.difference), person.name))


def _plain(parts: Sequence[Part]) -> list[dict[str, object]]:
    return [{"name": name, **paired._asdict()} for name, paired in parts]
