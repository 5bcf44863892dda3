"""Which arithmetic a tower runs in, where the user leaves it open."""

from __future__ import annotations

from typing import Literal

import torch

from ordbench.backbone import Dtype

# Bytes of weights from which half precision is worth its rounding (ViT-B/32 has 600 MB).
LARGE = 64 * 2**20


def choose_dtype(wanted: Dtype | Literal["auto"], device: str, weights_size: int) -> Dtype:
    """Settle ``auto``: half precision where the device computes in it and the model is large.

    On a CPU with bfloat16 arithmetic, weights in bfloat16 doubled the speed of ViT-B/32 and
    ResNet-50. Small models are quick enough to stay exact, the same on every machine.

    Args:
        wanted: What the user said; anything but ``auto`` holds.
        device: ``cpu`` or ``cuda``.
        weights_size: Bytes of weights.

    >>> choose_dtype("auto", "cpu", weights_size=14_000_000)
    'float32'
    """
    if wanted != "auto":
        return wanted
    if weights_size < LARGE:
        return "float32"
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    return "bfloat16" if _cpu_computes_in_bfloat16() else "float32"


def _cpu_computes_in_bfloat16() -> bool:
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # private, so they may go
    return any(getattr(torch.cpu, name, lambda: False)() for name in names)
