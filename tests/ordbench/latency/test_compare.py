import pytest
import torch

from ordbench.latency import builders
from ordbench.latency import compare as latency
from ordbench.latency.builders import HeadBuilder
from ordbench.latency.compare import Comparison, compare
from ordbench.latency.cost import Cost
from ordbench.latency.runtimes import NotTimed
from ordbench.latency.setting import LatencySetting, Stage
from ordbench.latency.workloads import Workload
from tests.reference.text_tower import random_clip

SMALL = LatencySetting(batch=2, num_ranks=5, in_features=24)


@pytest.fixture(autouse=True)
def small_towers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builders, "_load_text_tower", lambda name, device: random_clip())


def once(setting: LatencySetting, *heads: str) -> Comparison:
    (comparison,) = compare([setting], HeadBuilder(heads), seconds=0, trials=3)
    return comparison


def at(stage: Stage) -> LatencySetting:
    return LatencySetting(stage=stage, batch=2, num_ranks=5, in_features=24)


def test_every_head_is_timed_and_the_reference_is_once_itself() -> None:
    found = once(SMALL, "all")
    assert [row.label for row in found.rows] == HeadBuilder(["all"]).labels
    assert found.skipped == {}
    assert found.rows[0].ratio == (1, 1, 1)
    assert all(row.ratio and row.ratio.low <= row.ratio.estimate for row in found.rows)
    assert all(row.samples.seconds.min() > 0 for row in found.rows)


def test_with_text_only_prompt_heads_stand_beside_the_reference() -> None:
    found = once(at("with-text"), "coral", "coop", "zeroshot")
    assert [row.label for row in found.rows] == ["linear", "coop"]
    assert found.skipped.keys() == {"coral", "zeroshot"}
    assert found.skipped["coral"] == "it uses no text encoder"


def test_where_no_head_prompts_there_is_nothing_to_compare_with_text() -> None:
    assert list(compare([at("with-text")], HeadBuilder(["coral"]), seconds=0)) == []


def test_a_step_records_gradients_and_other_calls_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[bool] = set()

    def look(label: str, setting: LatencySetting, bench: HeadBuilder) -> Workload:
        return Workload(lambda: lambda: seen.add(torch.is_inference_mode_enabled()), NOTHING)

    monkeypatch.setattr(latency, "make_workload", look)
    once(at("deployed"))
    assert seen == {True}
    seen.clear()
    once(at("train"))
    assert seen == {False}


def test_fast_training_steps_do_not_wait_for_slow_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    def look(label: str, setting: LatencySetting, bench: HeadBuilder) -> Workload:
        return Workload(lambda: lambda: called.append(label), NOTHING)

    monkeypatch.setattr(latency, "make_workload", look)
    found = once(at("train"), "coral", "coop")
    assert [row.label for row in found.rows] == ["linear", "coral", "coop"]
    first_of_coop = called.index("coop")
    assert "coral" not in called[first_of_coop:]
    assert {"linear", "coral"} <= set(called[:first_of_coop])
    assert "linear" in called[first_of_coop:]


def test_without_the_reference_there_are_times_and_no_ratios(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def only_coral(label: str, setting: LatencySetting, bench: HeadBuilder) -> Workload:
        if label == "linear":
            raise NotTimed("out of order")
        return Workload(lambda: lambda: None, NOTHING)

    monkeypatch.setattr(latency, "make_workload", only_coral)
    found = once(SMALL, "coral")
    assert [(row.label, row.ratio) for row in found.rows] == [("coral", None)]
    assert found.skipped == {"linear": "out of order"}


def test_so_many_threads_are_used_and_then_as_many_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: set[int] = set()

    def look(label: str, setting: LatencySetting, bench: HeadBuilder) -> Workload:
        return Workload(lambda: lambda: seen.add(torch.get_num_threads()), NOTHING)

    monkeypatch.setattr(latency, "make_workload", look)
    before = torch.get_num_threads()
    list(compare([SMALL], HeadBuilder([]), seconds=0, trials=2, threads=before + 1))
    assert seen == {before + 1}
    assert torch.get_num_threads() == before


NOTHING = Cost(parameters=0, memory=0, flops=0)
