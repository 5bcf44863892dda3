"""dlordinal: a softmax over ranks, trained with a loss of the library, by its class name.

Source: Berchez-Moreno et al. (2025). dlordinal: a Python package for deep ordinal classification.
Neurocomputing 622. https://doi.org/10.1016/j.neucom.2024.129305

Needs: the package dlordinal (pip install 'ordbench[dlordinal]').

Parity: agrees with dlordinal, whose losses it calls, on the same scores.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import SoftmaxHead
from ordbench.recipe import OptionValue, Recipe
from ordbench.utils.extras import extra, taken
from ordbench.utils.text import did_you_mean

OF_THRESHOLDS = {"CORNLoss": "corn", "OrdinalECOCDistanceLoss": "ecoc"}


class DlordinalLoss(SoftmaxHead):
    """Trains with any loss of scores ``(N, K)`` and ranks, averaged over a batch.

    Args:
        problem: See `Problem`.
        argument: Name of the class, such as ``TriangularLoss`` or ``CDWCELoss``. A loss of soft
            labels is their cross-entropy.
        hidden: Widths of hidden layers; none for a linear layer.
        parameters: What else the class takes, such as ``alpha2=0.1``.

    Raises:
        SpecError: If dlordinal is not installed, or has no such loss with these parameters.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    libraries: ClassVar[tuple[str, ...]] = ("dlordinal",)

    def __init__(
        self,
        problem: Problem,
        *,
        argument: str,
        hidden: tuple[int, ...] = (),
        **parameters: OptionValue,
    ) -> None:
        super().__init__(problem, hidden=hidden)
        kind = _loss_class(argument)
        takes, ours = taken(kind, parameters), _known_to_us(problem)
        if ours.keys() & parameters:
            raise SpecError(f"{argument}: leave out {', '.join(ours)}; ordbench sets them")
        given = {name: value for name, value in ours.items() if name in takes}
        try:
            self.criterion: nn.Module = kind(**given, **_typed(parameters))
            # WKLoss makes its constants in its first call, and parameters are checked in it.
            ranks = torch.arange(self.num_ranks)
            first = self.criterion(torch.zeros(self.num_ranks, self.num_ranks), ranks)
        except Exception as error:  # a library may raise anything
            raise SpecError(f"{argument}: {error}") from error
        if first.shape != () or not first.isfinite():
            raise SpecError(
                f"{argument}: the loss must be one finite number, got {first.tolist()}; "
                "change its parameters (prox needs training images of all ranks)"
            )
        _constants_as_buffers(self.criterion)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """The loss of the whole batch, for each image ``(N,)``; in float32, which WKLoss needs."""
        loss: Tensor = self.criterion(outputs.float(), ranks)
        return loss.to(outputs.dtype).expand(len(ranks))


def _loss_class(name: str) -> type[Any]:
    """The loss called ``name``; those that are deprecated or lack the number of ranks are not."""
    module = extra("dlordinal.losses")
    if name in OF_THRESHOLDS:
        raise SpecError(f"{name} takes a score a threshold; take the head {OF_THRESHOLDS[name]}")
    kinds = {
        one: getattr(module, one)
        for one in module.__all__
        if one not in OF_THRESHOLDS and not one.endswith("CrossEntropyLoss")
    }
    known = {one: kind for one, kind in kinds.items() if "num_classes" in taken(kind, ())}
    if name not in known:
        raise SpecError(f"unknown loss {name!r}; {did_you_mean(name, known, at_most=20)}")
    kind: type[Any] = known[name]
    return kind


def _known_to_us(problem: Problem) -> dict[str, object]:
    """What losses take that is not for the user to say."""
    num_ranks = problem.task.num_ranks
    return {
        "num_classes": num_ranks,
        "train_targets": torch.arange(num_ranks).repeat_interleave(problem.train_counts),
        "base_loss": nn.CrossEntropyLoss(),
        "use_logits": True,
    }


def _typed(parameters: dict[str, OptionValue]) -> dict[str, object]:
    """Class weights as the tensor, and other lists as the list, that dlordinal takes."""
    lists = {name: list(value) for name, value in parameters.items() if isinstance(value, tuple)}
    weight = {"weight": torch.tensor(lists.pop("weight")).float()} if "weight" in lists else {}
    return {**parameters, **lists, **weight}


def _constants_as_buffers(criterion: nn.Module) -> None:
    """Losses keep some tensors as plain attributes, which stay behind on another device."""
    for module in criterion.modules():
        for name, value in [*vars(module).items()]:
            if isinstance(value, Tensor):
                delattr(module, name)
                module.register_buffer(name, value, persistent=False)
