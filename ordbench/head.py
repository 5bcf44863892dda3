"""The contract of a head: features in, outputs out, a loss, and a prediction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

from ordbench.backbone import TextTower
from ordbench.metrics.decoding import ROUNDING
from ordbench.recipe import Recipe, SearchSpace
from ordbench.task import Task


@dataclass(frozen=True, kw_only=True)
class Problem:
    """All that a head may know before it learns.

    Attributes:
        in_features: Width D of the features.
        task: The K ranks.
        train_counts: ``(K,)`` int64, training images a rank; zeros where a rank is absent.
        feature_mean: ``(D,)``, mean of the training features.
        feature_scale: Scalar, root mean square of the features' standard deviations, never zero.
            One for all features, as a deviation over a few images is mostly chance: features that
            are all but silent in training would be divided by next to nothing.
        text_tower: The text tower to prompt, or None where there is none.
        aligned: Whether the features already lie in the text tower's joint space. If not, a text
            head learns a projection.
    """

    in_features: int
    task: Task
    train_counts: Tensor
    feature_mean: Tensor
    feature_scale: Tensor
    text_tower: TextTower | None = None
    aligned: bool = False


class Prediction(NamedTuple):
    """What a head predicts for N images.

    Attributes:
        position: ``(N,)`` in rank steps, 0 to K - 1: the point estimate, or the posterior's median.
        posterior: ``(N, K)``, or None for a head that estimates a point only.
    """

    position: Tensor
    posterior: Tensor | None = None


class BaseHead(nn.Module, ABC):
    """What the two kinds of head have in common; subclass `Head` or `PointHead`.

    A subclass declares its options as keyword-only, annotated arguments of ``__init__``; an
    option that is not declared is refused by name. What is in the module is trained, unless
    ``requires_grad`` is off. `forward` and `loss` run under ``torch.func.vmap`` (replicas are
    trained together) unless ``batchable`` is False. Data-dependent control flow, random numbers
    and buffers that change do not allow it: replicas are then trained one by one, with a warning.

    Attributes:
        recipe: The default training settings.
        search: What a tuning varies besides learning rate and weight decay: options of the head.
        needs_text: Whether the head prompts a text tower.
        iterative: Whether it is trained by steps, as its recipe says; if not, a tuning varies its
            options only.
        batchable: Whether replicas can be trained as one batched model.
        seeded: Whether the train seed can change what it learns; if not, runs that differ in
            nothing else are one run.
        libraries: Packages besides ordbench and torch that it computes with: another version of
            one is another run.
        typed_name: What errors call it: the name by which it was created, else its class.
    """

    recipe: ClassVar[Recipe] = Recipe()
    search: ClassVar[SearchSpace] = {}
    needs_text: ClassVar[bool] = False
    iterative: ClassVar[bool] = True
    batchable: ClassVar[bool] = True
    seeded: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ()

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.typed_name = type(self).__name__
        self.num_ranks = problem.task.num_ranks

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to this head's own outputs ``(N, ...)``."""

    @abstractmethod
    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Scalar training loss of outputs ``(N, ...)`` against ranks ``(N,)``, int64."""

    @abstractmethod
    def predict(self, outputs: Tensor) -> Prediction:
        """The prediction that outputs ``(N, ...)`` stand for; also runs under ``vmap``."""

    def deployed(self) -> nn.Module:
        """The module to ship: features to outputs, without a text tower."""
        return self

    def measures(self, outputs: Tensor) -> dict[str, float]:
        """What predictions do not tell of the head, by metric; outputs ``(N, ...)`` are of tests.

        Names are those of metrics "of the head": ``violations``, ``ordinality``.
        """
        return {}

    def kept(self) -> dict[str, Tensor] | None:
        """The tensors from which `rebuilt` makes a head that predicts as this one; None if none do.

        They are kept beside the results of a run. A head whose state is not in its ``state_dict``
        gives None, and is trained again where it is needed.
        """
        return None if self.needs_text else self.state_dict()

    @classmethod
    def rebuilt(cls, problem: Problem, state: Mapping[str, Tensor], **options: Any) -> BaseHead:  # noqa: ANN401 - as declared
        """A head that predicts as the one that gave the state, without its text tower.

        Args:
            problem: What that head was told, but for the text tower.
            state: What `kept` gave.
            options: The options of that head.

        Raises:
            ValueError: If it is the state of another head.
        """
        head = cls(problem, **options)
        restore(head, state)
        return head


class Head(BaseHead):
    """A head that predicts a distribution over ranks: a body, a link and a loss.

    A subclass writes `forward`, the body, from features ``(N, D)`` to outputs of any shape;
    `posterior`, the link, from outputs to probabilities ``(N, K)``; and `loss`, a scalar. For
    arguments, attributes and what may be overridden see `BaseHead`. ``ordbench new-head NAME``
    writes a package with a head and its tests, ``ordbench check-head MODULE:CLASS`` checks one.

    >>> import torch
    >>> from torch.nn import functional as F
    >>> from ordbench.testing.heads import HeadUnderTest
    >>> class Softmax(Head):
    ...     def __init__(self, problem):
    ...         super().__init__(problem)
    ...         self.score = nn.Linear(problem.in_features, self.num_ranks)
    ...
    ...     def forward(self, features):
    ...         return self.score(features)
    ...
    ...     def posterior(self, outputs):
    ...         return outputs.softmax(-1)
    ...
    ...     def loss(self, outputs, ranks):
    ...         return F.cross_entropy(outputs, ranks)
    >>> head = HeadUnderTest(head_class=Softmax).build(num_ranks=4)
    >>> prediction = head.predict(torch.zeros(1, 4))
    >>> prediction.posterior.tolist(), prediction.position.tolist()
    ([[0.25, 0.25, 0.25, 0.25]], [1.0])
    """

    @abstractmethod
    def posterior(self, outputs: Tensor) -> Tensor:
        """Probabilities ``(N, K)``, a proper mass function in each row."""

    def predict(self, outputs: Tensor) -> Prediction:
        """The posterior and its median."""
        posterior = self.posterior(outputs)
        return Prediction(median_rank(posterior), posterior)


class PointHead(BaseHead):
    """A head that estimates a number and no distribution; left out of probabilistic columns.

    A subclass writes `forward`, from features ``(N, D)`` to outputs of any shape; `estimate`, from
    outputs to rank steps; and `loss`, a scalar. The rest is as in `Head`.

    >>> import torch
    >>> from torch.nn import functional as F
    >>> from ordbench.testing.heads import HeadUnderTest
    >>> class Score(PointHead):
    ...     def __init__(self, problem):
    ...         super().__init__(problem)
    ...         self.score = nn.Linear(problem.in_features, 1)
    ...
    ...     def forward(self, features):
    ...         return self.score(features).squeeze(-1)
    ...
    ...     def estimate(self, outputs):
    ...         return outputs.clamp(0, self.num_ranks - 1)
    ...
    ...     def loss(self, outputs, ranks):
    ...         return F.l1_loss(outputs, ranks.to(outputs.dtype))
    >>> head = HeadUnderTest(head_class=Score).build(num_ranks=5)
    >>> head.predict(torch.tensor([-0.5, 2.5, 9.0])).position.tolist()
    [0.0, 2.5, 4.0]
    """

    @abstractmethod
    def estimate(self, outputs: Tensor) -> Tensor:
        """Point estimates ``(N,)`` in rank steps, 0 to K - 1."""

    def predict(self, outputs: Tensor) -> Prediction:
        """The estimate alone: a one-hot posterior would claim certainty."""
        return Prediction(self.estimate(outputs))


@runtime_checkable
class ClosedForm(Protocol):
    """A head that is fitted to all training images at once, as it has a method ``fit``.

    `fit` is called before the first step with `BaseHead.loss`; if no parameter requires a gradient
    then, there is none.
    """

    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """Fit to features ``(N, D)`` and ranks ``(N,)``, int64; ranks may be absent."""
        ...


@runtime_checkable
class TwoStage(Protocol):
    """A head that is trained twice, as it has a method ``first_loss``.

    All steps of its recipe are made with `first_loss`, without a look at validation. Then
    `ClosedForm.fit` is called, where there is one, which may freeze what has been trained; steps
    with `BaseHead.loss` follow.
    """

    def first_loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Scalar loss of the first stage, of outputs ``(N, ...)`` against ranks ``(N,)``."""
        ...


def restore(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put tensors in place of a module's own, which may have other shapes until they are fitted.

    Raises:
        ValueError: If the module has other parameters or buffers than ``state``.
    """
    own = module.state_dict(keep_vars=True)
    if own.keys() != state.keys():
        other = sorted(own.keys() ^ state.keys())
        raise ValueError(f"the state is that of another module: {other[0]} is in one of them only")
    for name, tensor in state.items():
        if own[name].shape != tensor.shape:
            owner, _, leaf = name.rpartition(".")
            trained = own[name].requires_grad
            new = nn.Parameter(tensor, trained) if isinstance(own[name], nn.Parameter) else tensor
            setattr(module.get_submodule(owner), leaf, new)
    module.load_state_dict(state)


def median_rank(posterior: Tensor) -> Tensor:
    """The lowest rank ``(N,)`` at which the distribution function of ``(N, K)`` reaches 1/2.

    A distance of 1e-6 counts as reached, as in `ordbench.metrics.decoding`.

    >>> import torch
    >>> median_rank(torch.tensor([[0.4, 0.2, 0.4], [0.6, 0.4, 0.0]])).tolist()
    [1.0, 0.0]
    """
    below = posterior.cumsum(-1) < 0.5 - ROUNDING
    return below.sum(-1).to(posterior.dtype)


def check_ranks(ranks: Tensor, num_ranks: int) -> None:
    """Refuse ranks outside 0..K-1, before a training begins.

    Raises:
        ValueError: If a rank is out of range.
    """
    if len(ranks) and (int(ranks.min()) < 0 or int(ranks.max()) >= num_ranks):
        raise ValueError(
            f"ranks must lie in 0..{num_ranks - 1} (num_ranks={num_ranks}), "
            f"got {int(ranks.min())}..{int(ranks.max())}"
        )
