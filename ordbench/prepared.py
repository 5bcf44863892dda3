"""A run with all that it needs at hand: features, split and identity."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import torch

from ordbench.dataset import Part
from ordbench.errors import SpecError
from ordbench.fit import Labelled
from ordbench.identity import Identity, identify
from ordbench.registry import HEADS
from ordbench.spec import RunSpec
from ordbench.split import Indices, Split
from ordbench.workspace import Material, Workspace


@dataclass(frozen=True)
class Prepared:
    """A run with all that it needs at hand; ranks are int64 ``(N,)``, features ``(N, D)``."""

    spec: RunSpec
    material: Material
    split: Split
    identity: Identity

    @cached_property
    def _labelled(self) -> dict[Part, Labelled]:
        return {}

    @cached_property
    def indices(self) -> Indices:
        """Where the samples of each part stand."""
        return self.split.indices(self.material.listing)

    def labelled(self, part: Part) -> Labelled:
        """Features and ranks of one part; the same tensors at each call."""
        if part not in self._labelled:
            rows = torch.tensor(getattr(self.indices, part))
            features, ranks = self.material.features.features[rows], self.material.ranks[rows]
            self._labelled[part] = Labelled(features, ranks)
        return self._labelled[part]


def prepare(spec: RunSpec, workspace: Workspace) -> Prepared:
    """Draw the split, get the features, and name the run by what can change its outcome.

    Raises:
        OrdbenchError: If something is missing or unusable.
    """
    with ThreadPoolExecutor(1) as beside:  # the text tower's libraries, while the dataset is read
        needs_text = HEADS[spec.head].needs_text
        tower = beside.submit(workspace.text_tower, spec) if needs_text else None
        listing = workspace.listing(spec)
    if tower and tower.result() is None:
        raise SpecError(
            f"head {spec.head!r} prompts a text tower and {spec.backbone} has none; "
            "add --text clip:tiny (or another CLIP)"
        )
    # Drawn on all files first: a wrong number of shots must not cost the encoding of the images.
    workspace.split(spec, listing)
    material = workspace.material(spec)
    split = workspace.split(spec, material.listing)
    return Prepared(spec, material, split, identify(spec, split, material, workspace))
