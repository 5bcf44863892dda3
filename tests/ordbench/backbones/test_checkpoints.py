import argparse
import gzip
import io
import json
import os
import pickle
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ordbench.backbones.checkpoints import read_tensors
from ordbench.errors import BackboneError

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
        ({"epoch": 3, "lr": 0.1}, "it has no tensors by name; its keys are epoch, lr"),
        (
            {"student": TENSORS, "teacher": TENSORS},
            "it has several sets of weights: student, teacher; save",
        ),
        (nn.Linear(1, 1), r"it holds a torch\.nn\.modules\.linear\.Linear, which needs code"),
        ({"a": TENSORS["b"], "path": Path("x")}, r"it holds a pathlib\.\w+, which needs code"),
        ({}, "it has no tensors by name; its keys are none"),
        (
            {"a.weight": torch.ones(2, dtype=torch.int8)},
            r"a\.weight has numbers of torch\.int8, as quantised networks have",
        ),
        ({"a.bias": torch.ones(2) * 1j}, r"a\.bias has numbers of torch\.complex64"),
        ({"b": torch.ones(2, device="meta")}, "b has a shape but no numbers"),
        (
            {"vision_model.a": TENSORS["b"]},
            "its tensors are named as in Hugging Face's transformers",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
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
        (b"404: Not Found\n", "it is a text file that begins with '404: Not Found'"),
        (
            zipped("a/model.txt"),
            "it is a zip archive, but not one that torch.save writes; unpack it",
        ),
        (zipped("a.npy"), "it is a zip archive, but not one that torch.save writes; unpack it"),
        (b"/annex/objects/SHA256E-s3--00.pt\n", "it is a git-annex pointer"),
        (b'{"weight_map": {}}', "it is a JSON file"),
        (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file"),
        (gzip.compress(b"abc", mtime=0), "it is compressed; unpack it"),
        (b"", "it is empty"),
        (b"\0" * 1024, "it is no torch file, or needs code to be read"),
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
    save_file(TENSORS, tmp_path / "w.safetensors")
    torch.save(TENSORS, tmp_path / "w.pt")
    for name, left_out in (("w.safetensors", 1), ("w.pt", 40)):
        file = tmp_path / name
        file.write_bytes(file.read_bytes()[:-left_out])
        said = r"cannot be read as weights \(it is damaged or not whole; copy or download it again"
        with pytest.raises(BackboneError, match=rf"\Abackbone x: .*{name} {said}") as got:
            read_tensors(file, what="x")
        assert "\n" not in str(got.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=r"none\.bin cannot be read \(No such file"):
        read_tensors(tmp_path / "none.bin", what="x")


def test_safetensors_metadata_does_not_matter(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "w.safetensors", metadata={"note": json.dumps([1])})
    assert same(read_tensors(tmp_path / "w.safetensors", what="x"), TENSORS)
