"""A head as a scikit-learn classifier of features: ``from ordbench.sklearn import ...``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ordbench.errors import SpecError
from ordbench.head import PointHead, Prediction
from ordbench.metrics.decoding import check_posterior, nearest_ranks, to_unit
from ordbench.plugins.options import resolve
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import DECODES, HEADS
from ordbench.recipe import OptionValue, Recipe
from ordbench.runs.heads import create_head
from ordbench.runs.inference import predict
from ordbench.runs.spec import head_settings
from ordbench.task import Task
from ordbench.training.samplers import Candidate
from ordbench.training.search import Search, search
from ordbench.training.trainer import LabelledFeatures, Replica, problem_of
from ordbench.utils.random_numbers import seeded
from ordbench.utils.wording import wanted

Array = NDArray[Any]
Table = Any  # an array, a data frame, lists: scikit-learn decides what it takes


def _has_posterior(classifier: OrdinalHeadClassifier) -> bool:
    if hasattr(classifier, "has_posterior_"):
        return classifier.has_posterior_
    return not issubclass(HEADS[PluginRef.parse(classifier.head).name], PointHead)


class OrdinalHeadClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """A head of ordbench, trained on rows of features as ``ordbench run`` trains it.

    Labels are ranks: numbers in their order, or whatever ``ranks`` puts in order. Part of the
    training rows is held out, at least one, evenly over the ranks; it chooses the step of the
    training that is kept. The only row of a rank always trains. Where no rank has two rows, all
    rows train and validate.

    Args:
        head: ``NAME[:KEY=VALUE]``, as ``ordbench ls heads`` names them; none that prompts a text
            encoder.
        options: Options of the head by name; they win over those typed after its name.
        recipe: Changes of the head's own `Recipe`, by field: ``{"epochs": 10}``.
        ranks: The labels from the lowest rank to the highest; None for those of ``y``, sorted.
            Rising numbers are also the values in which errors are counted. Columns of
            ``predict_proba`` are in this order, while ``sklearn.metrics.log_loss`` and its like
            take them in sorted order.
        decode: How `predict` reads a posterior: ``median``, which has the least expected absolute
            error, ``argmax`` or ``mean``; the nearest label is predicted.
        validation_fraction: Share of the rows that is held out.
        random_state: Starts the head, orders the batches and draws the rows that are held out. A
            number is also the train seed of ``ordbench run``.

    Attributes:
        classes_: The K labels, from the lowest rank to the highest.
        rank_values_: The K numbers in which errors are counted.
        head_: The trained head.
        has_posterior_: Whether there is a ``predict_proba``.
        validation_indices_: The rows that were held out; all, where none could be.
        validation_mae_: Mean absolute error of these, of the median.
        n_features_in_: Width D of the features.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]] * 8, [1, 2, 3, 4] * 8
    >>> model = OrdinalHeadClassifier("coral", recipe={"epochs": 5}, random_state=0).fit(X, y)
    >>> model.predict([[-1.0], [4.0]]).tolist()
    [1, 4]
    """

    def __init__(
        self,
        head: str = "coral",
        *,
        options: Mapping[str, OptionValue] | None = None,
        recipe: Mapping[str, object] | None = None,
        ranks: Sequence[object] | None = None,
        decode: str = "median",
        validation_fraction: float = 0.125,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.head = head
        self.options = options
        self.recipe = recipe
        self.ranks = ranks
        self.decode = decode
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: Table, y: Table) -> OrdinalHeadClassifier:  # noqa: N803 - scikit-learn's
        """Train the head.

        Args:
            X: Features ``(N, D)``; they are computed with in float32.
            y: Labels ``(N,)``.

        Raises:
            OrdbenchError: If there is no such head, option or decode, or the training diverged.
            ValueError: If features or labels cannot be used.
        """
        name, candidate = self._candidate()
        _ = DECODES[self.decode]  # refused now, and not after the training
        checked = validate_data(self, X, y, dtype=np.float32, order="C")
        features, labels = cast("tuple[Array, Array]", checked)
        check_classification_targets(labels)
        classes = _classes(labels, self.ranks)
        ranks, task = _ranks(labels, classes), _task(classes)
        seed = _seed(self.random_state)
        train, val = _held_out(ranks, self.validation_fraction, seed)
        parts = [
            LabelledFeatures(torch.tensor(features[rows]), torch.tensor(ranks[rows]))
            for rows in (train, val)
        ]
        problem = problem_of(parts[0], task, aligned=True)

        def replica(_: int, chosen: Candidate) -> Replica:
            with seeded(seed):
                head = create_head(name, problem, chosen.options)
            return Replica(head, parts[0], parts[1], chosen.recipe, seed)

        only = Search(name, candidate, None, seed)
        search([only], replica, torch.tensor(task.rank_values, dtype=torch.float64))
        fitted = only.found()
        self.head_, self.validation_mae_ = fitted.head, fitted.val_mae
        self.validation_indices_ = val
        self.classes_, self.rank_values_ = classes, task.rank_values
        self.has_posterior_ = predict(self.head_, parts[0].features[:1]).posterior is not None
        return self

    def predict(self, X: Table) -> Array:  # noqa: N803
        """Labels ``(N,)``: those nearest to what the posterior is decoded to, or to the estimate.

        Raises:
            NotFittedError: Before `fit`.
            ValueError: If the features cannot be used.
        """
        prediction = self._prediction(X)
        values = self.rank_values_
        if prediction.posterior is None:
            estimated = to_unit(prediction.position.numpy(), values)
        else:
            probs = check_posterior(prediction.posterior.numpy(), len(values))
            estimated = DECODES[self.decode](probs, np.asarray(values))
        return self.classes_[nearest_ranks(estimated, values)]

    @available_if(_has_posterior)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Table) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities ``(N, K)``, a column for each of ``classes_``; of a head with a posterior.

        Raises:
            NotFittedError: Before `fit`.
            ValueError: If the features cannot be used.
        """
        posterior = self._prediction(X).posterior
        assert posterior is not None
        return check_posterior(posterior.numpy(), len(self.classes_))

    def _prediction(self, X: Table) -> Prediction:  # noqa: N803
        check_is_fitted(self, "head_")
        features = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        return predict(self.head_, torch.tensor(features))

    def _candidate(self) -> tuple[str, Candidate]:
        """The head's name, and how it is trained.

        Raises:
            OrdbenchError: If there is no such head, option or recipe, or it prompts.
        """
        typed = head_settings(self.head)
        name: str = typed["head"]
        if HEADS[name].needs_text:
            raise SpecError(
                f"head {name!r} prompts a text encoder, and features alone have none; take "
                "another head, or `ordbench run` on images"
            )
        changed = {**typed["head_options"], **(self.options or {})}
        options = resolve(HEADS[name], changed, owner=f"head {name!r}")
        try:
            recipe = Recipe.model_validate({**dict(HEADS[name].recipe), **(self.recipe or {})})
        except ValidationError as error:
            first = error.errors()[0]
            key = first["loc"][0]
            raise SpecError(f"recipe {key}={first['input']}: {wanted([first])}") from None
        return name, Candidate(recipe, options)


def _classes(labels: Array, ranks: Sequence[object] | None) -> Array:
    """The K labels from the lowest to the highest.

    Raises:
        SpecError: If there are fewer than two, one stands twice, or one of the rows is not there.
    """
    seen = np.unique(labels)
    if ranks is None:
        if len(seen) > 1 and not _numeric(seen):
            warnings.warn(
                f"labels are words, and ranked in alphabetical order: {' < '.join(map(str, seen))}"
                "; give them in their order, ranks=[...]",
                stacklevel=3,
            )
        classes = seen
    else:
        classes = np.asarray(ranks)
        if len(set(classes.tolist())) < len(classes):
            raise SpecError(f"ranks must differ from each other, got {list(ranks)}")
        if unknown := set(seen.tolist()) - set(classes.tolist()):
            raise SpecError(
                f"y has the label {min(unknown, key=str)!r}, which is not in ranks {list(ranks)}"
            )
    if len(classes) < 2:
        raise SpecError(f"at least 2 classes are needed, got one class: {classes.tolist()}")
    return classes


def _numeric(classes: Array) -> bool:
    return classes.dtype.kind in "biuf"


def _ranks(labels: Array, classes: Array) -> NDArray[np.int64]:
    place = {label: rank for rank, label in enumerate(classes.tolist())}
    return np.array([place[label] for label in labels.tolist()], np.int64)


def _task(classes: Array) -> Task:
    """Ranks whose values are the labels, where these are rising numbers, else 0 to K - 1."""
    rising = _numeric(classes) and bool((np.diff(classes.astype(np.float64)) > 0).all())
    values = classes if rising else np.arange(len(classes))
    return Task(
        rank_names=tuple(map(str, classes.tolist())),
        rank_values=tuple(map(float, values)),
        unit="units" if rising else "ranks",
        context="",
    )


def _seed(random_state: int | np.random.RandomState | None) -> int:
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def _held_out(
    ranks: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows that train and those that validate, both rising.

    Raises:
        SpecError: If the share is none.
    """
    if not 0 < share < 1:
        raise SpecError(f"validation_fraction must lie between 0 and 1, got {share}")
    order = np.random.default_rng(seed).permutation(len(ranks))
    order = order[ranks[order].argsort(kind="stable")]
    _, first = np.unique(ranks[order], return_index=True)
    may = np.delete(order, first)  # one row of each rank trains
    if not len(may):
        return np.arange(len(ranks)), np.arange(len(ranks))
    number = min(max(round(share * len(ranks)), 1), len(may))
    # Evenly over rows in the order of their ranks.
    val = np.sort(may[((np.arange(number) + 0.5) * len(may) / number).astype(np.intp)])
    return np.delete(np.arange(len(ranks)), val), val
