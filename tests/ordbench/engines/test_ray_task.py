"""What a Ray worker does that needs no Ray."""

from dataclasses import replace

import pytest

from ordbench.engines.ray import Job, Run, work
from ordbench.errors import SpecError
from ordbench.runs.identity import Identity, versions_for
from ordbench.runs.spec import RunSpec

SPEC = RunSpec(head="linear", dataset="drawn-faces")


def job(head_hash: str, spec: RunSpec = SPEC, **versions: str) -> Job:
    identity = Identity("0" * 20, {"head": head_hash}, {}, "", "")
    return Job([Run(spec, identity, None)], None, None, "cpu", versions_for(spec) | versions)


def test_a_node_with_another_torch_is_refused_by_name() -> None:
    with pytest.raises(SpecError, match=r"^node \S+ has torch \S+, this machine has 1\.0; install"):
        work(job("", torch="1.0"))


def test_a_node_whose_text_towers_come_from_another_open_clip_is_refused_by_name() -> None:
    spec = SPEC.model_copy(update={"head": "coop", "backbone": "timm:x", "text": "clip:tiny"})
    with pytest.raises(SpecError, match=r"has open_clip_torch \S+, this machine has 1\.0"):
        work(job("", spec, open_clip_torch="1.0"))


def test_a_node_with_another_package_of_the_head_is_refused_by_name() -> None:
    wanted = job("")
    run = wanted.runs[0]
    of_another = run._replace(identity=replace(run.identity, owner={"ordbench": "99.0"}))
    with pytest.raises(SpecError, match=r"has ordbench \S+, this machine has 99\.0; install"):
        work(wanted._replace(runs=[of_another]))


def test_a_node_with_another_source_of_the_head_is_refused_by_name() -> None:
    with pytest.raises(SpecError, match=r"^node \S+ has other code for head 'linear' than this"):
        work(job("another"))
