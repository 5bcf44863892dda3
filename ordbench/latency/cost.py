"""What a call holds in memory and how much it computes: counted, not timed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

StorageWeakRef = import_module("torch.multiprocessing.reductions").StorageWeakRef  # untyped


class Cost(NamedTuple):
    """What a call costs besides time.

    Attributes:
        parameters: Weights that it reads, trained or not. A text tower's token table is not among
            them where prompts hold copies of the rows that they need.
        memory: Most bytes held at once: the weights and buffers that it reads, the state of an
            optimiser, and the tensors that the call makes. Its input, such copies and, on the CPU,
            the scratch space inside an operation are not counted. None where it is not known.
        flops: Floating-point operations of its matrix products, a multiplication and an addition
            being two. What is done element by element is not counted.
    """

    parameters: int
    memory: int | None
    flops: int


def footprint(
    call: Callable[[], object], modules: Sequence[nn.Module], *, device: str, state: int = 0
) -> Cost:
    """Count what ``call`` costs, by calling it.

    Args:
        call: What is looked at.
        modules: Where its weights are; none holds another. Their gradients are dropped.
        device: Where it runs. On CUDA the allocator is asked for the peak of a second call.
        state: Bytes of an optimiser's state.

    A layer of 2 x 3 weights and 3 biases makes 5 x 3 outputs, all of 4 bytes:

    >>> layer, features = nn.Linear(2, 3), torch.ones(5, 2)
    >>> footprint(lambda: layer(features), [layer], device="cpu")  # (9 + 15) * 4, 2 * 5 * 2 * 3
    Cost(parameters=9, memory=96, flops=60)
    """
    seen = _Storages()
    with FlopCounterMode(display=False) as counter, seen:
        call()
    for module in modules:
        module.zero_grad()  # else those of the first call would hide the second's
    peak = _cuda_peak(call, device) if device.startswith("cuda") else seen.peak
    parameters = [p for module in modules for p in module.parameters() if seen.reads(p)]
    buffers = [b for module in modules for b in module.buffers() if seen.reads(b)]
    return Cost(
        parameters=sum(parameter.numel() for parameter in parameters),
        memory=num_bytes([*parameters, *buffers]) + state + peak,
        flops=int(counter.get_total_flops()),
    )


def num_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes of all elements of some tensors.

    >>> num_bytes([torch.zeros(3), torch.zeros(2, dtype=torch.int64)])  # 3 * 4 + 2 * 8
    28
    """
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _cuda_peak(call: Callable[[], object], device: str) -> int:
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    call()
    torch.cuda.synchronize(device)
    return int(torch.cuda.max_memory_allocated(device)) - before


class _Storages(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Remembers what operations were given, and follows what they return while somebody holds it.

    Attributes:
        peak: Most bytes of what they returned at one time.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live: list[tuple[Any, int]] = []
        self.peak = 0
        self.given: set[Any] = set()

    def reads(self, tensor: Tensor) -> bool:
        """Whether an operation was given the storage of a tensor."""
        return _storages(tensor).keys() <= self.given

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operation returns
        result = func(*args, **(kwargs or {}))
        given = set(_storages((args, kwargs)))
        self.given |= given
        known = {ref for ref, _ in self.live} | given
        self.live += [item for item in _storages(result).items() if item[0] not in known]
        self.live = [(ref, size) for ref, size in self.live if not ref.expired()]
        self.peak = max(self.peak, sum(size for _, size in self.live))
        return result


def _storages(tree: object) -> dict[Any, int]:
    """The storages below the tensors of ``tree``, and their bytes."""
    storages = [leaf.untyped_storage() for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
    return {StorageWeakRef(storage): storage.nbytes() for storage in storages}
