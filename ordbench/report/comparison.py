"""Two heads, backbones or folders compared in every setting that they share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ordbench.errors import StoreError
from ordbench.metrics.registry import Metric
from ordbench.report.differences import Differences, differences
from ordbench.report.matching import Kind, Side, match
from ordbench.results.image_scores import ImageScores, read_image_scores
from ordbench.statistics.holm import holm
from ordbench.statistics.paired import Paired, compare


@dataclass(frozen=True)
class Setting:
    """Both sides in one setting.

    Attributes:
        facts: What they share, by name: dataset, backbone, shots ...
        paired: The comparison; None if they have no seeds in common. Its ``p_holm`` is over all
            settings that were compared together.
        first: Scores of the first side.
        second: Scores of the second side.
    """

    facts: Mapping[str, str]
    paired: Paired | None
    first: ImageScores
    second: ImageScores


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two sides, compared by one metric.

    Attributes:
        kind: What is compared.
        first: Name of the first side.
        second: Name of the second side.
        metric: What is compared, a mean over test images.
        decode: How posteriors became estimates.
        settings: At least one.
    """

    kind: Kind
    first: str
    second: str
    metric: Metric
    decode: str
    settings: Sequence[Setting]

    @property
    def unit(self) -> str:
        """What the metric is measured in."""
        units = sorted({setting.first.images.unit for setting in self.settings})
        return self.metric.unit.format(unit=" or ".join(units))

    def differences(
        self, setting: Setting, *, top: int, attributes: Sequence[str] = ()
    ) -> Differences | None:
        """Where the two differ in one setting; see `ordbench.report.differences`."""
        if setting.paired is None:
            return None
        return differences(
            setting.first, setting.second, self.metric, top=top, attributes=attributes
        )


def compare_sides(kind: Kind, first: Side, second: Side, metric: Metric, decode: str) -> Comparison:
    """Compare two sides in every setting that they share, by their stored predictions.

    Args:
        kind: What they are.
        first: One side; differences are its scores less those of the other.
        second: The other.
        metric: A mean over test images.
        decode: How posteriors become estimates.

    Raises:
        SpecError: If they have no setting in common, or the metric is no mean over images.
        StoreError: If predictions are not there, or are not of the same images.
    """
    settings: list[Setting] = []
    for facts, ours, theirs in match(kind, first, second):
        one = read_image_scores(first.root, ours, metric, decode)
        other = read_image_scores(second.root, theirs, metric, decode)
        if not one.images.same(other.images):
            raise StoreError(
                f"{first.name} and {second.name} were not tested on the same images: "
                f"{', '.join(f'{name} {value}' for name, value in facts.items())}"
            )
        paired = compare(one.by_seed, other.by_seed, one.images.units)
        settings.append(Setting(facts, paired, one, other))
    return Comparison(
        kind=kind,
        first=first.name,
        second=second.name,
        metric=metric,
        decode=decode,
        settings=_with_holm(settings),
    )


def to_json(comparison: Comparison, *, top: int, attributes: Sequence[str] = ()) -> str:
    """All of it, with where the two differ in every setting; what is not known is null."""
    settings: list[dict[str, object]] = []
    for setting in comparison.settings:
        found = comparison.differences(setting, top=top, attributes=attributes)
        settings.append(
            {
                "facts": dict(setting.facts),
                "paired": setting.paired._asdict() if setting.paired else None,
                "differences": found.as_json() if found else None,
            }
        )
    content = {
        "kind": comparison.kind,
        "first": comparison.first,
        "second": comparison.second,
        "metric": comparison.metric.name,
        "unit": comparison.unit,
        "higher_is_better": comparison.metric.higher_is_better,
        "decode": comparison.decode,
        "settings": settings,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def _with_holm(settings: Sequence[Setting]) -> list[Setting]:
    tested = [(at, one.paired.p) for at, one in enumerate(settings) if one.paired]
    known = [(at, p) for at, p in tested if p is not None]
    adjusted = dict(zip((at for at, _ in known), holm([p for _, p in known]), strict=True))
    return [
        replace(one, paired=one.paired and one.paired._replace(p_holm=adjusted.get(at)))
        for at, one in enumerate(settings)
    ]
