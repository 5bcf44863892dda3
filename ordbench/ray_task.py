"""What a Ray worker does: a cell is a task, and what it needs is read from the object store."""

from __future__ import annotations

import platform
import signal
import warnings
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ordbench.backbone import TextTower
from ordbench.errors import SpecError
from ordbench.identity import Identity, owner_of, versions_for
from ordbench.prepared import Prepared
from ordbench.provenance import source_hash
from ordbench.registry import HEADS
from ordbench.spec import RunSpec
from ordbench.split import Split
from ordbench.trial import Trial, attempt
from ordbench.workspace import Material

Ref: TypeAlias = Any
"""A ``ray.ObjectRef``; Ray is an extra, so its types are not at hand."""

Packed = tuple[NDArray[np.uint8], torch.dtype, tuple[int, ...]]

HELD = 4  # features and text towers that a worker keeps at hand, mapped and not copied


class Run(NamedTuple):
    """One run of a cell; its split is in the object store."""

    spec: RunSpec
    identity: Identity
    split: Ref


class Job(NamedTuple):
    """A cell for a worker; what cells share is in the object store.

    Attributes:
        runs: Equal but for their seeds.
        material: A `Material`.
        tower: A `TextTower`, if the head prompts one.
        device: ``cpu`` or ``cuda``.
        versions: Of the libraries that stand in the run id.
    """

    runs: list[Run]
    material: Ref
    tower: Ref | None
    device: str
    versions: dict[str, str]


class _Bench(NamedTuple):
    """A worker's device and text tower, as `ordbench.runner.Bench` wants them."""

    device: str
    tower: TextTower | None

    def text_tower(self, spec: RunSpec) -> TextTower | None:
        return self.tower


def work(job: Job) -> list[Trial]:
    """Train and test a cell.

    Raises:
        SpecError: If this machine would not train what the run ids say.
    """
    _refuse_other_code(job)
    # Withdrawing a cell is for those that wait; Ray would interrupt one that has begun.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    material = cast(Material, _held(job.material))
    tower = cast("TextTower | None", job.tower and _held(job.tower))
    if tower:
        tower.model.to(job.device)
    prepared = [
        Prepared(run.spec, material, cast(Split, _get(run.split)), run.identity) for run in job.runs
    ]
    return attempt(prepared, _Bench(job.device, tower))


def pack(tensor: Tensor) -> Packed:
    """The bytes of a tensor, in a form that workers map into their memory instead of copying."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy(), tensor.dtype, tuple(tensor.shape)


def unpack(packed: Packed) -> Tensor:
    """The tensor on the CPU. It may lie in memory that all workers share: never write to it.

    >>> unpack(pack(torch.tensor([[1.5], [2.5]]))).tolist()
    [[1.5], [2.5]]
    """
    content, dtype, shape = packed
    if not content.size:
        return torch.empty(shape, dtype=dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(content).view(dtype).reshape(shape)


def _refuse_other_code(job: Job) -> None:
    """A result of other code would stand under a run id that is not its own."""
    spec, identity = job.runs[0].spec, job.runs[0].identity
    here = {**versions_for(spec), **owner_of(spec.head)}
    for name, wanted in {**job.versions, **identity.owner}.items():
        if (found := here.get(name, "none")) != wanted:
            raise SpecError(
                f"node {platform.node()} has {name} {found}, this machine has {wanted}; "
                "install the same versions on every node"
            )
    if source_hash(HEADS[spec.head]) != identity.hashes["head"]:
        raise SpecError(
            f"node {platform.node()} has another source of head {spec.head!r} than this machine; "
            "install the same package on every node"
        )


def _get(ref: Ref) -> object:
    return cast(object, import_module("ray").get(ref))


_held = lru_cache(HELD)(_get)
