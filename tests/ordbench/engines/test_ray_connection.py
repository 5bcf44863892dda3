"""Ray's import and its clusters; those that do not answer are named at once."""

import importlib.util
import os
import socket
import sys
from types import SimpleNamespace

import pytest

from ordbench.engines.ray import REPORTING, connection, import_ray, resolve
from ordbench.errors import SpecError

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: ordbench[ray]"
)


@pytest.mark.parametrize(
    ("address", "jobs", "said"),
    [
        ("ray://head:10001", None, "--engine ray:address=ray://head:10001: a Ray client cannot"),
        ("nonsense", None, '--engine ray:address=nonsense: wanted auto or "HOST:PORT"'),
        ("auto", 2, "--jobs 2: the cluster at address=auto decides how many CPUs it has; leave"),
    ],
)
def test_what_no_cluster_takes_is_refused(address: str, jobs: int | None, said: str) -> None:
    with pytest.raises(SpecError) as refused:
        resolve(address, jobs)
    assert str(refused.value).startswith(said)


def test_the_address_may_come_from_ray_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert resolve("", None) == "head:6379"
    assert resolve("other:6379", None) == "other:6379"
    monkeypatch.delenv("RAY_ADDRESS")
    assert resolve("", 2) == ""


def test_a_missing_ray_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SpecError, match=r"^--engine ray needs Ray .*install 'ordbench\[ray\]'$"):
        import_ray()


def test_a_cluster_that_the_process_uses_is_left_as_it_is() -> None:
    ray = SimpleNamespace(is_initialized=lambda: True)  # has no init and no shutdown to call
    with connection(ray, "", None):
        pass
    with pytest.raises(SpecError, match=r"^--engine ray:address=auto: this process is already"):
        connection(ray, "auto", None).__enter__()


@pytest.mark.parametrize(
    ("address", "chosen", "said"), [("", None, "0"), ("", "1", "1"), ("auto", None, None)]
)
def test_a_cluster_of_its_own_reports_to_nobody_unless_it_is_told_to(
    address: str, chosen: str | None, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(REPORTING, raising=False)
    if chosen:
        monkeypatch.setenv(REPORTING, chosen)
    seen: list[str | None] = []
    ray = SimpleNamespace(
        is_initialized=lambda: False,
        util=SimpleNamespace(get_node_ip_address=lambda: "127.0.0.1"),
        init=lambda **options: seen.append(os.environ.get(REPORTING)),
        shutdown=lambda: None,
    )
    with connection(ray, address, None):
        assert os.environ.get(REPORTING) == chosen
    assert seen == [said]


@needs_ray
def test_a_cluster_that_does_not_answer_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        nobody = connection(import_ray(), address, None)
        with pytest.raises(SpecError, match=f"^--engine ray:address={address}: no Ray cluster"):
            nobody.__enter__()


@needs_ray
def test_what_ray_says_of_an_address_is_one_line() -> None:
    with pytest.raises(SpecError, match=r"^--engine ray:address=nonsense: Invalid address") as no:
        connection(import_ray(), "nonsense", None).__enter__()
    assert "\n" not in str(no.value)
