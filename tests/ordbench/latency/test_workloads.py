from collections.abc import Sequence
from functools import partial
from typing import Literal, cast

import pytest
import torch
from torch import Tensor, nn

from ordbench.latency import builders
from ordbench.latency import workloads as latency_step
from ordbench.latency.builders import HeadBuilder
from ordbench.latency.runtimes import NotTimed
from ordbench.latency.setting import Arithmetic, LatencySetting, Runtime, Stage
from ordbench.latency.workloads import TrainingStep, Workload, make_workload
from ordbench.recipe import Recipe
from ordbench.training.optim import State, optimizer_of
from ordbench_heads.linear import Linear
from tests.reference.problem import problem
from tests.reference.text_tower import random_clip, random_siglip

HEADS = ("linear", "coral", "coop", "ordinalclip", "zeroshot")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> HeadBuilder:
    """Heads whose text tower is small: 24 wide features are aligned."""
    monkeypatch.setattr(builders, "_load_text_tower", lambda name, device: random_clip())
    return HeadBuilder(HEADS)


def setting(
    stage: Stage = "deployed",
    runtime: Runtime = "eager",
    dtype: Arithmetic = "float32",
    width: int = 24,
) -> LatencySetting:
    return LatencySetting(
        stage=stage, runtime=runtime, dtype=dtype, batch=3, num_ranks=5, in_features=width
    )


def num_weights(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def answer(one: Workload) -> Tensor:
    with torch.inference_mode():
        return cast("Tensor", one.fresh()()).clone()


@pytest.mark.parametrize("label", HEADS)
def test_what_is_deployed_answers_as_the_head_on_the_same_features(
    bench: HeadBuilder, label: str
) -> None:
    features = torch.randn(3, 24, generator=torch.Generator().manual_seed(0))
    wanted = bench.head(label, setting())(features)
    torch.testing.assert_close(answer(make_workload(label, setting(), bench)), wanted)


def test_each_call_of_a_deployed_module_has_weights_and_features_of_its_own(
    bench: HeadBuilder,
) -> None:
    one = make_workload("linear", setting(), bench)
    first, second = (cast("partial[Tensor]", one.fresh()) for _ in range(2))
    weights = [cast("nn.Linear", call.func).weight for call in (first, second)]
    assert weights[0].data_ptr() != weights[1].data_ptr()
    assert first.args[0].data_ptr() != second.args[0].data_ptr()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_what_is_deployed_computes_in_the_arithmetic_asked_for(
    bench: HeadBuilder, dtype: Arithmetic
) -> None:
    assert answer(make_workload("ordinalclip", setting(dtype=dtype), bench)).dtype == getattr(
        torch, dtype
    )
    assert answer(make_workload("ordinalclip", setting(), bench)).dtype == torch.float32


def test_with_text_the_prompts_are_encoded_at_each_call(bench: HeadBuilder) -> None:
    deployed = make_workload("coop", setting(), bench)
    whole = make_workload("coop", setting("with-text"), bench)
    torch.testing.assert_close(answer(whole), answer(deployed))
    context = bench.head("coop", setting()).get_parameter("context")
    with torch.no_grad():
        context.normal_()
    assert not torch.allclose(answer(whole), answer(deployed))
    assert whole.cost.flops > 100 * deployed.cost.flops


def test_beside_heads_with_their_text_tower_the_reference_is_deployed(bench: HeadBuilder) -> None:
    assert make_workload("linear", setting("with-text"), bench).cost.parameters == 24 * 5 + 5


def test_a_step_trains_a_head_of_its_own(bench: HeadBuilder) -> None:
    one = make_workload("ordinalclip", setting("train"), bench)
    kept = bench.head("ordinalclip", setting("train")).get_parameter("base_ranks").clone()
    call = cast("TrainingStep", one.fresh())
    assert call is one.fresh()
    before = call.loss().item()
    call()
    assert call.loss().item() != before
    after = bench.head("ordinalclip", setting("train")).get_parameter("base_ranks")
    assert torch.equal(kept, after)


@pytest.mark.parametrize("stage", ["with-text", "train"])
def test_of_a_text_tower_no_token_table_counts_whose_rows_were_copied(
    bench: HeadBuilder, stage: Stage
) -> None:
    text = random_clip().model
    blocks, projection = text.get_submodule("transformer"), text.get_parameter("text_projection")
    tower = num_weights(blocks) + num_weights(text.get_submodule("ln_final")) + projection.numel()
    head = num_weights(bench.head("coop", setting(stage)))
    assert make_workload("coop", setting(stage), bench).cost.parameters == tower + head


@pytest.mark.parametrize("stage", ["with-text", "train"])
def test_a_token_table_that_is_read_counts(
    bench: HeadBuilder, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    tower = random_siglip()
    monkeypatch.setattr(builders, "_load_text_tower", lambda name, device: tower)
    whole = num_weights(tower.model) + num_weights(bench.head("ordinalclip", setting(stage)))
    assert make_workload("ordinalclip", setting(stage), bench).cost.parameters == whole


def test_a_training_step_holds_weights_gradients_and_what_the_optimiser_remembers(
    bench: HeadBuilder,
) -> None:
    where = LatencySetting(stage="train", batch=32)
    weights = 4 * num_weights(bench.head("linear", where))
    memory = make_workload("linear", where, bench).cost.memory
    assert memory is not None
    assert memory >= weights + weights + 2 * weights + weights  # the last: AdamW's denominators


@pytest.mark.parametrize(
    ("label", "where", "reason"),
    [
        (
            "zeroshot",
            setting("with-text"),
            "it keeps its prototypes and never runs the text encoder",
        ),
        ("zeroshot", setting("train"), "it has nothing to train"),
        ("zeroshot", setting(width=30), "head zeroshot: image features are compared with text"),
        ("coop", setting("with-text", dtype="float16"), "text encoders are computed in float32"),
        ("linear", setting("train", dtype="float64"), "training and text encoders are computed in"),
        ("linear", setting("train", "onnx"), "only what is deployed is exported to ONNX"),
        ("coop", setting("with-text", "onnx"), "only what is deployed is exported to ONNX"),
    ],
    ids=lambda value: str(value),
)
def test_what_makes_no_sense_is_said_and_not_timed(
    bench: HeadBuilder, label: str, where: LatencySetting, reason: str
) -> None:
    with pytest.raises(NotTimed, match=reason):
        make_workload(label, where, bench)


def test_an_operation_that_the_arithmetic_lacks_is_a_reason(
    bench: HeadBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(features: Tensor, *rest: Tensor) -> Tensor:
        raise NotImplementedError('"addmm" not implemented for Half')

    monkeypatch.setattr("torch.nn.functional.linear", lacking)
    with pytest.raises(NotTimed, match='NotImplementedError: "addmm" not implemented for Half'):
        make_workload("linear", setting(dtype="float16"), bench)


@pytest.mark.parametrize("stage", ["deployed", "with-text", "train"])
def test_what_is_compiled_answers_alike_and_does_not_tell_its_memory(
    bench: HeadBuilder, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    compiled: list[object] = []

    def remember(function: object, *, dynamic: bool) -> object:
        assert dynamic is False
        compiled.append(function)
        return function

    monkeypatch.setattr(torch, "compile", remember)
    one = make_workload("coop", setting(stage, "compile"), bench)
    assert len(compiled) == 1
    assert one.cost.memory is None
    assert one.cost.flops == make_workload("coop", setting(stage), bench).cost.flops
    if stage != "train":
        torch.testing.assert_close(answer(one), answer(make_workload("coop", setting(), bench)))


FEATURES = torch.randn(8, 24, generator=torch.Generator().manual_seed(0))


RANKS = torch.arange(8) % 5


Optimizer = Literal["adamw", "radam", "sgd"]


WEIGHTS = 5 * 24 + 5


def step(optimizer: Optimizer) -> TrainingStep:
    return TrainingStep(Linear(problem()), Recipe(optimizer=optimizer), FEATURES, RANKS)


@pytest.mark.parametrize("optimizer", ["adamw", "radam", "sgd"])
def test_steps_lower_the_loss_of_their_batch(optimizer: Optimizer) -> None:
    one = step(optimizer)
    before = one.loss().item()
    for _ in range(20):
        one()
    assert one.loss().item() < before


@pytest.mark.parametrize(("optimizer", "copies", "counters"), [("adamw", 2, 2), ("sgd", 1, 0)])
def test_what_an_optimiser_remembers_is_counted(
    optimizer: Optimizer, copies: int, counters: int
) -> None:
    one = step(optimizer)
    assert one.state_bytes == 0
    one()
    assert one.state_bytes == 4 * (copies * WEIGHTS + counters)


def test_the_optimiser_is_that_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.optim.Optimizer] = []

    def remember(states: Sequence[State], recipes: Sequence[Recipe]) -> torch.optim.Optimizer:
        made.append(optimizer_of(states, recipes))
        return made[-1]

    monkeypatch.setattr(latency_step, "optimizer_of", remember)
    assert made == [step("radam").optimizer]
