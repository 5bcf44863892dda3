"""A trained head as one safetensors file that says by itself what it is and how to rebuild it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ordbench.backbone import Layer
from ordbench.errors import StoreError
from ordbench.head import Problem
from ordbench.plugins.registry import HEADS
from ordbench.recipe import OptionValue
from ordbench.task import Task
from ordbench.utils.canonical_json import canonical
from ordbench.utils.random_numbers import seeded
from ordbench.utils.wording import wanted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ordbench.head import BaseHead

SUFFIX = ".safetensors"
_METADATA = "ordbench"
_HEAD, _PROBLEM, _VALIDATION = "head.", "problem.", "validation."
_LENGTH = 8  # bytes that say how long the header of a safetensors file is


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class KeptTask(_Facts):
    """What is predicted: a `Task` and its title."""

    title: str
    num_ranks: int
    rank_names: tuple[str, ...]
    rank_values: tuple[float, ...]
    unit: str
    context: str

    def task(self) -> Task:
        """The task that the head was told."""
        return Task(
            rank_names=self.rank_names,
            rank_values=self.rank_values,
            unit=self.unit,
            context=self.context,
        )


class HeadFacts(_Facts):
    """The metadata of the file: one JSON value under the key ``ordbench``.

    Attributes:
        format_version: Raised when an older ordbench could not read the file.
        run_id: The run that trained it.
        label: The head as a user would type it.
        head: Its registered name.
        head_options: All its options, those that a tuning chose among them.
        train_seed: Starts what is random in the head.
        task: What is predicted.
        backbone: Whose features it reads, as typed; ``none`` for a dataset that brings features.
        fingerprint: SHA-256 of the backbone's weights; empty for ``none``.
        layer: Features after or before the projection into the joint space.
        normalize: Whether features are brought to unit length.
        dtype: Arithmetic of the backbone.
        device: ``cpu`` or ``cuda``: where features and head were computed.
        text: Backbone whose text tower was prompted; empty for the backbone's own. Not needed.
        aligned: See `Problem`.
        in_features: Width D of the features.
        decode: How the posterior becomes an estimate; ``point`` for a head without one.
        ordbench: Version that wrote the file.
    """

    format_version: Literal[1] = 1
    run_id: str
    label: str
    head: str
    head_options: dict[str, OptionValue]
    train_seed: int
    task: KeptTask
    backbone: str
    fingerprint: str
    layer: Layer
    normalize: bool
    dtype: str
    device: str
    text: str
    aligned: bool
    in_features: int
    decode: Literal["median", "point"]
    ordbench: str

    def portable(self) -> HeadFacts:
        """Without the paths of weights, which no other machine has."""
        names = {"backbone": self.backbone, "text": self.text}
        return self.model_copy(
            update={field: name.partition("@")[0] for field, name in names.items()}
        )


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What the head said of the M validation images, for calibration.

    Attributes:
        ranks: True ranks ``(M,)``, int64 in 0..K-1.
        posterior: ``(M, K)`` float32; None for a head that estimates a point only.
        position: Estimates ``(M,)`` in rank steps, float32.
    """

    ranks: NDArray[np.int64]
    posterior: NDArray[np.float32] | None
    position: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class KeptHead:
    """All that is in the file.

    Attributes:
        facts: Its metadata.
        state: What `BaseHead.kept` gave.
        train_counts: See `Problem`; so for ``feature_mean`` and ``feature_scale``.
        validation: What the head said of the validation images.
    """

    facts: HeadFacts
    state: Mapping[str, Tensor] = field(repr=False)
    train_counts: Tensor
    feature_mean: Tensor
    feature_scale: Tensor
    validation: Validation

    def head(self) -> BaseHead:
        """The trained head, on the CPU.

        Raises:
            OrdbenchError: If the head is not installed, or its code no longer fits the file.
        """
        facts = self.facts
        problem = Problem(
            in_features=facts.in_features,
            task=facts.task.task(),
            train_counts=self.train_counts,
            feature_mean=self.feature_mean,
            feature_scale=self.feature_scale,
            aligned=facts.aligned,
        )
        head_class = HEADS[facts.head]
        try:
            with seeded(facts.train_seed):
                head = head_class.rebuilt(problem, self.state, **facts.head_options)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise StoreError(
                f"the head of run {facts.run_id} was kept by ordbench {facts.ordbench} and cannot "
                f"be rebuilt by the head {facts.head!r} that is installed: {error}"
            ) from error
        head.typed_name = facts.head
        return head.eval()


def to_safetensors(kept: KeptHead) -> bytes:
    """The content of the file; equal heads give equal bytes."""
    from safetensors.torch import save

    tensors = {_HEAD + name: tensor for name, tensor in kept.state.items()}
    for name in ("train_counts", "feature_mean", "feature_scale"):
        tensors[_PROBLEM + name] = getattr(kept, name)
    tensors |= _of_validation(kept.validation)
    # Copies: safetensors refuses tensors that share memory.
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return save(plain, {_METADATA: canonical(kept.facts.model_dump(mode="json"))})


def from_safetensors(content: bytes) -> KeptHead:
    """Read what `to_safetensors` made.

    Raises:
        ValueError: If it is not such a file; in one line.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(content)
        end = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
        metadata = json.loads(content[_LENGTH:end]).get("__metadata__", {})
        facts = HeadFacts.model_validate_json(metadata[_METADATA])
        return KeptHead(
            facts=facts,
            state=_part(tensors, _HEAD),
            **_part(tensors, _PROBLEM),
            validation=_to_validation(_part(tensors, _VALIDATION), facts.task.num_ranks),
        )
    except ValidationError as error:
        first = min(error.errors(), key=lambda found: found["loc"] != ("format_version",))
        if first["loc"] == ("format_version",):
            raise ValueError(
                f"its format (format_version {first['input']}) is that of another version of "
                "ordbench"
            ) from None
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"its metadata cannot be read: {where}: {wanted([first])}") from None
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"it is not a head that ordbench kept: {error}") from error


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    named = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): tensor for name, tensor in named.items()}


def _of_validation(validation: Validation) -> dict[str, Tensor]:
    import torch

    arrays = {"ranks": validation.ranks, "position": validation.position}
    if validation.posterior is not None:
        arrays["posterior"] = validation.posterior
    return {_VALIDATION + name: torch.from_numpy(array) for name, array in arrays.items()}


def _to_validation(tensors: Mapping[str, Tensor], num_ranks: int) -> Validation:
    """What `_of_validation` made; a ValueError if it does not fit together."""
    posterior, ranks = tensors.get("posterior"), tensors["ranks"]
    shapes = {} if posterior is None else {"posterior": (*ranks.shape, num_ranks)}
    for name, shape in {**shapes, "position": ranks.shape}.items():
        if tensors[name].shape != shape:
            raise ValueError(
                f"validation.{name} must be {tuple(shape)}, got {tuple(tensors[name].shape)}"
            )
    if ((ranks < 0) | (ranks >= num_ranks)).any():
        raise ValueError(f"validation.ranks must be in 0..{num_ranks - 1}")
    return Validation(
        ranks=ranks.numpy(),
        posterior=None if posterior is None else posterior.numpy(),
        position=tensors["position"].numpy(),
    )
