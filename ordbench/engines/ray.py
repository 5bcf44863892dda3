"""The Ray engine: cells as tasks of a Ray cluster, of which nothing but results comes back.

Workers need neither the store nor images, weights or a network: features, splits and text towers
are put into Ray's object store, where all workers of a node read the same copy.
"""

from __future__ import annotations

import logging
import os
import platform
import signal
import socket
import warnings
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ordbench.backbone import TextTower
from ordbench.engines.base import Pool, Trials, WorkerDiedError, relay
from ordbench.errors import SpecError
from ordbench.plugins.registry import HEADS
from ordbench.plugins.source_hash import source_hash
from ordbench.runs.identity import Identity, owner_of, versions_for
from ordbench.runs.preparation import PreparedRun
from ordbench.runs.resources import EncodedDataset, Resources
from ordbench.runs.runner import RunResult, run_cell
from ordbench.runs.spec import RunSpec
from ordbench.splits.split import Split

Ray: TypeAlias = Any
"""The module; Ray is an extra, so its types are not at hand."""

LOOPBACK = "127.0.0.1"
LOCALHOSTS = {LOOPBACK, "localhost", "[::1]"}

# Ray's switch for machines that are not to take part in a cluster; its name tells of two of them.
NO_NETWORK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
REPORTING = "RAY_USAGE_STATS_ENABLED"
PRINTER = "print_to_stdstream"
PATIENCE = 5.0  # seconds for a cluster to answer
logger = logging.getLogger(__name__)


def resolve(address: str | None, jobs: int | None) -> str | None:
    """The address that was given, else that of ``RAY_ADDRESS``, else None.

    Raises:
        SpecError: If it is one of Ray's client, or a cluster is told how many jobs it is to have.
    """
    address = address or os.environ.get("RAY_ADDRESS") or None
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
    return address


def import_ray(address: str | None) -> Ray:
    """Ray, told at its import whether it is to keep to the loopback address.

    On Linux, Ray takes this machine's address in the network where 127.0.0.1 is wanted, unless it
    is told when it is imported that there is no other machine.

    Args:
        address: Of a running cluster; None for one of its own.

    Raises:
        SpecError: If Ray is not installed.
    """
    host, _, port = (address or "").rpartition(":")
    alone = address is None or (host in LOCALHOSTS and _answers(host, port))
    try:
        with _environment({NO_NETWORK: "0"} if alone else {}):
            return import_module("ray")
    except ImportError as error:
        raise SpecError(
            f"--engine ray needs Ray ({error}); run: pip install 'ordbench[ray]'"
        ) from None


@contextmanager
def connection(ray: Ray, address: str | None, cpus: int | None) -> Generator[None]:
    """Use a cluster until the context ends; one that this process is connected to is left alone.

    A cluster of its own reports nothing to Ray's makers, unless the environment says that it may.

    Args:
        ray: As `import_ray` gives it.
        address: Of a running cluster. None for the one that this process is connected to, or else
            one of its own, on the loopback address, which ends with the context.
        cpus: CPUs of a cluster of its own; None for all.

    Raises:
        SpecError: If there is no such cluster.
    """
    if ray.is_initialized():
        if address:
            raise SpecError(
                f"--address {address}: this process is connected to a Ray cluster; leave it out"
            )
        yield
        return
    _connect(ray, address, cpus)
    try:
        with _silence():
            yield
    finally:
        ray.shutdown()


def _connect(ray: Ray, address: str | None, cpus: int | None) -> None:
    options: dict[str, object] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        options |= {"address": "local", "num_cpus": cpus, "include_dashboard": False}
        options |= {"_node_ip_address": LOOPBACK}
    else:
        _refuse_nobody(ray, address)
        options |= {"address": address}
    quiet = {} if address or REPORTING in os.environ else {REPORTING: "0"}
    try:
        with _environment(quiet):
            ray.init(**options)
    except (OSError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise SpecError(f"--engine ray --address {address or 'local'}: {said}") from error


def _refuse_nobody(ray: Ray, address: str) -> None:
    """Ray would try for minutes to reach a cluster that is not there."""
    host, colon, port = address.rpartition(":")
    # Ray looks for a cluster of this machine at its address in the network.
    hosts = [host, ray.util.get_node_ip_address()] if host in LOCALHOSTS else [host]
    if colon and not any(_answers(host, port) for host in hosts):
        raise SpecError(
            f"--address {address}: no Ray cluster answers there; start one by "
            "`ray start --head`, or leave --address out for one on this machine"
        )


def _answers(host: str, port: str) -> bool:
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError, ValueError):
        return False
    return True


@contextmanager
def _environment(variables: Mapping[str, str]) -> Generator[None]:
    """Set variables until the context ends."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _silence() -> Generator[None]:
    """Ray prints what its nodes say to standard output, which is for results; log it instead."""
    worker = import_module("ray._private.worker")
    printer = getattr(worker, PRINTER, None)

    def log(said: Mapping[str, Sequence[str]], **options: object) -> None:
        logger.info("Ray: %s", " ".join(said["lines"]))

    if printer is not None:
        setattr(worker, PRINTER, log)
    try:
        yield
    finally:
        if printer is not None:
            setattr(worker, PRINTER, printer)


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
        material: A `EncodedDataset`.
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
    """A worker's device and text tower, as `ordbench.runs.runner.Bench` wants them."""

    device: str
    tower: TextTower | None

    def text_tower(self, spec: RunSpec) -> TextTower | None:
        return self.tower


def work(job: Job) -> list[RunResult]:
    """Train and test a cell.

    Raises:
        SpecError: If this machine would not train what the run ids say.
    """
    _refuse_other_code(job)
    # Withdrawing a cell is for those that wait; Ray would interrupt one that has begun.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    material = cast(EncodedDataset, _held(job.material))
    tower = cast("TextTower | None", job.tower and _held(job.tower))
    if tower:
        tower.model.to(job.device)
    prepared = [
        PreparedRun(run.spec, material, cast(Split, _get(run.split)), run.identity)
        for run in job.runs
    ]
    return run_cell(prepared, _Bench(job.device, tower))


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

# Cells in flight for each that can run: what waits tells an autoscaling cluster to grow.
AHEAD = 2
LEAST = 4


def ray_pool(
    resources: Resources,
    *,
    address: str | None = None,
    jobs: int | None = None,
    gpus_per_cell: float | None = None,
) -> AbstractContextManager[Pool]:
    """Workers of a Ray cluster, until the context ends.

    Args:
        resources: Where features and text towers come from.
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
    gpus = (resources.device != "cpu") * 1.0 if gpus_per_cell is None else gpus_per_cell
    if gpus < 0 or (gpus > 1 and not gpus.is_integer()):
        raise SpecError(
            f"--gpus-per-cell {gpus}: wanted a part of a GPU (0.25), or whole ones; 0 for none"
        )
    address = resolve(address, jobs)
    return _connected(import_ray(address), resources, address, jobs, gpus)


@contextmanager
def _connected(
    ray: Ray, resources: Resources, address: str | None, jobs: int | None, gpus: float
) -> Generator[Pool]:
    with connection(ray, address, jobs):
        if gpus and not ray.cluster_resources().get("GPU"):
            if address is None:
                raise SpecError(f"--gpus-per-cell {gpus}: Ray finds no GPU on this machine; take 0")
            logger.warning("the Ray cluster at %s has no GPU yet; cells wait for one", address)
        yield _Cluster(ray, resources, gpus)


class _Cluster:
    """Tasks of one CPU each, and what they share."""

    def __init__(self, ray: Ray, resources: Resources, gpus: float) -> None:
        self._ray = ray
        self._resources = resources
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

    def submit(self, prepared: Sequence[PreparedRun]) -> Trials:
        """Send it as a task; features and tower go to each node once."""
        spec, material = prepared[0].spec, prepared[0].material
        tower = self._resources.text_tower(spec) if HEADS[spec.head].needs_text else None
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
