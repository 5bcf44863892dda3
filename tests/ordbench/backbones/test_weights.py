import os
import time
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from torch import nn

from ordbench.backbones.weights import (
    fetch,
    file_hash,
    load_strictly,
    split_path,
)
from ordbench.errors import BackboneError
from tests.ordbench.backbones.conftest import Hub
from tests.ordbench.hub import point_to


def test_a_path_stands_behind_the_first_at() -> None:
    assert split_path("RN50/openai@a/b@c.bin") == ("RN50/openai", Path("a/b@c.bin"))
    assert split_path("RN50@~/w.bin")[1] == Path.home() / "w.bin"


def test_the_hash_follows_the_content_and_not_the_name(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"abc")
    second.write_bytes(b"abc")
    # The published SHA-256 of "abc" (FIPS 180-2, appendix B.1).
    assert file_hash(first).startswith("ba7816bf8f01cfea")
    assert file_hash(first) == file_hash(second)
    second.write_bytes(b"abd")
    os.utime(second, ns=(0, 1))
    assert file_hash(first) != file_hash(second)


def test_other_weights_are_counted_and_named() -> None:
    first = nn.Linear(2, 3)
    before = first.bias.tolist()
    wanted = nn.Sequential(first, nn.Linear(3, 1))
    got = {
        "0.weight": torch.zeros(3, 4),
        "0.bias": torch.zeros(3),
        "1.weight": torch.zeros(1, 3),
        "head.weight": torch.zeros(5, 3),
        "head.bias": torch.zeros(5),
    }
    with pytest.raises(BackboneError) as error:
        load_strictly(wanted, got, what="timm:x")
    assert str(error.value) == (
        "backbone timm:x: the weights do not fit this model: 1 missing (1.bias), "
        "2 unexpected (head.weight, head.bias), "
        "1 of another shape (0.weight: wanted (3, 2), got (3, 4)); "
        "name the model that they belong to, or convert them"
    )
    assert first.bias.tolist() == before, "nothing is loaded where something does not fit"


def test_counters_of_batch_norm_may_be_missing() -> None:
    norm = nn.BatchNorm1d(2)
    tensors = {k: v + 1 for k, v in norm.state_dict().items() if k != "num_batches_tracked"}
    load_strictly(norm, tensors, what="x")
    assert norm.running_mean is not None
    assert norm.running_mean.tolist() == [1.0, 1.0]


def test_half_precision_weights_are_loaded_into_float32() -> None:
    layer = nn.Linear(1, 1, bias=False)
    load_strictly(layer, {"weight": torch.tensor([[0.5]], dtype=torch.float16)}, what="x")
    assert layer.weight.dtype == torch.float32
    assert layer.weight.item() == 0.5


def test_the_best_file_is_fetched_once(hub: type[Hub]) -> None:
    names = ("better.safetensors", "model.safetensors", "pytorch_model.bin")
    for _ in range(2):
        file = fetch("org/repo", names, what="clip:x", instead="clip:x@FILE")
        assert file.name == "model.safetensors"
        assert file.read_bytes() == b"safe"
    gets = [line for line in hub.asked if line.startswith("GET /org/repo/")]
    assert gets == ["GET /org/repo/resolve/main/model.safetensors"]


def test_a_repository_without_weights_is_told_from_no_network(hub: type[Hub]) -> None:
    hub.files = {"README.md": b""}
    with pytest.raises(BackboneError, match=r"there is no open\.bin or model\.bin"):
        fetch("org/repo", ("open.bin", "model.bin"), what="clip:x", instead="clip:x@FILE")


def test_without_a_network_the_error_comes_at_once_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_to("http://127.0.0.1:9", monkeypatch)  # nobody listens there
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    started = time.perf_counter()
    with pytest.raises(BackboneError) as error:
        fetch("org/repo", ("a.bin", "b.bin"), what="clip:x/y", instead="clip:x/y@FILE")
    assert time.perf_counter() - started < 10, "a download alone would try on for 23 s a file"
    assert str(error.value).startswith(
        "backbone clip:x/y: weights cannot be downloaded from http://127.0.0.1:9/org/repo ("
    )
    assert str(error.value).endswith("download them on another machine and write clip:x/y@FILE")
    assert "; wanted a.bin or b.bin); " in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("repo", ["", "org/repo/x", "a b/c", "../c"])
def test_what_is_no_name_of_a_repository_is_refused_in_one_line(
    repo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BackboneError) as got:
        fetch(repo, ("a.bin",), what="clip:x", instead="clip:x@FILE")
    assert str(got.value) == (
        f"backbone clip:x: {repo!r} is not the name of a repository on the Hugging Face Hub; "
        "wanted ORG/NAME"
    )


def test_offline_mode_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BackboneError, match="HF_HUB_OFFLINE"):
        fetch("org/repo", ("a.bin",), what="clip:x", instead="clip:x@FILE")
