"""Where a number comes from: versions, machine, and the source of a head."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("ordbench", "torch", "open_clip_torch", "timm", "numpy")


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that can change a number."""
    found = {name: version_of(name) for name in LIBRARIES}
    installed = {name: number for name, number in found.items() if number != "none"}
    return {"python": platform.python_version(), **installed}


@cache
def version_of(library: str) -> str:
    """Version of a library, or "none" where it is not installed."""
    try:
        # CPU and CUDA builds of one release ("2.9.0+cpu") are one version here.
        return version(library).partition("+")[0]
    except PackageNotFoundError:
        return "none"


def machine(device: str) -> dict[str, str]:
    """What the run was made on: processor, cores, operating system, device, name of the GPU."""
    about = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
    }
    if device.startswith("cuda"):
        import torch  # versions are read without it

        # A GPU that broke a run may not tell its name; the record of the failure is written still.
        with suppress(AssertionError, RuntimeError):
            about["gpu"] = torch.cuda.get_device_name(device)
    return about


@cache
def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
