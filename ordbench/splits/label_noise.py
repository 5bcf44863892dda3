"""Label noise: some training images are given another rank than their own.

Source: uniform noise as in Ghosh, Kumar, Sastry (2017). Robust loss functions under label noise for
deep neural networks. https://arxiv.org/abs/1712.09482
"""

from __future__ import annotations

from typing import ClassVar, Literal

from ordbench.dataset import Sample, Samples
from ordbench.errors import SpecError
from ordbench.protocol import Parts
from ordbench.splits.folds import digests
from ordbench.splits.standard import Standard

_HALF = 16  # bytes: the first half of a hash says whether, the second half which


class LabelNoise(Standard):
    """The images of ``standard``; each rank that trains is changed with a probability.

    What is changed is drawn image by image, by the data seed: the images of a smaller share are
    among those of a larger one, and those of few shots among those of more. Shots are counted by
    the true ranks. Validation and test images keep their ranks.

    Args:
        share: The probability.
        kind: ``uniform`` changes to any other rank, each as likely; ``neighbours`` to the next
            higher or lower one.

    Raises:
        SpecError: If the share is not above 0 and at most 1.
    """

    title: ClassVar[str] = "standard, with wrong ranks in training (share=0.2[:kind=neighbours])"
    source: ClassVar[str] = (
        "uniform noise: Ghosh, Kumar, Sastry (2017). Robust loss functions under label noise for "
        "deep neural networks. https://arxiv.org/abs/1712.09482"
    )
    seeded: ClassVar[bool] = True

    def __init__(self, *, share: float, kind: Literal["uniform", "neighbours"] = "uniform") -> None:
        if not 0 < share <= 1:
            raise SpecError(f"protocol label-noise: share={share} must be above 0 and at most 1")
        self.share, self.kind = share, kind

    def parts(
        self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
    ) -> Parts:
        """See `SplitProtocol.parts`."""
        parts = super().parts(listing, dataset=dataset, fold=fold, shots=shots, data_seed=data_seed)
        salt = (dataset, "noise", str(data_seed), str(fold))
        num_ranks = listing.task.num_ranks
        drawn = zip(parts.train, digests((s.name for s in parts.train), *salt), strict=True)
        return parts._replace(train=[self._labelled(s, hash_, num_ranks) for s, hash_ in drawn])

    def _labelled(self, sample: Sample, drawn: bytes, num_ranks: int) -> Sample:
        whether, which = (int.from_bytes(half) for half in (drawn[:_HALF], drawn[_HALF:]))
        if whether >= self.share * 256**_HALF:
            return sample
        if self.kind == "neighbours":
            near = [rank for rank in (sample.rank - 1, sample.rank + 1) if 0 <= rank < num_ranks]
            return sample._replace(rank=near[which % len(near)])
        other = which % (num_ranks - 1)
        return sample._replace(rank=other + (other >= sample.rank))
