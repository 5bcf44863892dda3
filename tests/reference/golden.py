"""Outputs and ranks on which other codes were run, and what every loss must survive."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

RANKS = torch.tensor([2, 0, 3, 4])
SCORES = torch.tensor(  # one a rank
    [
        [0.2, -0.3, 1.1, 0.4, -0.7],
        [1.5, 0.9, -0.2, 0.1, -1.0],
        [-0.6, 0.3, 0.8, 1.7, 0.5],
        [0, 0, 0, 0, 0],
    ]
)
THRESHOLDS = torch.tensor(  # one a threshold
    [[2.1, 1.2, -0.4, -1.8], [1.9, -1, -1.5, -1.3], [0.5, 0.8, 0.6, -0.2], [-0.3, 0.1, -0.7, -2.0]]
)


def survives_extremes(
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    fewer: int = 0,
    num_ranks: tuple[int, ...] = (2, 3, 5, 8, 15, 61, 101, 150),
) -> None:
    """Loss and gradient are finite for 2 to 150 ranks, outputs to 1e4, and batches of all kinds.

    Args:
        loss: Of outputs ``(N, K - fewer)`` and ranks ``(N,)``; of any shape.
        fewer: How many outputs there are less than ranks.
        num_ranks: The numbers of ranks to try.
    """
    generator = torch.Generator().manual_seed(0)
    for k, scale, dtype in itertools.product(
        num_ranks, (0.0, 1.0, 1e2, 1e4), (torch.float32, torch.float64)
    ):
        batches = [torch.tensor([k - 1]), torch.zeros(6, dtype=torch.int64), torch.arange(k)]
        for ranks in batches:
            outputs = scale * torch.randn(len(ranks), k - fewer, generator=generator, dtype=dtype)
            outputs.requires_grad_()
            value = loss(outputs, ranks)
            where = f"K={k}, outputs of {scale:g}, {dtype}, {len(ranks)} images"
            assert value.dtype == dtype, f"the loss is {value.dtype}: {where}"
            assert value.isfinite().all(), f"the loss is not finite: {where}"
            torch.autograd.backward(value.sum())
            assert outputs.grad is not None
            assert outputs.grad.isfinite().all(), f"the gradient is not finite: {where}"
