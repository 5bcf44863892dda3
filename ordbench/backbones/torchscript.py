"""TorchScript archives, such as OpenAI's own CLIP files: their tensors, without running their code.

Such an archive is a zip file: ``data.pkl`` describes the modules, ``data/N`` are the tensors' bytes
``code/`` says which attributes of a module are parameters and buffers. Files that ``torch.save``
wrote are zip files too, but have no ``constants.pkl``.
"""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast
from zipfile import ZipFile

if TYPE_CHECKING:
    from torch import Tensor

_DTYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
_LISTS = {"build_intlist", "build_doublelist", "build_boollist", "build_tensorlist"}


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Parameters and buffers by name, as ``torch.jit.load(path).state_dict()`` gives them.

    Raises:
        pickle.UnpicklingError: If the archive describes anything but modules and tensors.
    """
    with ZipFile(path) as archive:
        root = next(n for n in archive.namelist() if n.endswith("/data.pkl"))
        modules = _Reader(archive, root.removesuffix("data.pkl")).load()
        if not isinstance(modules, _Module):
            raise pickle.UnpicklingError("its data.pkl is not a module")
        return dict(_tensors(modules, archive, root.removesuffix("data.pkl"), ""))


class _Module:
    """An object of a class of the archive: nothing but its attributes."""

    path = ""


class _Storage(NamedTuple):
    """A tensor's bytes."""

    content: bytearray
    dtype: str


class _Reader(pickle.Unpickler):
    """Builds modules and tensors; whatever else a pickle may name is refused, not called."""

    def __init__(self, archive: ZipFile, folder: str) -> None:
        super().__init__(BytesIO(archive.read(f"{folder}data.pkl")))
        self.archive = archive
        self.folder = folder

    def find_class(self, module: str, name: str) -> object:
        """The few things that the pickle of an archive names."""
        if module.startswith("__torch__"):
            return type(name, (_Module,), {"path": module})
        if module == "collections" and name == "OrderedDict":
            return OrderedDict
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if module == "torch._utils" and name == "_rebuild_tensor_v2":
            return _tensor
        if module == "torch.jit._pickle" and name in _LISTS:
            return _same
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: object) -> _Storage:
        """The bytes behind ``("storage", dtype, number, device, size)``."""
        _, dtype, number, *_ = cast("tuple[str, str, str, str, int]", pid)
        return _Storage(bytearray(self.archive.read(f"{self.folder}data/{number}")), dtype)


def _same(items: Sequence[object]) -> Sequence[object]:
    return items


def _tensor(
    storage: _Storage, offset: int, size: Sequence[int], stride: Sequence[int], *_: object
) -> Tensor:
    import torch

    dtype = getattr(torch, storage.dtype)
    if not storage.content:
        return torch.empty(size, dtype=dtype)
    return torch.frombuffer(storage.content, dtype=dtype).as_strided(size, stride, offset)


def _tensors(
    module: _Module, archive: ZipFile, folder: str, prefix: str
) -> Iterator[tuple[str, Tensor]]:
    import torch

    kept = _parameters(type(module).__name__, module.path, archive, folder)
    for name, value in vars(module).items():
        if isinstance(value, _Module):
            yield from _tensors(value, archive, folder, f"{prefix}{name}.")
        elif isinstance(value, torch.Tensor) and kept(name):
            yield f"{prefix}{name}", value


def _parameters(name: str, path: str, archive: ZipFile, folder: str) -> Callable[[str], bool]:
    """Which attributes of a class are parameters or buffers, as the text of its source says."""
    source = archive.read(f"{folder}code/{path.replace('.', '/')}.py").decode()
    body = source.partition(f"class {name}(Module):\n")[2].partition("\nclass ")[0]
    names = re.findall(r"^  __(?:parameters|buffers)__ = \[(.*)\]", body, re.MULTILINE)
    return set(re.findall(r'"([^"]+)"', " ".join(names))).__contains__
