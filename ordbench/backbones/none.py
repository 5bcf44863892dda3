"""No backbone: for datasets that bring features in place of images."""

from __future__ import annotations

from typing import ClassVar, NoReturn

from ordbench.backbone import BackboneFamily, Dtype, Layer
from ordbench.errors import BackboneError


class NoBackbone(BackboneFamily):
    """What stands in place of a backbone where nothing is encoded; it has no text tower either."""

    title: ClassVar[str] = "no backbone: the dataset brings its features"
    source: ClassVar[str] = "ordbench (ordbench.backbones.none)"
    needs: ClassVar[str] = "a dataset that brings features; the default there"

    def check(self, argument: str) -> None:
        """See `BackboneFamily.check`."""
        if argument:
            raise BackboneError(f"backbone none:{argument}: it takes no name; write none")

    def fingerprint(self, argument: str) -> str:
        """Nothing, as there are no weights."""
        return ""

    def load(self, argument: str, *, layer: Layer, device: str, dtype: Dtype) -> NoReturn:
        """Refuse: there is nothing to build.

        Raises:
            BackboneError: Always.
        """
        raise BackboneError("backbone none encodes no images; take clip:tiny or another one")

    def load_text_tower(self, argument: str, *, device: str) -> None:
        """None."""
        return
