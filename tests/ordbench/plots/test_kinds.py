"""Figures of runs that were trained: from the folder to the axes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ordbench.errors import SpecError, StoreError
from ordbench.plots.kinds import Asked, draw
from ordbench.results.store import Store
from ordbench.runs.predictions import Predictions
from ordbench.runs.record import Record

Write = Callable[..., Path]


def run_of(results: Path, head: str) -> tuple[Record, Predictions]:
    store = Store(results)
    (record,) = [record for record in store.records() if record.spec.head == head]
    return record, store.read_predictions(record.run_id)


def test_prototypes_are_those_whose_ordinality_was_measured(trained: Path) -> None:
    record, _ = run_of(trained, "coop")
    figure, (caption,) = draw("prototypes", Asked(results=trained, head=["coop"]))
    axes = figure.axes[0]
    cosines = np.asarray(axes.images[0].get_array())
    assert cosines.shape == (90, 90)
    assert np.diag(cosines) == pytest.approx(1)
    falls = [cosines[i, j] > cosines[i, j + 1] for i in range(89) for j in range(i, 89)]
    assert np.mean(falls) == pytest.approx(record.metrics["head"]["ordinality"], abs=1e-3)
    assert axes.get_title() == f"coop, ordinality {record.metrics['head']['ordinality']:.3f}"
    assert caption.endswith(f"run {record.run_id}")
    with pytest.raises(SpecError, match="regression has no prototypes"):
        draw("prototypes", Asked(results=trained, head=["regression"]))
    with pytest.raises(SpecError, match="the figure is of one run, and there are runs of coop, "):
        draw("prototypes", Asked(results=trained))


def test_images_are_the_worst_and_the_best(trained: Path, shared_cache: Path) -> None:
    record, predictions = run_of(trained, "linear")
    asked = Asked(results=trained, run=record.run_id[:8], number=3, cache=shared_cache)
    figure, _ = draw("images", asked)
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    truth = np.array(predictions.rank_values)[predictions.ranks]
    errors = np.abs(predictions.estimates["median"] - truth)
    order = [*np.argsort(-errors, kind="stable")[:3], *np.argsort(errors, kind="stable")[:3]]
    estimates = predictions.estimates["median"]
    assert titles == [f"{truth[at]:g} → {estimates[at]:.4g}" for at in order]


@pytest.mark.parametrize("kind", ["rank-error", "confusion", "reliability", "risk-coverage"])
def test_heads_of_one_setting_are_drawn_together(kind: str, trained: Path) -> None:
    _, (caption,) = draw(kind, Asked(results=trained, head=["linear,coop"]))  # type: ignore[arg-type]
    assert "dataset drawn-faces" in caption


def test_a_run_and_a_selection_exclude_each_other(trained: Path) -> None:
    with pytest.raises(SpecError, match="--run names one run; leave out --head, --dataset"):
        draw("images", Asked(results=trained, run="00", head=["linear"]))


def test_runs_of_several_settings_are_not_mixed(write: Write, tmp_path: Path) -> None:
    write("linear", 0)
    write("linear", 0, spec={"shots": 4})
    with pytest.raises(SpecError, match="the runs differ in shots: 4-shot, all; choose one, for"):
        draw("rank-error", Asked(results=tmp_path))


def test_runs_of_several_protocols_are_told_apart(write: Write, tmp_path: Path) -> None:
    for protocol in ("standard", "label-noise:share=0.2"):
        write("linear", 0, spec={"protocol": protocol})
    with pytest.raises(SpecError, match=r"differ in protocol: .* for example by --protocol$"):
        draw("rank-error", Asked(results=tmp_path))
    _, (caption,) = draw("rank-error", Asked(results=tmp_path, protocol=["label-noise:share=0.2"]))
    assert "1 runs a head; dataset" in caption
    assert "protocol label-noise:share=0.2" in caption


def test_runs_on_other_images_are_not_pooled(write: Write, tmp_path: Path) -> None:
    write("linear", 0)
    write("linear", 1, images=100)
    with pytest.raises(StoreError, match="were not tested on the same images"):
        draw("rank-error", Asked(results=tmp_path))
