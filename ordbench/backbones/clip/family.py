"""Backbones of open_clip: CLIP and its kin, image and text side.

Source: Radford et al. (2021). Learning transferable visual models from natural language
supervision. https://arxiv.org/abs/2103.00020; Ilharco et al. (2021). OpenCLIP.
https://doi.org/10.5281/zenodo.5143773
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ordbench.backbone import BackboneFamily, Dtype, Layer
from ordbench.backbones.clip.source import CONFIG, check_source, locate, model_and_tag
from ordbench.backbones.weights import file_hash

if TYPE_CHECKING:
    from ordbench.backbone import Backbone, TextTower


class Clip(BackboneFamily):
    """Any CLIP that open_clip can build, by one of these arguments.

    - ``MODEL/TAG``: open_clip's pretrained weights.
    - ``MODEL@FILE``, ``MODEL/TAG@FILE``: weights from a file. A tag also says which activation and
      preprocessing the weights were trained with: OpenAI's want ``ViT-B-32/openai@FILE``.
    - ``hf-hub:ORG/REPO``: open_clip's configuration and weights from the hub.
    - ``NAME@FOLDER``: the same two files from a folder, under any name.
    - ``tiny``: the one that comes with ordbench.
    - ``MODEL/random``: a text tower with random weights, to measure its latency.

    Layer ``post`` is what ``encode_image`` gives, ``pre`` is what enters the last projection. The
    bias that SigLIP adds to its cosines shifts all ranks alike, so it is left out.
    """

    title = "any open_clip model, as clip:MODEL/TAG, clip:MODEL@FILE or clip:hf-hub:ORG/REPO"
    source = (
        "Radford et al. (2021). Learning transferable visual models from natural language "
        "supervision. https://arxiv.org/abs/2103.00020; Ilharco et al. (2021). OpenCLIP. "
        "https://doi.org/10.5281/zenodo.5143773"
    )
    needs = "nothing for clip:tiny; else network at first use, or a file of weights"
    libraries = ("open_clip_torch", "timm", "torchvision")

    def fingerprint(self, argument: str) -> str:
        """See `BackboneFamily.fingerprint`. What is not in the weights is mixed in by name."""
        source = locate(argument)
        config = file_hash(source.folder / CONFIG) if source.folder else ""
        content = f"clip {source.model} {source.tag} {config} {file_hash(source.weights)}"
        return hashlib.sha256(content.encode()).hexdigest()

    def check(self, argument: str) -> None:
        """See `BackboneFamily.check`."""
        check_source(argument)

    def weights_size(self, argument: str) -> int:
        """See `BackboneFamily.weights_size`; both towers are in the file."""
        return locate(argument).weights.stat().st_size

    def caution(self, argument: str) -> str:
        """See `BackboneFamily.caution`."""
        if argument != "tiny":
            return ""
        return (
            "clip:tiny was trained on drawings only; for photographs take another "
            "--backbone (or --text), such as clip:ViT-B-16/openai"
        )

    def load(self, argument: str, *, layer: Layer, device: str, dtype: Dtype) -> Backbone:
        """See `BackboneFamily.load`; the text tower is neither built nor read."""
        from ordbench.backbones.clip.image_tower import load_images

        source = locate(argument)
        return load_images(source, layer=layer, device=device, dtype=dtype)

    def load_text_tower(self, argument: str, *, device: str) -> TextTower | None:
        """See `BackboneFamily.load_text_tower`; the image tower is neither built nor read."""
        from ordbench.backbones.clip.random_text import RANDOM, random_text
        from ordbench.backbones.clip.text_tower import load_text

        model, tag = model_and_tag(argument)
        if tag == RANDOM:
            return random_text(model, device=device)
        source = locate(argument)
        return load_text(source, fingerprint=self.fingerprint(argument), device=device)
