from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ordbench.latency.cost import footprint


def peak(call: Callable[[], object]) -> int | None:
    return footprint(call, [], device="cpu").memory


def test_what_is_held_is_the_most_at_one_time() -> None:
    start = torch.zeros(100)

    def chain() -> Tensor:
        return ((start + 1) + 1) + 1  # the first sum is gone when the third is made

    def together() -> Tensor:
        first = start + 1
        second = first + 1
        return first + second

    assert peak(chain) == 2 * 400
    assert peak(together) == 3 * 400


def test_views_and_writing_in_place_hold_nothing_more() -> None:
    start = torch.zeros(10, 10)
    assert peak(lambda: start.T[:5].add_(1)) == 0
    assert peak(lambda: (start + 1).mul_(2).view(5, 20).t()) == 400


def test_what_the_backward_pass_needs_is_held_until_then() -> None:
    start = torch.zeros(100, requires_grad=True)

    def forward() -> Tensor:
        return start.exp().exp().exp().sum()

    assert peak(forward) == 3 * 400 + 4
    with torch.no_grad():
        assert peak(forward) == 2 * 400


def test_weights_buffers_and_an_optimisers_state_are_held_too() -> None:
    layer = nn.BatchNorm1d(3).eval()  # 2 * 3 weights; 2 * 3 numbers, and one that is not read
    features = torch.ones(5, 3)
    found = footprint(lambda: layer(features), [layer], device="cpu", state=1000)
    assert found.parameters == 6
    assert found.memory == 4 * (6 + 6) + 1000 + 4 * 5 * 3


def test_products_of_the_backward_pass_are_counted() -> None:
    layer, features = nn.Linear(7, 5), torch.ones(3, 7)
    found = footprint(lambda: layer(features).sum().backward(), [layer], device="cpu")
    assert found.flops == 2 * (2 * 3 * 7 * 5)  # forward, and the gradient of the weights


def test_on_cuda_the_allocator_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(name: str, number: int | None = None) -> None:
        def method(device: str) -> int | None:
            assert device == "cuda:1"
            asked.append(name)
            return number

        monkeypatch.setattr(torch.cuda, name, method)

    answer("synchronize")
    answer("reset_peak_memory_stats")
    answer("memory_allocated", 500)
    answer("max_memory_allocated", 1700)
    assert footprint(lambda: None, [], device="cuda:1").memory == 1200
    assert asked[1:] == [
        "reset_peak_memory_stats",
        "memory_allocated",
        "synchronize",
        "max_memory_allocated",
    ]


def test_gradients_are_held_by_the_call_that_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, features = nn.Linear(7, 5), torch.ones(3, 7)

    def held(device: str) -> int:
        return sum(4 * p.numel() for p in layer.parameters() if p.grad is not None)

    for name in ("synchronize", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda device: None)
    monkeypatch.setattr(torch.cuda, "memory_allocated", held)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", held)
    found = footprint(lambda: layer(features).sum().backward(), [layer], device="cuda")
    assert found.memory == 2 * 4 * (5 * 7 + 5)


def test_weights_and_buffers_that_a_call_does_not_read_are_not_counted() -> None:
    used, features = nn.Linear(2, 3), torch.ones(5, 2)
    both = nn.ModuleList([used, nn.BatchNorm1d(4)])
    found, alone = (
        footprint(lambda: used(features), [module], device="cpu") for module in (both, used)
    )
    assert found == alone
    assert found.parameters == 9
