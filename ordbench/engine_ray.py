"""The Ray engine: cells as tasks of a Ray cluster, of which nothing but results comes back.

Workers need neither the store nor images, weights or a network: features, splits and text towers
are put into Ray's object store, where all workers of a node read the same copy.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Any

import torch

from ordbench.engine import Pool, Trials, WorkerDiedError, relay
from ordbench.errors import SpecError
from ordbench.ray_task import Job, Ref, Run, identity_versions, pack, unpack, work
from ordbench.registry import HEADS
from ordbench.runner import Prepared
from ordbench.workspace import Workspace

# Cells in flight for each that can run: what waits tells an autoscaling cluster to grow.
AHEAD = 2
LEAST = 4

LOOPBACK = "127.0.0.1"
# Ray's switch for machines that are not to take part in a cluster; its name tells of two of them.
NO_NETWORK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
PATIENCE = 5.0  # seconds for a cluster to answer

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
        address: Of a running cluster; ``auto`` for the one of this machine. None for the one that
            this process is connected to, or else one of its own, on the loopback address.
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
    if address and "://" in address:
        raise SpecError(
            f"--address {address}: cells are sent from inside the cluster; run there: "
            "ray job submit -- ordbench run ... --engine ray --address auto"
        )
    if address and jobs:
        raise SpecError(
            f"--jobs {jobs}: the cluster at --address {address} has its own number of CPUs; "
            "leave one of them out"
        )
    return _connected(_ray(alone=address is None), workspace, address, jobs, gpus)


@contextmanager
def _connected(
    ray: Any,  # noqa: ANN401 - Ray is no dependency, so it has no types here
    workspace: Workspace,
    address: str | None,
    jobs: int | None,
    gpus: float,
) -> Generator[Pool]:
    own = not ray.is_initialized()
    if own:
        _connect(ray, address, jobs)
    try:
        if gpus and not ray.cluster_resources().get("GPU"):
            if address is None:
                raise SpecError(f"--gpus-per-cell {gpus}: Ray finds no GPU on this machine; take 0")
            _log.warning("the Ray cluster at %s has no GPU yet; cells wait for one", address)
        yield _Cluster(ray, workspace, gpus)
    finally:
        if own:
            ray.shutdown()


class _Cluster:
    """Tasks of one CPU each, and what they share."""

    def __init__(self, ray: Any, workspace: Workspace, gpus: float) -> None:  # noqa: ANN401
        self._ray = ray
        self._workspace = workspace
        self._gpus = gpus
        # A second try is the engine's decision; Ray's own would go on for ever without memory.
        self._task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(work)
        self._shared: dict[int, tuple[object, Ref]] = {}
        self._flying: dict[Trials, Ref] = {}

    @property
    def size(self) -> int:
        has: Mapping[str, float] = self._ray.cluster_resources()
        slots = has.get("CPU", 0.0)
        if self._gpus:
            slots = min(slots, has.get("GPU", 0.0) / self._gpus)
        return max(LEAST, AHEAD * int(slots))

    def submit(self, prepared: Sequence[Prepared]) -> Trials:
        spec, material = prepared[0].spec, prepared[0].material
        tower = self._workspace.text_tower(spec) if HEADS[spec.head].needs_text else None
        job = Job(
            runs=[Run(one.spec, one.identity, self._share(one.split)) for one in prepared],
            material=self._share(material),
            tower=self._share(tower) if tower else None,
            device="cuda" if self._gpus else "cpu",
            versions=identity_versions(),
        )
        ref = self._task.remote(job)
        future = relay(ref.future(), self._translated)
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
        if isinstance(error, errors.RayTaskError):
            cause: BaseException = getattr(error, "cause", error)
            cause.__cause__ = error
            return cause
        if isinstance(error, errors.OutOfMemoryError):
            return WorkerDiedError("its node ran out of memory; take larger nodes")
        if isinstance(error, errors.NodeDiedError | errors.ObjectLostError):
            return WorkerDiedError("its node was lost; --retry-failed runs it again")
        if isinstance(error, errors.WorkerCrashedError):
            return WorkerDiedError("killed from outside, or out of memory; --jobs 1 shows which")
        return error


def _connect(ray: Any, address: str | None, jobs: int | None) -> None:  # noqa: ANN401
    options: dict[str, object] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        options |= {"address": "local", "num_cpus": jobs, "include_dashboard": False}
        options |= {"_node_ip_address": LOOPBACK}
    else:
        _refuse_silence(address)
        options |= {"address": address}
    try:
        ray.init(**options)
    except (OSError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise SpecError(f"--address {address or 'local'}: {said}") from error


def _refuse_silence(address: str) -> None:
    """Ray would try for minutes to reach a cluster that is not there."""
    host, colon, port = address.rpartition(":")
    if not (colon and port.isdecimal()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise SpecError(
            f"--address {address}: no Ray cluster answers there ({error}); start one by "
            "`ray start --head`, or leave --address out for one on this machine"
        ) from None


def _ray(*, alone: bool) -> Any:  # noqa: ANN401
    """Ray; ``alone`` keeps a cluster that this process starts to the loopback address.

    On Linux, Ray takes this machine's address in the network where 127.0.0.1 is wanted, unless it
    is told when it is imported that there is no other machine.
    """
    before = os.environ.get(NO_NETWORK)
    if alone:
        os.environ[NO_NETWORK] = "0"
    try:
        return import_module("ray")
    except ImportError as error:
        raise SpecError(
            f"--engine ray needs Ray ({error}); run: pip install 'ordbench[ray]'"
        ) from None
    finally:
        os.environ.pop(NO_NETWORK, None)
        if before is not None:
            os.environ[NO_NETWORK] = before
