"""Scores of single images from stored predictions, in the order of their names."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ordbench.errors import SpecError, StoreError
from ordbench.metrics.decoding import estimates
from ordbench.plugins.registry import find_metric
from ordbench.results.image_scores import ImageScores, read_image_scores
from ordbench.results.loading import load_cells

Write = Callable[..., Path]
VALUES = (0.0, 100.0)
POSTERIOR = np.array([[0.75, 0.25], [0.25, 0.75], [0.5, 0.5]], np.float32)
NAMES = ["c.jpg", "a.jpg", "b.jpg"]
STORED = {how: estimates(POSTERIOR, VALUES, how) for how in ("mean", "median")}
IMAGES = {"images": 3, "samples": NAMES, "ranks": np.array([0, 1, 1])}


def read(root: Path, metric: str = "mae", decode: str = "mean") -> ImageScores:
    return read_image_scores(root, load_cells(root), find_metric(metric), decode)


@pytest.mark.parametrize("stored", [STORED, {}], ids=["stored", "decoded"])
def test_images_are_in_the_order_of_their_names(
    write: Write, tmp_path: Path, stored: dict[str, object]
) -> None:
    people = ["Ada", None, "Bo"]
    for seed in (1, 0):
        write("linear", seed, posterior=POSTERIOR, estimates=stored, groups=people, **IMAGES)
    found = read(tmp_path)
    assert found.seeds == [(0, 0), (1, 1)]
    assert found.images.samples == ("a.jpg", "b.jpg", "c.jpg")
    assert found.images.ranks.tolist() == [1, 1, 0]
    assert found.images.units == ["image a.jpg", "group Bo", "group Ada"]
    assert found.scores.tolist() == [[25.0, 50.0, 25.0]] * 2
    assert found.estimates.tolist() == [[75.0, 50.0, 25.0]] * 2
    brier = read(tmp_path, "brier").scores
    assert brier.tolist() == [[0.125, 0.5, 0.125]] * 2


def test_a_head_without_a_posterior_answers_with_its_estimates(
    write: Write, tmp_path: Path
) -> None:
    write("linear", 0, estimates={"point": np.array([10.0, 80.0, 60.0])}, **IMAGES)
    assert read(tmp_path).scores.tolist() == [[20.0, 40.0, 10.0]]
    with pytest.raises(SpecError, match="metric 'nll' needs a posterior"):
        read(tmp_path, "nll")
    with pytest.raises(SpecError, match="metric 'qwk' is no mean over test images"):
        read(tmp_path, "qwk")


def test_images_that_differ_or_stand_twice_are_refused(write: Write, tmp_path: Path) -> None:
    write("linear", 0, images=3)
    write("linear", 1, images=4)
    with pytest.raises(StoreError, match="were not tested on the same images"):
        read(tmp_path)
    write("linear", 0, images=2, samples=["a", "a"])
    with pytest.raises(StoreError, match="name an image twice"):
        read(tmp_path)


def test_numbers_that_are_none_are_refused(write: Write, tmp_path: Path) -> None:
    estimated = {"point": np.array([np.nan, 80.0, 60.0])}
    write("linear", 0, **(IMAGES | {"estimates": estimated}))
    with pytest.raises(StoreError, match=r"cannot be used: estimates must be finite.*run it again"):
        read(tmp_path)
