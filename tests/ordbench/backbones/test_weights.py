import argparse
import gzip
import io
import json
import os
import pickle
import time
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import Tensor, nn

from ordbench.backbones.weights import (
    fetch,
    file_hash,
    load_strictly,
    read_tensors,
    split_path,
)
from ordbench.errors import BackboneError
from tests.ordbench.backbones.conftest import Hub, point_to

TENSORS = {"a.weight": torch.tensor([[1.0, 2.0]]), "b": torch.tensor([3.0])}


def same(got: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return got.keys() == wanted.keys() and all(torch.equal(got[k], wanted[k]) for k in wanted)


def zipped(name: str) -> bytes:
    content = io.BytesIO()
    with ZipFile(content, "w") as archive:
        archive.writestr(name, "x")
    return content.getvalue()


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.mark,)


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


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
def test_wrappers_of_training_are_taken_off(tmp_path: Path, prefix: str) -> None:
    wrapped = {prefix + name: tensor for name, tensor in TENSORS.items()}
    save_file(wrapped, tmp_path / "w.safetensors")
    torch.save({"epoch": 3, "state_dict": wrapped}, tmp_path / "w.pt")
    for name in ("w.safetensors", "w.pt"):
        assert same(read_tensors(tmp_path / name, what="x"), TENSORS), name


def test_averaged_weights_win_over_the_last_ones(tmp_path: Path) -> None:
    last = {name: tensor + 1 for name, tensor in TENSORS.items()}
    torch.save({"model": last, "model_ema": TENSORS}, tmp_path / "w.pth")
    assert same(read_tensors(tmp_path / "w.pth", what="x"), TENSORS)


def test_files_are_told_apart_by_content_and_not_by_their_ending(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "w.bin")
    torch.save(TENSORS, tmp_path / "w.safetensors")
    for name in ("w.bin", "w.safetensors"):
        assert same(read_tensors(tmp_path / name, what="x"), TENSORS), name


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "w.safetensors")
    torch.save({f"module.{name}": tensor for name, tensor in TENSORS.items()}, tmp_path / "w.pt")
    for name in ("w.safetensors", "w.pt"):
        got = read_tensors(tmp_path / name, what="x", wanted=lambda key: key.startswith("a."))
        assert got.keys() == {"a.weight"}, name


def test_a_pickle_is_refused_and_its_code_does_not_run(tmp_path: Path) -> None:
    bomb = Bomb(tmp_path / "mark")
    torch.save({"a": bomb}, tmp_path / "zip.pt")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps({"a": bomb}))
    for name in ("zip.pt", "plain.pkl"):
        with pytest.raises(BackboneError, match=rf"{name} cannot be read as weights \([^\n]*code"):
            read_tensors(tmp_path / name, what="x")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    "checkpoint",
    [
        {"model_state_dict": TENSORS, "optimizer_state_dict": {"state": {}}},
        {"net": TENSORS, "epoch": 3},
        {"arch": "x", "state_dict": TENSORS, "args": argparse.Namespace(lr=0.1, tags=["a"])},
        {
            "state_dict": {f"net.{name}": tensor for name, tensor in TENSORS.items()},
            "pytorch-lightning_version": "2.5.0",
        },
        {
            "state_dict": {f"model.module.{name}": tensor for name, tensor in TENSORS.items()},
            "pytorch-lightning_version": "2.5.0",
        },
    ],
    ids=["tutorial", "a box of its own name", "timm", "lightning", "lightning and DDP"],
)
def test_boxes_of_training_scripts_are_opened(
    tmp_path: Path, checkpoint: dict[str, object]
) -> None:
    torch.save(checkpoint, tmp_path / "w.ckpt")
    assert same(read_tensors(tmp_path / "w.ckpt", what="x"), TENSORS)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1], "it holds a list, not tensors by name"),
        (torch.ones(2), "it holds a Tensor, not tensors by name"),
        ({"epoch": 3, "lr": 0.1}, "it holds no tensors by name, but epoch, lr"),
        ({"student": TENSORS, "teacher": TENSORS}, "it holds the weights student, teacher; save"),
        (nn.Linear(1, 1), r"it holds a torch\.nn\.modules\.linear\.Linear, which needs code"),
        ({"a": TENSORS["b"], "path": Path("x")}, r"it holds a pathlib\.\w+, which needs code"),
        (
            {"vision_model.a": TENSORS["b"]},
            "its tensors are named as in Hugging Face's transformers",
        ),
    ],
    ids=["list", "tensor", "no tensors", "two models", "module", "path", "transformers"],
)
def test_what_holds_no_weights_by_name_is_named(
    tmp_path: Path, content: object, reason: str
) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(BackboneError, match=rf"w\.pt cannot be read as weights \({reason}"):
        read_tensors(tmp_path / "w.pt", what="x")


def test_safetensors_of_transformers_are_named(tmp_path: Path) -> None:
    save_file({"text_model.a": TENSORS["b"]}, tmp_path / "w.safetensors")
    with pytest.raises(BackboneError, match="named as in Hugging Face's transformers"):
        read_tensors(tmp_path / "w.safetensors", what="x")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "it is a Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "it is an HTML or XML page"),
        (b"\n <HTML>", "it is an HTML or XML page"),
        (b"<?xml version='1.0'?><Error>", "it is an HTML or XML page"),
        (b"404: Not Found\n", "it is a text that begins with '404: Not Found'"),
        (zipped("a/model.txt"), "it is a zip archive of something else; unpack it"),
        (zipped("a.npy"), "it is a zip archive of something else; unpack it"),
        (b"/annex/objects/SHA256E-s3--00.pt\n", "it is a git-annex pointer"),
        (b'{"weight_map": {}}', "it is a JSON file"),
        (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file"),
        (gzip.compress(b"abc"), "it is compressed; unpack it"),
        (b"", "it is empty"),
    ],
)
def test_what_is_no_file_of_weights_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(BackboneError, match=rf"w\.pt cannot be read as weights \({reason}"):
        read_tensors(tmp_path / "w.pt", what="x")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    with pytest.raises(BackboneError, match=r"pipe\.pt cannot be read \(not a regular file\)"):
        read_tensors(tmp_path / "pipe.pt", what="x")


def test_a_cut_file_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file(TENSORS, file)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(
        BackboneError, match=r"\Abackbone x: .*w\.safetensors cannot be read"
    ) as got:
        read_tensors(file, what="x")
    assert "\n" not in str(got.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=r"none\.bin cannot be read \(No such file"):
        read_tensors(tmp_path / "none.bin", what="x")


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
        "backbone timm:x: the weights are another model's: 1 missing (1.bias), "
        "2 unexpected (head.weight, head.bias), "
        "1 of another shape (0.weight: wanted (3, 2), got (3, 4)); "
        "name the model that they were trained as, or convert them to its names and shapes"
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
        "backbone clip:x/y: weights cannot be fetched from http://127.0.0.1:9/org/repo ("
    )
    assert str(error.value).endswith("fetch them where there is a network, and write clip:x/y@FILE")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("repo", ["", "org/repo/x", "a b/c", "../c"])
def test_what_is_no_name_of_a_repository_is_refused_in_one_line(
    repo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BackboneError, match=r"^backbone clip:x: weights cannot be fetched") as got:
        fetch(repo, ("a.bin",), what="clip:x", instead="clip:x@FILE")
    assert "\n" not in str(got.value)
    assert "Repo id" in str(got.value)


def test_offline_mode_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BackboneError, match="HF_HUB_OFFLINE"):
        fetch("org/repo", ("a.bin",), what="clip:x", instead="clip:x@FILE")


def test_safetensors_metadata_does_not_matter(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "w.safetensors", metadata={"note": json.dumps([1])})
    assert same(read_tensors(tmp_path / "w.safetensors", what="x"), TENSORS)
