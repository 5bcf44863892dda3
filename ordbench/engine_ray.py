"""The Ray engine: cells as tasks of a Ray cluster, of which nothing but results comes back.

Workers need neither the store nor images, weights or a network: features, splits and text towers
are put into Ray's object store, where all workers of a node read the same copy.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

import torch

from ordbench.engine import Pool, Trials, WorkerDiedError, relay
from ordbench.errors import SpecError
from ordbench.identity import versions_for
from ordbench.prepared import Prepared
from ordbench.ray_connection import Ray, connection, import_ray, resolve
from ordbench.ray_task import Job, Ref, Run, pack, unpack, work
from ordbench.registry import HEADS
from ordbench.workspace import Workspace

# Cells in flight for each that can run: what waits tells an autoscaling cluster to grow.
AHEAD = 2
LEAST = 4

_log = logging.getLogger("ordbench")


def ray_pool(
    workspace: Workspace,
    *,
    address: str | None = None,
    jobs: int | None = None,
    gpus_per_cell: float | None = None,
) -> AbstractContextManager[Pool]:
    """Workers of a Ray cluster, until the context ends.

    Args:
        workspace: Where features and text towers come from.
        address: Of a running cluster; ``auto`` for the one of this machine. None for
            ``RAY_ADDRESS``, or for the one that this process is connected to, or else for one of
            its own, on the loopback address.
        jobs: CPUs of a cluster of its own; None for all.
        gpus_per_cell: Part of a GPU that a cell takes; 0 trains on the CPU. None for a whole one
            where the workspace uses CUDA, else 0.

    Raises:
        SpecError: If Ray is not installed, or an option is not to be had; when the context begins,
            if there is no such cluster or it has no GPU.
    """
    gpus = (workspace.device != "cpu") * 1.0 if gpus_per_cell is None else gpus_per_cell
    if gpus < 0 or (gpus > 1 and not gpus.is_integer()):
        raise SpecError(
            f"--gpus-per-cell {gpus}: wanted a part of a GPU (0.25), or whole ones; 0 for none"
        )
    address = resolve(address, jobs)
    return _connected(import_ray(address), workspace, address, jobs, gpus)


@contextmanager
def _connected(
    ray: Ray, workspace: Workspace, address: str | None, jobs: int | None, gpus: float
) -> Generator[Pool]:
    with connection(ray, address, jobs):
        if gpus and not ray.cluster_resources().get("GPU"):
            if address is None:
                raise SpecError(f"--gpus-per-cell {gpus}: Ray finds no GPU on this machine; take 0")
            _log.warning("the Ray cluster at %s has no GPU yet; cells wait for one", address)
        yield _Cluster(ray, workspace, gpus)


class _Cluster:
    """Tasks of one CPU each, and what they share."""

    def __init__(self, ray: Ray, workspace: Workspace, gpus: float) -> None:
        self._ray = ray
        self._workspace = workspace
        self._gpus = gpus
        # A second try is the engine's decision; Ray's own would go on for ever without memory.
        # Without `max_calls` a worker with a GPU would end after each cell.
        options = {"num_cpus": 1, "num_gpus": gpus, "max_retries": 0, "max_calls": 0}
        self._task = ray.remote(**options)(work)
        self._shared: dict[int, tuple[object, Ref]] = {}
        self._flying: dict[Trials, Ref] = {}

    @property
    def size(self) -> int:
        """Cells to send: twice those that the cluster runs as it is now, so that it may grow."""
        has: Mapping[str, float] = self._ray.cluster_resources()
        slots = has.get("CPU", 0.0)
        if self._gpus:
            slots = min(slots, has.get("GPU", 0.0) / self._gpus)
        return max(LEAST, AHEAD * int(slots))

    def submit(self, prepared: Sequence[Prepared]) -> Trials:
        """Send it as a task; features and tower go to each node once."""
        spec, material = prepared[0].spec, prepared[0].material
        tower = self._workspace.text_tower(spec) if HEADS[spec.head].needs_text else None
        job = Job(
            runs=[Run(one.spec, one.identity, self._share(one.split)) for one in prepared],
            material=self._share(material),
            tower=self._share(tower) if tower else None,
            device="cuda" if self._gpus else "cpu",
            versions=versions_for(spec),
        )
        ref = self._task.remote(job)
        future = relay(ref.future(), self._translated, list)
        self._flying[future] = ref
        future.add_done_callback(lambda ended: self._flying.pop(ended, None))
        return future

    def withdraw(self) -> None:
        """Cancel what waits in Ray's queue; a worker that has begun does not listen."""
        flying, self._flying = self._flying, {}
        for ref in flying.values():
            self._ray.cancel(ref)

    def _share(self, thing: object) -> Ref:
        """Put something into the object store, once."""
        if id(thing) not in self._shared:
            util = self._ray.util
            util.register_serializer(torch.Tensor, serializer=pack, deserializer=unpack)
            try:
                self._shared[id(thing)] = thing, self._ray.put(thing)
            finally:
                util.deregister_serializer(torch.Tensor)
        return self._shared[id(thing)][1]

    def _translated(self, error: BaseException) -> BaseException:
        errors = self._ray.exceptions
        if isinstance(error, errors.TaskCancelledError):
            return CancelledError()
        for kind, why in (
            (errors.OutOfMemoryError, "its node ran out of memory"),
            (errors.NodeDiedError | errors.ObjectLostError, "its node was lost"),
            (errors.WorkerCrashedError, "killed from outside, or out of memory"),
        ):
            if isinstance(error, kind):
                return WorkerDiedError(f"{why}; --retry-failed runs it again")
        cause = error
        if isinstance(error, errors.RayTaskError):
            cause = cast("Any", error).cause
            cause.__cause__ = error  # tells where in the worker
        if isinstance(cause, errors.RayError):
            said = str(cause).partition("\n")[0]
            return SpecError(
                f"--engine ray: a node cannot run cells: {said}; "
                "install the same ordbench[ray], and the same plug-ins, on every node"
            )
        return cause
