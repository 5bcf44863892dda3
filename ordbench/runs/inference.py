"""What a trained head predicts, checked: the same bits for an image, whatever others there are."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ordbench.errors import BrokenPluginError
from ordbench.head import BaseHead, Prediction
from ordbench.metrics.decoding import check_posterior
from ordbench.utils.random_numbers import seeded
from ordbench.utils.torch_threads import threads

# Images that go through a head at a time. A matrix product sums in another order where it has
# another number of rows, so every batch is filled up.
BATCH = 256


def predict(head: BaseHead, features: Tensor) -> Prediction:
    """What the deployed head predicts for features ``(N, D)``.

    Raises:
        BrokenPluginError: If its posterior is not a probability mass function, or the like.
    """
    return outputs_of(head, features)[1]


@torch.no_grad()
def outputs_of(head: BaseHead, features: Tensor) -> tuple[Tensor, Prediction]:
    """As `predict`, with the deployed head's outputs ``(N, ...)``."""
    with threads(1), seeded(0, features.device):
        deployed = head.deployed().to(features.device)
        outputs = [deployed(batch) for batch in _batches(features)]
        found = [head.predict(one) for one in outputs]
    posteriors = [one.posterior for one in found if one.posterior is not None]
    prediction = Prediction(
        torch.cat([one.position for one in found])[: len(features)],
        torch.cat(posteriors)[: len(features)] if posteriors else None,
    )
    _check(prediction, head, len(features))
    return torch.cat(outputs)[: len(features)], prediction


def _batches(features: Tensor) -> Iterator[Tensor]:
    """Parts of ``BATCH`` rows; in the last one, its last row stands for those that lack."""
    for start in range(0, len(features), BATCH):
        batch = features[start : start + BATCH]
        yield torch.cat([batch, batch[-1:].expand(BATCH - len(batch), -1)])


def _check(prediction: Prediction, head: BaseHead, num: int) -> None:
    """Refuse what is no prediction, naming the head and its method."""
    name, (position, posterior) = head.typed_name, prediction
    if posterior is None:
        if position.shape != (num,) or not position.isfinite().all():
            raise BrokenPluginError(
                f"head {name}: estimate must return finite numbers of shape ({num},), "
                f"got shape {tuple(position.shape)}"
            )
        return
    try:
        check_posterior(posterior.cpu().double().numpy(), head.num_ranks)
    except ValueError as error:
        raise BrokenPluginError(
            f"head {name}: {error}; return a softmax over the ranks, or normalise the rows"
        ) from error
