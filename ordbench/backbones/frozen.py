"""The image side that all families share: a frozen network and its own preprocessing."""

from __future__ import annotations

from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn

from ordbench.backbone import Dtype
from ordbench.errors import BackboneError

Decoded = Image.Image


class Preprocessing:
    """A library's own transform, with a description that is the same in every process.

    Args:
        transform: One RGB image to a float32 tensor ``(3, H, W)``.
        description: All that it does.
    """

    def __init__(self, transform: Callable[[Decoded], Tensor], description: str) -> None:
        self.transform = transform
        self.description = description

    def __call__(self, image: Decoded) -> Tensor:
        """One RGB image to a float32 tensor ``(3, H, W)``."""
        return self.transform(image)

    def __repr__(self) -> str:
        return self.description


class ImageTower:
    """A frozen network in eval mode, as a `Backbone`.

    Args:
        network: Images ``(N, 3, H, W)`` to features ``(N, D)``, or to a tuple that begins so.
        transform: Its preprocessing.
        device: Where it runs.
        dtype: Of weights and arithmetic; features come back in float32.
        what: The backbone, for errors.

    Raises:
        BackboneError: If the network does not give one vector an image.
    """

    def __init__(
        self,
        network: nn.Module,
        transform: Preprocessing,
        *,
        device: str,
        dtype: Dtype,
        what: str,
    ) -> None:
        self.transform: Callable[[Decoded], Tensor] = transform
        self.device = torch.device(device)
        self.dtype: torch.dtype = getattr(torch, dtype)
        network = network.eval().requires_grad_(False).to(self.device, self.dtype)
        # Convolutions ran 2 to 4 times as fast in this layout on a CPU, and transformers alike.
        self.network = network.to(memory_format=torch.channels_last)
        blank = transform(Image.new("RGB", (64, 64))).unsqueeze(0)
        features = self.encode(blank)
        if features.ndim != 2:
            raise BackboneError(
                f"backbone {what}: wanted one vector per image, got the shape "
                f"{tuple(features.shape[1:])}; use a model that pools its features"
            )
        self.num_features = features.shape[1]

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """See `ordbench.backbone.Backbone.encode`."""
        images = images.to(self.device, self.dtype, memory_format=torch.channels_last)
        features: Tensor | tuple[Tensor, ...] = self.network(images)
        return (features if isinstance(features, Tensor) else features[0]).float()
