"""How a head is trained on features: optimiser, learning rate, epochs, batch size, schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Recipe(BaseModel):
    """The training settings of one head; a head class carries its default as ``recipe``.

    Attributes:
        optimizer: Update rule. All of them work element by element, so that replicas trained
            together do not touch each other. The first five updates of ``radam``, which come before
            its variance is defined, change nothing, as in OrdinalCLIP's code.
        learning_rate: Peak step size.
        weight_decay: Decoupled from the gradient for ``adamw`` and ``radam``, added to it for
            ``sgd``.
        epochs: Passes over the training set.
        min_steps: Fewest updates, whatever ``epochs`` says: few-shot sets have 1 to 3 batches.
        batch_size: Images an update.
        schedule: ``cosine`` falls to zero at the last step, ``constant`` does not.
        evaluations: How often validation is looked at, at most: after equally many steps each
            time, and after the last one.
        patience: Evaluations without a better validation MAE before training stops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    optimizer: Literal["adamw", "radam", "sgd"] = "adamw"
    learning_rate: float = Field(default=1e-2, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    epochs: int = Field(default=50, ge=1)
    min_steps: int = Field(default=200, ge=1)
    batch_size: int = Field(default=128, ge=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    evaluations: int = Field(default=20, ge=1)
    patience: int = Field(default=5, ge=1)

    def steps(self, num_images: int) -> int:
        """Updates on a training set of ``num_images``.

        >>> Recipe(epochs=10, min_steps=1, batch_size=32).steps(100)  # 4 batches, 10 times
        40
        """
        return max(self.min_steps, self.epochs * -(-num_images // self.batch_size))


OptionScalar = bool | int | float | str | None
OptionValue = OptionScalar | tuple[OptionScalar, ...]
"""A list is typed with semicolons: ``alphas=0.1;1;10``."""


class LogUniform(NamedTuple):
    """Positive numbers from ``low`` to ``high``, searched by their logarithm."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """The number that ``share`` of the way leads to.

        >>> LogUniform(0.01, 1.0).at(0.5)
        0.1
        """
        return float(self.low * (self.high / self.low) ** share)


Axis = LogUniform | tuple[OptionScalar, ...]
SearchSpace = Mapping[str, Axis]
Point = Mapping[str, OptionScalar]
