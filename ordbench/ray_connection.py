"""Ray itself: its import, a cluster that runs already, or one of one's own."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeAlias

from ordbench.errors import SpecError

Ray: TypeAlias = Any
"""The module; Ray is an extra, so its types are not at hand."""

LOOPBACK = "127.0.0.1"
LOCALHOSTS = {LOOPBACK, "localhost", "[::1]"}
# Ray's switch for machines that are not to take part in a cluster; its name tells of two of them.
NO_NETWORK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
REPORTING = "RAY_USAGE_STATS_ENABLED"
PRINTER = "print_to_stdstream"
PATIENCE = 5.0  # seconds for a cluster to answer

_log = logging.getLogger("ordbench")


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
        _log.info("Ray: %s", " ".join(said["lines"]))

    if printer is not None:
        setattr(worker, PRINTER, log)
    try:
        yield
    finally:
        if printer is not None:
            setattr(worker, PRINTER, printer)
