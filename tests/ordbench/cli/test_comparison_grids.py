import numpy as np
import pytest

from ordbench.cli.comparison_grids import print_comparison
from ordbench.plugins.registry import find_metric
from ordbench.report.comparison import Comparison, Setting
from ordbench.results.image_scores import ImageScores, ImageSet
from ordbench.statistics.paired import compare


def test_what_only_some_settings_have_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    images = ImageSet(
        samples=("a",),
        ranks=np.zeros(1, np.int64),
        rank_values=(0.0, 1.0),
        unit="years",
        groups=(None,),
        extra={},
    )
    scores = ImageScores(
        images=images,
        seeds=[(0, 0)],
        scores=np.ones((1, 1)),
        estimates=np.ones((1, 1)),
        train_medians=[None],
    )
    settings = [
        Setting({"dataset": name, "shots": "1-shot", **options}, None, scores, scores)
        for name, options in [
            ("csv", {}),
            ("fruit", {"dataset options": "seed=1"}),
            ("fruit", {"dataset options": "seed=2"}),
        ]
    ]
    found = Comparison(
        kind="heads",
        first="linear",
        second="coral",
        metric=find_metric("mae"),
        decode="median",
        settings=settings,
    )
    print_comparison(found, top=0, attributes=[])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:4] == ["dataset", "dataset", "options", "linear"]
    assert [line.split()[:2] for line in lines[3:6]] == [
        ["csv", "no"],
        ["fruit", "seed=1"],
        ["fruit", "seed=2"],
    ]


@pytest.mark.parametrize(
    ("seeds", "groups", "said"),
    [
        ([(0, 0)], (None, None), "bootstrap over test images, for this very seed\nthese runs"),
        ([(0, 0), (1, 1)], (None, None), "bootstrap over test images and seeds\nthese runs"),
        ([(0, 0)], ("Ada", "Ada"), "for this very seed\nimages of one person, and identical ones"),
    ],
)
def test_what_was_drawn_is_said(
    seeds: list[tuple[int, int]],
    groups: tuple[str | None, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    images = ImageSet(
        samples=("a", "b", "c"),
        ranks=np.array([0, 1, 1]),
        rank_values=(0.0, 1.0),
        unit="years",
        groups=(*groups, None),
        extra={},
    )
    first, second = (
        ImageScores(
            images=images,
            seeds=seeds,
            scores=np.full((len(seeds), 3), score),
            estimates=np.ones((len(seeds), 3)),
            train_medians=[None] * len(seeds),
        )
        for score in (1.0, 2.0)
    )
    paired = compare(first.by_seed, second.by_seed, images.units)
    found = Comparison(
        kind="heads",
        first="linear",
        second="coral",
        metric=find_metric("mae"),
        decode="median",
        settings=[Setting({"dataset": "csv", "shots": "1-shot"}, paired, first, second)],
    )
    print_comparison(found, top=0, attributes=[])
    assert said in capsys.readouterr().out
