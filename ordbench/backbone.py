"""The contract of a backbone: images in, features out; CLIP and ResNet look the same from here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor, nn

# After or before the projection into CLIP's joint space; one and the same where there is none.
Layer = Literal["post", "pre"]
Dtype = Literal["float32", "bfloat16", "float16"]


class Backbone(Protocol):
    """Turns images into features; any class with these attributes and `encode` is one.

    Attributes:
        num_features: Width D of the features.
        transform: Its own preprocessing, one RGB image to a float32 tensor ``(3, H, W)``; its
            ``repr`` says all that it does and stands beside the cached features.

    >>> import torch
    >>> from torchvision.transforms import Compose, Resize, ToTensor
    >>> class MeanColour:
    ...     num_features = 3
    ...     transform = Compose([Resize((64, 64)), ToTensor()])
    ...
    ...     def encode(self, images):
    ...         return images.mean((2, 3))
    >>> MeanColour().encode(torch.ones(2, 3, 64, 64)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    num_features: int
    transform: Callable[[Image], Tensor]

    def encode(self, images: Tensor) -> Tensor:
        """Map preprocessed images ``(N, 3, H, W)`` to float32 features ``(N, D)``.

        The images may lie on any device, the features lie on the backbone's. They are not
        brought to unit length.
        """
        ...


class TextTower(Protocol):
    """A frozen text encoder that takes token embeddings, so that prompts can be learned.

    Attributes:
        width: Width W of a token embedding.
        embed_dim: Width E of the joint space.
        context_length: Most tokens in a prompt, start and end included.
        sot: Token id that starts a prompt, or -1 where the tower knows none.
        eot: Token id that ends a prompt; CLIP pools there.
        pad: Token id that fills a prompt up to ``context_length`` (CLIP: 0).
        logit_scale: The scale of cosines, already exponentiated (about 100 for CLIP).
        causal: Whether the tower is CLIP's causal transformer of `ResidualAttentionBlock`, pooled
            at the end token: then `model` has ``transformer``, ``positional_embedding``,
            ``ln_final`` and ``text_projection`` (a matrix, a linear layer or None).
        fingerprint: Hash of the weights.
        model: The library's own module, frozen and in eval mode. Its ``encode_text`` (or its call,
            where there is none) maps ids ``(K, context_length)`` to ``(K, E)`` and looks them up
            in ``token_embedding``, its own or that of its ``text``.
    """

    width: int
    embed_dim: int
    context_length: int
    sot: int
    eot: int
    pad: int
    logit_scale: float
    causal: bool
    fingerprint: str
    model: nn.Module

    def tokenize(self, text: str) -> list[int]:
        """Token ids of ``text``, without start, end and padding."""
        ...

    def embed(self, ids: Tensor) -> Tensor:
        """Token embeddings ``(..., W)`` of ids ``(...)``."""
        ...

    def encode(self, prompts: list[str]) -> Tensor:
        """Encode whole sentences as the library itself does: ``(len(prompts), E)``."""
        ...


class BackboneFamily(ABC):
    """One library of backbones: the entry point ``NAME`` opens ``NAME:ARGUMENT``.

    A subclass has the attributes, and writes `fingerprint`, `load` and `load_text_tower`. Importing
    the module of a family must not import torch. ``ordbench new-backbone NAME`` writes a package
    with a family and its tests, ``ordbench check-backbone MODULE:CLASS:ARGUMENT`` checks one.

    Attributes:
        title: One line for ``ordbench ls backbones``.
        source: Paper or project.
        needs: What a user must have ("nothing", "network at first use").
        libraries: Distributions whose version can change a feature although the weights stay the
            same (they preprocess and compute), a plug-in's own among them; cached features of
            another version are not used, nor are those of an edited source file of the family.

    >>> from hashlib import sha256
    >>> class Squares(BackboneFamily):
    ...     title, source, needs = "images as squares:SIZE", "an example", "nothing"
    ...
    ...     def fingerprint(self, argument):
    ...         return sha256(f"squares {argument}".encode()).hexdigest()
    ...
    ...     def load(self, argument, *, layer, device, dtype):
    ...         from my_package.squares import Square  # a `Backbone`, which may import torch
    ...         return Square(int(argument), device)
    ...
    ...     def load_text_tower(self, argument, *, device):
    ...         return None
    >>> Squares().fingerprint("8") == Squares().fingerprint("9")
    False
    """

    title: ClassVar[str]
    source: ClassVar[str]
    needs: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def fingerprint(self, argument: str) -> str:
        """SHA-256 of the weights behind ``argument``; fetches them if they are not here yet.

        Raises:
            BackboneError: If there is no such model, or its weights cannot be had.
        """

    def check(self, argument: str) -> None:  # noqa: B027 - a family need not know its models
        """Refuse an argument that names nothing of this family; nothing is fetched or built.

        Raises:
            BackboneError: If there is no such model or file.
        """

    def weights_size(self, argument: str) -> int:
        """Bytes of the weights behind ``argument``; 0 where nobody knows.

        Large ones are run in bfloat16 where the device computes in it, if the user leaves the
        dtype open.

        Raises:
            BackboneError: As for `fingerprint`.
        """
        return 0

    def caution(self, argument: str) -> str:
        """What to know before these weights see photographs, in one line; empty for most.

        It is noted in each run on a dataset that does not come with ordbench, and logged where
        images of a user are predicted.
        """
        return ""

    @abstractmethod
    def load(self, argument: str, *, layer: Layer, device: str, dtype: Dtype) -> Backbone:
        """Build the image side.

        Raises:
            BackboneError: As for `fingerprint`, and if the weights are another model's.
        """

    @abstractmethod
    def load_text_tower(self, argument: str, *, device: str) -> TextTower | None:
        """Build the text side in float32, or None where there is none.

        Raises:
            BackboneError: As for `load`, and for a tower that takes no embeddings as input.
        """
