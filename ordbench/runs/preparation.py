"""A run with all that it needs at hand: features, split and identity."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import torch

from ordbench.dataset import Part
from ordbench.errors import SpecError
from ordbench.plugins.registry import HEADS
from ordbench.runs.identity import Identity, identify
from ordbench.runs.resources import EncodedDataset, Resources
from ordbench.runs.spec import RunSpec, check_backbone
from ordbench.splits.split import Indices, Split
from ordbench.training.trainer import LabelledFeatures


@dataclass(frozen=True)
class PreparedRun:
    """A run with all that it needs at hand; ranks are int64 ``(N,)``, features ``(N, D)``."""

    spec: RunSpec
    material: EncodedDataset
    split: Split
    identity: Identity

    @cached_property
    def _labelled(self) -> dict[Part, LabelledFeatures]:
        return {}

    @cached_property
    def indices(self) -> Indices:
        """Where the samples of each part stand."""
        return self.split.indices(self.material.listing)

    def labelled(self, part: Part) -> LabelledFeatures:
        """Features and ranks of one part.

        Training images have the ranks that the split gives them, where it changes some. Runs of one
        split share the tensors of training and validation for as long as one of them is there.
        Those of the test images, which may be most, are needed once and not kept.
        """
        if part == "test":
            return self._rows(part)
        if part not in self._labelled:
            shared, split = self.material.shared, self.split.hash
            found = shared.get((split, part)) or self._rows(part)
            shared[split, part] = self._labelled[part] = found
        return self._labelled[part]

    def _rows(self, part: Part) -> LabelledFeatures:
        rows = torch.tensor(getattr(self.indices, part))
        ranks = self.material.ranks[rows]
        if part == "train" and self.split.train_ranks:
            given = self.split.train_ranks
            own = zip(self.split.train, ranks.tolist(), strict=True)
            ranks = torch.tensor([given.get(name, rank) for name, rank in own])
        return LabelledFeatures(self.material.features.features[rows], ranks)


def prepare(spec: RunSpec, resources: Resources) -> PreparedRun:
    """Draw the split, get the features, and name the run by what can change its outcome.

    Raises:
        OrdbenchError: If something is missing or unusable.
    """
    check_backbone(spec)
    with ThreadPoolExecutor(1) as beside:  # the text tower's libraries, while the dataset is read
        needs_text = HEADS[spec.head].needs_text
        tower = beside.submit(resources.text_tower, spec) if needs_text else None
        listing = resources.listing(spec)
    if tower and tower.result() is None:
        raise SpecError(
            f"head {spec.head!r} needs a text encoder, and backbone {spec.backbone} has none; "
            "add --text clip:RN50/openai (or another CLIP)"
        )
    # Drawn on all files first: a wrong number of shots must not cost the encoding of the images.
    resources.split(spec, listing)
    material = resources.material(spec)
    split = resources.split(spec, material.listing)
    return PreparedRun(spec, material, split, identify(spec, split, material, resources))
