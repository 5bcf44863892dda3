from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ordbench.data.loading import open_dataset
from ordbench.errors import BrokenPluginError, DatasetError
from ordbench.head import Head
from ordbench.plugins.registry import DATASETS, HEADS
from ordbench.runs.inference import predict
from ordbench.runs.predictions import from_parquet, to_parquet
from ordbench.runs.preparation import prepare
from ordbench.runs.record import to_json
from ordbench.runs.resources import Resources
from ordbench.runs.runner import _cautions, run_cell
from ordbench.runs.spec import RunSpec
from ordbench.sweeps.survey import PreparedCell
from tests.reference.problem import problem

SmallCells = Callable[..., list[PreparedCell]]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("no room"), "MemoryError: no room"),
        (ValueError("cannot read \udcff.jpg"), r"ValueError: cannot read \udcff.jpg"),
    ],
)
def test_whatever_breaks_a_run_is_a_failure_that_can_be_written(
    error: Exception,
    said: str,
    resources: Resources,
    small_cells: SmallCells,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(group: object, bench: object) -> None:
        raise error

    monkeypatch.setattr("ordbench.runs.runner.train_and_test", broken)
    (cell,) = small_cells("linear", shots="1")
    trials = run_cell(cell.runs, resources)
    assert [trial.record.error for trial in trials] == [said] * len(cell.runs)
    for trial in trials:
        assert to_json(trial.record).encode()
        assert said in trial.trace.encode().decode()


def test_what_a_dataset_knows_of_a_sample_beside_its_rank_is_stored(
    resources: Resources, small_cells: SmallCells
) -> None:
    (cell,) = small_cells("linear", shots="1")
    run = cell.runs[0]
    first, second, *_ = run.indices.test
    listing = run.material.listing
    samples = list(listing.samples)
    samples[first] = samples[first]._replace(group="Ada", extra={"deviation": 2.5})
    samples[second] = samples[second]._replace(extra={"gender": "f"})
    material = replace(run.material, listing=replace(listing, samples=tuple(samples)))
    (trial,) = run_cell([replace(run, material=material)], resources)
    assert trial.predictions is not None
    stored = from_parquet(to_parquet(trial.predictions))
    assert {name: values[:3] for name, values in stored.extra.items()} == {
        "deviation": [2.5, None, None],
        "gender": [None, "f", None],
    }
    assert stored.groups[:2] == ["Ada", samples[second].group]
    values = listing.task.rank_values
    assert stored.train_median == values[int(run.labelled("train").ranks.median())]


def test_a_cell_is_the_same_however_it_was_typed(
    resources: Resources, small_cells: SmallCells
) -> None:
    one, other = small_cells("linear", shots="1,2")
    first, second = (run.identity for run in one.runs)
    assert first.run_id != second.run_id
    assert first.cell == second.cell
    typed = one.runs[0].spec.model_copy(update={"dtype": "float32"})
    assert prepare(typed, resources).identity == first
    assert other.runs[0].identity.cell != first.cell


def test_a_dataset_whose_people_repeat_must_name_them(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = DATASETS["drawn-faces"]
    monkeypatch.setattr(plugin, "card", replace(plugin.card, grouped=True))
    with pytest.raises(DatasetError, match="450 samples do not say whom they show"):
        open_dataset("drawn-faces", options={"per_rank": 5}, cache=resources.cache)


@pytest.mark.parametrize(
    ("dataset", "backbone", "text", "said"),
    [
        ("folder:photos", "clip:tiny", "", 1),
        ("folder:photos", "timm:resnet18@x", "clip:tiny", 1),
        ("folder:photos", "timm:resnet18@x", "", 0),
        ("folder:photos", "clip:RN50/openai", "", 0),
        ("drawn-faces", "clip:tiny", "", 0),
    ],
)
def test_weights_that_know_drawings_only_say_so_on_images_of_others(
    dataset: str, backbone: str, text: str, said: int
) -> None:
    notes = _cautions(RunSpec(head="coop", dataset=dataset, backbone=backbone, text=text))
    assert [note.partition(";")[0] for note in notes] == [
        "clip:tiny was trained on drawings only"
    ] * said


class Unnormalised(Head):
    def forward(self, features: Tensor) -> Tensor:
        return features

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return outputs.sum()

    def posterior(self, outputs: Tensor) -> Tensor:
        return outputs


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ([[0.2, 0.3, 0.5], [0.5, 0.5, 0.5]], "posterior row 1 must hold .* a sum of 1.5"),
        ([[1.2, -0.2, 0.0]], "posterior row 0 must hold .* a least entry of -0.2"),
        ([[float("nan"), 0.5, 0.5]], "posterior row 0 must hold"),
        ([[0.5, 0.5]], r"posterior must be \(N, 3\), got \(1, 2\)"),
    ],
)
def test_a_posterior_that_is_no_mass_function_is_refused_with_the_head_named(
    outputs: list[list[float]], said: str
) -> None:
    with pytest.raises(BrokenPluginError, match=f"head Unnormalised: {said}"):
        predict(Unnormalised(problem(3)), torch.tensor(outputs))


def test_a_head_is_measured_when_it_is_tested(
    resources: Resources, small_cells: SmallCells
) -> None:
    """Violations by a loop over the outputs, ordinality of the weights; the record keeps both."""
    (cell,) = small_cells("or-cnn", shots="1")
    (result, *_) = run_cell(cell.runs[:1], resources)
    head = HEADS["or-cnn"](problem(5))
    outputs = torch.tensor([[2.0, 1.0, 1.5, -1.0], [1.0, 2.0, 3.0, 4.0]])
    rises = sum(b > a for row in outputs.tolist() for a, b in pairwise(row))
    assert head.measures(outputs) == {"violations": rises / 6}
    assert set(result.record.metrics["head"]) == {"violations"}
    (cell,) = small_cells("linear", shots="1")
    (result, *_) = run_cell(cell.runs[:1], resources)
    assert 0 < result.record.metrics["head"]["ordinality"] <= 1


def test_heads_learn_the_changed_ranks_and_are_tested_on_the_true_ones(
    resources: Resources,
) -> None:
    clean, noisy = (
        prepare(RunSpec(head="knn", dataset="drawn-faces:per_rank=5", protocol=protocol), resources)
        for protocol in ("standard", "label-noise:share=1")
    )
    assert noisy.split.train == clean.split.train
    assert (noisy.labelled("train").ranks != clean.labelled("train").ranks).all()
    assert noisy.labelled("train").ranks.dtype == torch.int64
    for part in ("val", "test"):
        assert noisy.labelled(part).ranks.equal(clean.labelled(part).ranks)
    assert noisy.identity.run_id != clean.identity.run_id
    (noisy_run,), (clean_run,) = run_cell([noisy], resources), run_cell([clean], resources)
    assert noisy_run.predictions is not None
    values = noisy.material.listing.task.rank_values
    assert noisy_run.predictions.train_median == values[int(noisy.labelled("train").ranks.median())]
    assert noisy_run.record.metrics["median"]["mae"] > clean_run.record.metrics["median"]["mae"]
    assert noisy_run.record.split is not None
    assert noisy_run.record.split.division == "5 folds by hash"
