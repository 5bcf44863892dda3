from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ordbench.footprint import footprint


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
    layer = nn.BatchNorm1d(3).eval()  # 2 * 3 weights; 2 * 3 numbers of 4 bytes, one of 8
    found = footprint(lambda: None, [layer, nn.Linear(3, 2)], device="cpu", state=1000)
    assert found.parameters == 6 + 8
    assert found.memory == 4 * (6 + 8) + 6 * 4 + 8 + 1000


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
