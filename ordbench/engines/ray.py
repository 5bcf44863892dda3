"""The Ray engine: cells as tasks of a Ray cluster, of which only results come back.

Workers need neither the store nor images, weights or a network: features, splits and text towers
are put into Ray's object store.
"""

from __future__ import annotations

import logging
import os
import platform
import signal
import socket
import sys
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from functools import lru_cache
from importlib import import_module
from threading import current_thread
from typing import Any, NamedTuple, TextIO, TypeAlias, cast
from weakref import finalize

from ordbench.backbone import TextTower
from ordbench.engines.base import Engine, Results, WorkerDiedError, settle
from ordbench.errors import SpecError
from ordbench.plugins.registry import HEADS
from ordbench.runs.identity import Identity, owner_of, source_hashes, versions_for
from ordbench.runs.preparation import PreparedRun
from ordbench.runs.resources import EncodedDataset, Resources
from ordbench.runs.runner import RunResult, run_cell
from ordbench.runs.spec import RunSpec
from ordbench.splits.split import Split

Ray: TypeAlias = Any
"""The module; Ray is an extra, so its types are not at hand."""
Ref: TypeAlias = Any
"""A ``ray.ObjectRef``."""

LOCALHOSTS = {"127.0.0.1", "localhost", "[::1]"}
REPORTING = "RAY_USAGE_STATS_ENABLED"
PATIENCE = 5.0  # seconds for a cluster to answer
# Cells in flight for each that can run: what waits tells an autoscaling cluster to grow.
AHEAD = 2
LEAST = 4
HELD = 2  # datasets and text towers that a worker keeps
logger = logging.getLogger(__name__)


def ray_engine(
    resources: Resources,
    jobs: int | None = None,
    *,
    address: str = "",
    gpus: float | None = None,
) -> AbstractContextManager[Engine]:
    """Train on a Ray cluster.

    Args:
        resources: Where features and text towers come from.
        jobs: CPUs of a local cluster; None for all.
        address: Of a running cluster; ``auto`` for the one on this machine. Empty for
            ``RAY_ADDRESS``, or the cluster that this process is connected to, or else a new one on
            this machine that ends with the context.
        gpus: GPUs of a cell; fractions are allowed, 0 trains on the CPU. None for one where
            ``--device`` is CUDA, else 0.

    Raises:
        SpecError: If Ray is not installed or an option cannot be used; when the context begins, if
            there is no such cluster or it has no GPU.
    """
    wanted = (resources.device != "cpu") * 1.0 if gpus is None else gpus
    if wanted < 0 or (wanted > 1 and not wanted.is_integer()):
        raise SpecError(
            f"--engine ray:gpus={wanted}: wanted a fraction of a GPU (0.25) or whole GPUs; 0 = none"
        )
    address = resolve(address, jobs)
    return _connected(import_ray(), resources, address, jobs, wanted)


def resolve(address: str, jobs: int | None) -> str:
    """The address that was given, else that of ``RAY_ADDRESS``, else an empty one.

    Raises:
        SpecError: If it is a Ray client's, or not an address at all, or if the number of jobs is
            given beside it.
    """
    address = address or os.environ.get("RAY_ADDRESS", "")
    if "://" in address:
        raise SpecError(
            f"--engine ray:address={address}: a Ray client cannot send cells; run inside the "
            "cluster: ray job submit -- ordbench run ... --engine ray:address=auto"
        )
    if address not in {"", "auto", "local"} and ":" not in address:
        raise SpecError(f'--engine ray:address={address}: wanted auto or "HOST:PORT"')
    if address and jobs:
        raise SpecError(
            f"--jobs {jobs}: the cluster at address={address} decides how many CPUs it "
            "has; leave --jobs out"
        )
    return address


def import_ray() -> Ray:
    """The module `ray`.

    Raises:
        SpecError: If it is not installed.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        raise SpecError(
            f"--engine ray needs Ray ({error}); run: pip install 'ordbench[ray]'"
        ) from None


@contextmanager
def connection(ray: Ray, address: str, cpus: int | None) -> Generator[None]:
    """Use a cluster until the context ends; an existing connection of this process is kept.

    A new local cluster sends no usage statistics unless the environment allows it.

    Args:
        ray: The module.
        address: Of a running cluster; empty for the one that this process is connected to, else
            for a new local one, which ends with the context.
        cpus: CPUs of a new local cluster; None for all.

    Raises:
        SpecError: If there is no such cluster.
    """
    if ray.is_initialized():
        if address:
            raise SpecError(
                f"--engine ray:address={address}: this process is already connected to a Ray "
                "cluster; leave the address out"
            )
        yield
        return
    _connect(ray, address, cpus)
    try:
        with redirect_stdout(cast("TextIO", Stdout(sys.stdout))):
            yield
    finally:
        ray.shutdown()


class Stdout:
    """Standard output, which is for results: what Ray's own threads print is logged instead."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text, unless a thread of Ray prints it."""
        if not current_thread().name.startswith("ray_"):
            return self._stream.write(text)
        if text.strip():
            logger.info("Ray: %s", text.strip())
        return len(text)


def _connect(ray: Ray, address: str, cpus: int | None) -> None:
    quiet: dict[str, object] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address:
        _refuse_dead(ray, address)
    silent = not address and REPORTING not in os.environ
    if silent:
        os.environ[REPORTING] = "0"
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise SpecError(f"--engine ray:address={address or 'local'}: {said}") from error
    finally:
        if silent:
            os.environ.pop(REPORTING)


def _refuse_dead(ray: Ray, address: str) -> None:
    """Refuse an address at which nothing listens; Ray itself would retry for minutes."""
    host, colon, port = address.rpartition(":")
    # Ray looks for a cluster of this machine at its address in the network.
    hosts = [host, ray.util.get_node_ip_address()] if host in LOCALHOSTS else [host]
    if colon and not any(_answers(host, port) for host in hosts):
        raise SpecError(
            f"--engine ray:address={address}: no Ray cluster answers there; start one by "
            "`ray start --head`, or leave the address out for one on this machine"
        )


def _answers(host: str, port: str) -> bool:
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError, ValueError):
        return False
    return True


@contextmanager
def _connected(
    ray: Ray, resources: Resources, address: str, jobs: int | None, gpus: float
) -> Generator[Engine]:
    with connection(ray, address, jobs):
        if gpus and not ray.cluster_resources().get("GPU"):
            if not address:
                raise SpecError(
                    f"--engine ray:gpus={gpus}: Ray finds no GPU on this machine; use gpus=0"
                )
            logger.warning("the Ray cluster at %s has no GPU yet; cells wait for one", address)
        yield _Cluster(ray, resources, gpus)


class Run(NamedTuple):
    """One run of a cell; its split is in the object store."""

    spec: RunSpec
    identity: Identity
    split: Ref


class Job(NamedTuple):
    """A cell for a worker; what cells share is in the object store.

    Attributes:
        runs: Equal but for their seeds.
        material: An `EncodedDataset`.
        tower: A `TextTower`, if the head prompts one.
        device: ``cpu`` or ``cuda``.
        versions: Of the libraries in the run id.
        save_heads: Whether trained heads come back.
    """

    runs: list[Run]
    material: Ref
    tower: Ref | None
    device: str
    versions: dict[str, str]
    save_heads: bool = True


class _Bench(NamedTuple):
    """A worker's device and text tower, as `ordbench.runs.runner.Bench` wants them."""

    device: str
    tower: TextTower | None
    save_heads: bool

    def text_tower(self, spec: RunSpec) -> TextTower | None:
        return self.tower


def work(job: Job) -> list[RunResult]:
    """Train and test a cell.

    Raises:
        SpecError: If this node's code differs from what the run ids were made from.
    """
    _refuse_other_code(job)
    # Only cells that wait are cancelled; Ray would interrupt one that has begun.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    material = cast(EncodedDataset, _held(job.material))
    tower = cast("TextTower | None", job.tower and _held(job.tower))
    if tower:
        tower.model.to(job.device)
    prepared = [
        PreparedRun(run.spec, material, cast(Split, _get(run.split)), run.identity)
        for run in job.runs
    ]
    return run_cell(prepared, _Bench(job.device, tower, job.save_heads))


def _refuse_other_code(job: Job) -> None:
    """Refuse to store results of other code under this run id."""
    spec, identity = job.runs[0].spec, job.runs[0].identity
    here = {**versions_for(spec), **owner_of(spec.head)}
    for name, wanted in {**job.versions, **identity.owner}.items():
        if (found := here.get(name, "none")) != wanted:
            raise SpecError(
                f"node {platform.node()} has {name} {found}, this machine has {wanted}; "
                "install the same versions on every node"
            )
    if not source_hashes(spec).items() <= identity.hashes.items():
        raise SpecError(
            f"node {platform.node()} has other code for head {spec.head!r} than this machine; "
            "install the same package on every node"
        )


def _get(ref: Ref) -> object:
    return cast(object, import_module("ray").get(ref))


_held = lru_cache(HELD)(_get)


def _on_cpu(tower: TextTower) -> TextTower:
    """A worker may have no GPU, and moves the tower to its own device."""
    tower.model.cpu()
    return tower


class _Flying(Results):
    """The results of a task; only a task that has not begun can be cancelled."""

    def __init__(self, ray: Ray, ref: Ref) -> None:
        super().__init__()
        self._ray = ray
        self._ref = ref

    def cancel(self) -> bool:
        """Ask Ray, whose answer comes as the task's error."""
        self._ray.cancel(self._ref)
        return False


class _Cluster:
    """Tasks of one CPU each, and what they share."""

    def __init__(self, ray: Ray, resources: Resources, gpus: float) -> None:
        self._ray = ray
        self._resources = resources
        self._gpus = gpus
        # The scheduler retries; Ray's own retries would go on for ever without memory.
        # Without `max_calls` a worker with a GPU would end after each cell.
        options = {"num_cpus": 1, "num_gpus": gpus, "max_retries": 0, "max_calls": 0}
        self._task = ray.remote(**options)(work)
        self._shared: dict[int, Ref] = {}

    @property
    def size(self) -> int:
        """Twice the cells that the cluster runs as it is now, so that it may grow."""
        has: Mapping[str, float] = self._ray.cluster_resources()
        slots = has.get("CPU", 0.0)
        if self._gpus:
            slots = min(slots, has.get("GPU", 0.0) / self._gpus)
        return max(LEAST, AHEAD * int(slots))

    def submit(self, runs: Sequence[PreparedRun]) -> Results:
        """Send it as a task; the dataset and the text tower go to each node once."""
        spec = runs[0].spec
        tower = self._resources.text_tower(spec) if HEADS[spec.head].needs_text else None
        job = Job(
            runs=[Run(one.spec, one.identity, self._share(one.split)) for one in runs],
            material=self._share(runs[0].material),
            tower=self._share(_on_cpu(tower)) if tower else None,
            device="cuda" if self._gpus else "cpu",
            versions=versions_for(spec),
            save_heads=self._resources.save_heads,
        )
        ref = self._task.remote(job)
        results = _Flying(self._ray, ref)
        settle(results, ref.future(), list, self._translated)
        return results

    def _share(self, thing: object) -> Ref:
        """Put something into the object store once, for as long as this process keeps it."""
        key = id(thing)
        if key not in self._shared:
            self._shared[key] = self._ray.put(thing)
            finalize(thing, self._shared.pop, key, None)
        return self._shared[key]

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
