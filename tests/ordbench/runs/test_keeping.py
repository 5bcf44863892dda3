import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from ordbench.plugins.registry import HEADS
from ordbench.runs.inference import predict
from ordbench.runs.kept_head import from_safetensors
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.runner import RunResult, run_cell
from ordbench.sweeps.survey import PreparedCell
from ordbench_heads.linear import Linear

SmallCells = Callable[..., list[PreparedCell]]


def first_run(cell: PreparedCell, resources: Resources) -> RunResult:
    (result,) = run_cell(cell.runs[:1], resources)
    return result


def metadata(content: bytes) -> dict[str, object]:
    """As the format of safetensors says: a length, then a header in JSON."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["ordbench"])


@pytest.mark.parametrize("head", ["linear", "coop", "regression", "knn"])
def test_the_kept_head_predicts_the_stored_posterior_bit_by_bit(
    head: str, resources: Resources, small_cells: SmallCells
) -> None:
    (cell,) = small_cells(head, shots="1")
    run, result = cell.runs[0], first_run(cell, resources)
    assert result.head is not None
    assert result.predictions is not None
    kept = from_safetensors(result.head)
    prediction = predict(kept.head(), run.labelled("test").features)
    if result.predictions.posterior is None:
        assert prediction.posterior is None
    else:
        assert prediction.posterior is not None
        assert np.array_equal(prediction.posterior.numpy(), result.predictions.posterior)
    of_val = predict(kept.head(), run.labelled("val").features)
    assert kept.validation.ranks.tolist() == run.labelled("val").ranks.tolist()
    assert kept.validation.position.tolist() == of_val.position.tolist()
    if of_val.posterior is None:
        assert kept.validation.posterior is None
    else:
        assert kept.validation.posterior is not None
        assert np.array_equal(of_val.posterior.numpy(), kept.validation.posterior)


def test_the_file_says_what_it_is(resources: Resources, small_cells: SmallCells) -> None:
    (cell,) = small_cells("coral:hidden=8", shots="2")
    run, result = cell.runs[0], first_run(cell, resources)
    assert result.head is not None
    task = run.material.listing.task
    found = metadata(result.head)
    assert found.pop("ordbench")
    assert found.pop("head_options") == {**run.spec.head_options, "hidden": [8]}
    assert found.pop("task") == {
        "title": "drawn-faces",
        "num_ranks": task.num_ranks,
        "rank_names": list(task.rank_names),
        "rank_values": list(task.rank_values),
        "unit": "years",
        "context": task.context,
    }
    assert found == {
        "format_version": 1,
        "run_id": run.identity.run_id,
        "label": "coral:hidden=8",
        "head": "coral",
        "train_seed": 0,
        "backbone": "clip:tiny",
        "fingerprint": run.material.features.fingerprint,
        "layer": "post",
        "normalize": False,
        "dtype": "float32",
        "device": "cpu",
        "text": "",
        "aligned": True,
        "in_features": run.material.features.features.shape[1],
        "decode": "median",
    }
    floats = {t.dtype for t in load(result.head).values() if t.is_floating_point()}
    assert floats == {torch.float32}


def test_neither_tokens_nor_the_text_tower_are_kept_of_a_prompt_head(
    resources: Resources, small_cells: SmallCells
) -> None:
    (cell,) = small_cells("ordinalclip", shots="1")
    content = first_run(cell, resources).head
    assert content is not None
    state = [name for name in load(content) if name.startswith("head.")]
    assert state == ["head.prototypes"]


def test_a_tuned_head_is_kept_with_the_options_that_were_chosen(
    resources: Resources, small_cells: SmallCells
) -> None:
    (cell,) = small_cells("knn", shots="1")
    run = cell.runs[0]
    tuning = {"budget": 3, "sampler": "grid"}
    spec = type(run.spec).model_validate(run.spec.model_dump() | {"tuning": tuning})
    (result,) = run_cell([replace(run, spec=spec)], resources)
    assert result.head is not None
    assert result.record.training is not None
    chosen = result.record.training.chosen
    assert from_safetensors(result.head).facts.head_options == spec.head_options | chosen


@pytest.mark.parametrize("head", ["sklearn:DecisionTreeRegressor", "mord:LogisticAT"])
def test_an_estimator_is_not_kept_and_nothing_is_said(
    head: str,
    resources: Resources,
    small_cells: SmallCells,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (cell,) = small_cells(head, shots="1")
    result = first_run(cell, resources)
    assert result.record.status == "done", result.trace
    assert result.head is None
    assert not caplog.messages


def test_no_head_is_kept_where_none_is_wanted(
    resources: Resources, small_cells: SmallCells
) -> None:
    (cell,) = small_cells("linear", shots="1")
    without = Resources(Locations(cache=resources.cache, device="cpu", save_heads=False))
    kept, not_kept = first_run(cell, resources), first_run(cell, without)
    assert kept.head is not None
    assert not_kept.head is None
    assert kept.record.run_id == not_kept.record.run_id
    assert kept.record.metrics == not_kept.record.metrics


class Forgetful(Linear):
    """What it is fitted to is in no buffer."""

    offset: Tensor | float = 0.0

    def fit(self, features: Tensor, ranks: Tensor) -> None:
        self.offset = features.mean() + 1

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features) + self.offset

    def deployed(self) -> torch.nn.Module:
        return self

    def posterior(self, outputs: Tensor) -> Tensor:
        return (outputs * self.offset).softmax(-1)


class Unkeepable(Linear):
    def kept(self) -> dict[str, Tensor]:
        raise RuntimeError("no\nroom")


@pytest.mark.parametrize(
    ("plugin", "said"), [(Forgetful, "it predicts otherwise"), (Unkeepable, "no room")]
)
def test_a_head_that_cannot_be_loaded_is_not_kept_and_that_is_said_once(
    plugin: type[Linear],
    said: str,
    resources: Resources,
    small_cells: SmallCells,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (cell,) = small_cells("linear", shots="1")
    monkeypatch.setitem(HEADS._builtin, "linear", plugin)
    results = run_cell(cell.runs, resources)
    assert [(one.record.status, one.head) for one in results] == [("done", None)] * 2
    (line,) = [said for said in caplog.messages if said.startswith("head linear is not kept: ")]
    assert said in line
    assert "\n" not in line


def test_what_is_no_kept_head_is_refused_in_one_line(
    resources: Resources, small_cells: SmallCells
) -> None:
    (cell,) = small_cells("linear", shots="1")
    content = first_run(cell, resources).head
    assert content is not None
    newer = content.replace(b'format_version\\":1', b'format_version\\":2')
    foreign = content.replace(b"ordbench", b"elsewise")
    for broken, said in [
        (b"", "it is not a head that ordbench kept: "),
        (content[:-1], "it is not a head that ordbench kept: "),
        (b"\xff" * 100, "it is not a head that ordbench kept: "),
        (foreign, "it is not a head that ordbench kept: "),
        (newer, "format_version 2. is that of another version"),
        (content.replace(b"num_ranks", b"sum_ranks"), "its metadata cannot be read: task"),
    ]:
        with pytest.raises(ValueError, match=said) as refused:
            from_safetensors(broken)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("ranks", lambda ranks: ranks + 100, r"validation\.ranks must be in 0\.\."),
        ("ranks", lambda ranks: ranks[:2].clone(), r"validation\.posterior must be \(2, "),
        ("posterior", lambda probs: probs[:, 1:].clone(), r"validation\.posterior must be "),
        ("position", lambda found: found[1:].clone(), r"validation\.position must be "),
    ],
)
def test_validation_that_does_not_fit_together_is_refused(
    name: str,
    change: Callable[[Tensor], Tensor],
    said: str,
    resources: Resources,
    small_cells: SmallCells,
) -> None:
    (cell,) = small_cells("linear", shots="1")
    content = first_run(cell, resources).head
    assert content is not None
    length = int.from_bytes(content[:8], "little")
    tensors = load(content)
    tensors[f"validation.{name}"] = change(tensors[f"validation.{name}"])
    edited = save(tensors, json.loads(content[8 : 8 + length])["__metadata__"])
    with pytest.raises(ValueError, match=said):
        from_safetensors(edited)
