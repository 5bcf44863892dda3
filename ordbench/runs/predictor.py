"""A trained head with its backbone: from images or features to estimates in the dataset's unit."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

from ordbench.backbone import BackboneFamily, Dtype
from ordbench.data.image_lists import list_images
from ordbench.data.paths import resolve_cache
from ordbench.dataset import SkippedFile
from ordbench.errors import BackboneError, DatasetError, SpecError
from ordbench.features.extraction import Progress, extract, open_family
from ordbench.head import BaseHead
from ordbench.metrics.conformal import Method, check_coverage, intervals
from ordbench.metrics.decoding import estimates, nearest_ranks, to_unit
from ordbench.metrics.evaluation import Calibration
from ordbench.plugins.registry import DECODES
from ordbench.runs.estimates import Estimates
from ordbench.runs.inference import predict
from ordbench.runs.kept_head import HeadFacts, Validation
from ordbench.runs.resources import Locations, resolve_device
from ordbench.runs.spec import NO_BACKBONE

if TYPE_CHECKING:
    from PIL.Image import Image

    from ordbench.utils.images import ImageSource


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Picture:
    """A PIL image as an `ordbench.ImageBytes`; it is read as a file of it would be."""

    name: str
    image: Image

    def __str__(self) -> str:
        return self.name

    def read(self) -> bytes:
        """The image as a PNG file, which loses nothing."""
        from PIL import ImageOps

        upright = ImageOps.exif_transpose(self.image)
        if upright.mode not in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}:
            upright = upright.convert("RGB")
        file = io.BytesIO()
        upright.save(file, "PNG")
        return file.getvalue()


class Predictor:
    """Predicts as its run did: the same images have the same estimates, bit by bit.

    That holds with the device and the libraries of the run; an image has the same estimate alone
    and among others. Made by `ordbench.load_head`.

    Args:
        head: Trained, on any device.
        facts: What it is.
        validation: What it said of the validation images.
        backbone: In place of the one that the facts name, where its weights lie elsewhere.
        settings: Where features are cached, and the device; ``auto`` is the CPU for a head that was
            trained there.

    Attributes:
        head: The trained head.
        facts: See `HeadFacts`.
        validation: See `Validation`.
    """

    def __init__(
        self,
        head: BaseHead,
        facts: HeadFacts,
        validation: Validation,
        *,
        backbone: str = "",
        settings: Locations | None = None,
    ) -> None:
        settings = settings or Locations()
        self.facts = facts
        self.validation = validation
        exact = settings.device == "auto" and facts.device == "cpu"
        self._device = "cpu" if exact else resolve_device(settings.device)
        self._cache = resolve_cache(settings.cache)
        self.head = head.to(self._device).eval()
        self._backbone = backbone or facts.backbone

    def predict(
        self,
        images: str | Path | Image | Iterable[str | Path | Image],
        *,
        decode: str = "median",
        coverage: float | None = None,
        method: Method = "rps",
        progress: Progress | None = None,
    ) -> Estimates:
        """Estimates of images; those that cannot be read are skipped.

        Args:
            images: Paths of images, folders, zip archives or CSV files with a column ``file``, and
                images of Pillow; one or many.
            decode: How a posterior becomes an estimate: a name of ``ordbench ls metrics``.
            coverage: Share of images whose rank is to lie in its interval, such as 0.9; None for
                no intervals. They are calibrated on the validation images, which chose the head's
                step or settings: see `ordbench.metrics.conformal`.
            method: ``rps`` or ``aps``.
            progress: Told how many images of how many are encoded.

        Raises:
            DatasetError: If not one image can be read.
            BackboneError: If the backbone cannot be had or has other weights than in the run.
            SpecError: If the head was trained on features without a backbone, there can be no
                intervals of that coverage, or something is neither a path nor an image of Pillow.
            UnknownPluginError: If there is no such decode.
        """
        _ = DECODES[decode]  # refused now, and not after the encoding
        self._check_intervals(coverage)
        self._check_backbone()
        named, skipped = _sources(images)
        if not named:
            raise DatasetError(_nothing(skipped))
        features = extract(
            [source for _, source in named],
            backbone=self._backbone,
            layer=self.facts.layer,
            normalize=self.facts.normalize,
            dtype=cast(Dtype, self.facts.dtype),
            device=self._device,
            cache=self._cache,
            progress=progress,
        )
        unreadable = {rejected.name: rejected.reason for rejected in features.rejected}
        names = [name for name, source in named if str(source) not in unreadable]
        lost = [
            SkippedFile(name, unreadable[str(source)])
            for name, source in named
            if str(source) in unreadable
        ]
        found = self._estimates(features.features, names, decode)
        found = self._with_intervals(found, coverage, method)
        return replace(found, skipped=(*skipped, *lost))

    def predict_features(
        self,
        features: ArrayLike | Tensor,
        *,
        decode: str = "median",
        coverage: float | None = None,
        method: Method = "rps",
    ) -> Estimates:
        """Estimates of images whose features are at hand, as the backbone gives them.

        Args:
            features: ``(N, D)``; brought to unit length here where the run did so.
            decode: As in `predict`.
            coverage: As in `predict`.
            method: As in `predict`.

        Raises:
            SpecError: If they are of another width, or a number is not finite, or there can be no
                intervals of that coverage.
            UnknownPluginError: If there is no such decode.
        """
        rows = torch.as_tensor(features if isinstance(features, Tensor) else np.asarray(features))
        self._check_intervals(coverage)
        width = self.facts.in_features
        if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
            raise SpecError(f"features must be (N, {width}), got {tuple(rows.shape)}")
        rows = rows.detach().float().cpu()
        if not rows.isfinite().all():
            bad = int((~rows.isfinite().all(1)).nonzero()[0])
            raise SpecError(f"features must be finite numbers, got another one in row {bad}")
        rows = F.normalize(rows, dim=1) if self.facts.normalize else rows
        found = self._estimates(rows, [str(row) for row in range(len(rows))], decode)
        return self._with_intervals(found, coverage, method)

    def _estimates(self, features: Tensor, images: Sequence[str], decode: str) -> Estimates:
        task = self.facts.task
        how = DECODES[decode]
        position, posterior = predict(self.head, features.to(self._device))
        if posterior is None:
            probs, decode = None, "point"
            estimate = to_unit(position.cpu().numpy(), task.rank_values)
        else:
            probs = posterior.cpu().numpy()
            estimate = estimates(probs, task.rank_values, how)
        return Estimates(
            images=images,
            estimate=estimate,
            rank=nearest_ranks(estimate, task.rank_values),
            posterior=probs,
            rank_names=task.rank_names,
            rank_values=task.rank_values,
            unit=task.unit,
            decode=decode,
        )

    def _with_intervals(
        self, found: Estimates, coverage: float | None, method: Method
    ) -> Estimates:
        probs, validation = found.posterior, self.validation
        if coverage is None or probs is None or validation.posterior is None:
            return found
        seen = Calibration(validation.posterior, validation.ranks)
        lower, upper, note = intervals(probs, seen, coverage=coverage, method=method)
        if note:
            logger.warning("%s", note)
        return replace(found, lower=lower, upper=upper, coverage=coverage)

    def _check_intervals(self, coverage: float | None) -> None:
        if coverage is None:
            return
        check_coverage(coverage)
        if self.validation.posterior is None:
            raise SpecError(
                f"the head of run {self.facts.run_id} estimates a point only, and intervals take a "
                "posterior; leave the coverage out"
            )

    def _check_backbone(self) -> None:
        family, argument = family_of(self.facts, self._backbone)
        if said := family.caution(argument):
            logger.warning("run %s: %s", self.facts.run_id, said)


def family_of(facts: HeadFacts, backbone: str) -> tuple[BackboneFamily, str]:
    """The family and argument of the backbone whose features a head reads.

    Args:
        facts: Of the head.
        backbone: ``FAMILY:ARGUMENT[@PATH]``.

    Raises:
        SpecError: If the head was trained on features without a backbone.
        BackboneError: If it cannot be had, or has other weights than in the run.
    """
    if backbone == NO_BACKBONE:
        raise SpecError(
            f"run {facts.run_id} was trained on features of a dataset, and no backbone is known "
            "that gives them for images; take its head on features (predict_features in Python, "
            "or export without --with-backbone)"
        )
    family, argument = open_family(backbone)
    if (found := family.fingerprint(argument)) != facts.fingerprint:
        raise BackboneError(
            f"backbone {backbone} has other weights (SHA-256 {found[:12]}...) than run "
            f"{facts.run_id} was trained with ({facts.fingerprint[:12]}...); name the right ones, "
            "--backbone NAME@PATH"
        )
    return family, argument


def _sources(
    images: str | Path | Image | Iterable[str | Path | Image],
) -> tuple[list[tuple[str, ImageSource]], list[SkippedFile]]:
    """What can be opened, by name, and what is no image."""
    from PIL.Image import Image

    if isinstance(images, str | Path | Image):
        images = [images]
    named: list[tuple[str, ImageSource]] = []
    skipped: list[SkippedFile] = []
    for number, one in enumerate(cast("Iterable[object]", images)):  # whatever was given
        if isinstance(one, Image):
            named.append((f"image {number}", _Picture(f"image {number}", one)))
            continue
        if not isinstance(one, str | Path):
            raise SpecError(
                f"images are paths or images of Pillow, got {type(one).__name__}; arrays become "
                "one by PIL.Image.fromarray, features are for predict_features"
            )
        for name, image, problem in list_images([one]):
            if problem:
                skipped.append(SkippedFile(name, problem))
            else:
                named.append((name, image))
    return named, skipped


def _nothing(skipped: Sequence[SkippedFile]) -> str:
    if not skipped:
        return "there is no image in what was named; name images, or a folder that has some"
    more = f", and {len(skipped) - 1} more like it" if len(skipped) > 1 else ""
    return f"not one image can be read: {skipped[0].name}: {skipped[0].reason}{more}"
