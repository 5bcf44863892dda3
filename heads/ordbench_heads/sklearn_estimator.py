"""scikit-learn: any classifier or regressor of the library, by its class name.

Source: Pedregosa et al. (2011). Scikit-learn: machine learning in Python. JMLR 12.
https://jmlr.org/papers/v12/pedregosa11a.html

Parity: agrees with scikit-learn, whose estimators it calls, on the same features.
"""

from typing import ClassVar

from sklearn.base import is_classifier
from sklearn.utils import all_estimators

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn.estimator_head import EstimatorHead
from ordbench.recipe import OptionValue
from ordbench.utils.text import did_you_mean


class SklearnEstimator(EstimatorHead):
    """Fits an estimator to the features; a classifier has a posterior, a regressor a point.

    A rank that no training image shows has probability 0. The train seed is the estimator's
    ``random_state``, where it takes one.

    Args:
        problem: See `Problem`.
        argument: Name of the class, such as ``LogisticRegression`` or ``RidgeCV``.
        normalize: Whether features are brought to length 1 first.
        parameters: What the class takes, such as ``C=10``.

    Raises:
        SpecError: If scikit-learn has no such estimator, or it takes no such parameter.
    """

    libraries: ClassVar[tuple[str, ...]] = ("scikit-learn",)

    def __init__(
        self, problem: Problem, *, argument: str, normalize: bool = False, **parameters: OptionValue
    ) -> None:
        known = dict(all_estimators(type_filter=["classifier", "regressor"]))
        if argument not in known:
            raise SpecError(f"unknown estimator {argument!r}; {did_you_mean(argument, known)}")
        super().__init__(problem, known[argument], parameters, normalize=normalize)
        if is_classifier(self.estimator) and not self.has_posterior:
            raise SpecError(
                f"{argument} gives no probabilities; take another classifier, or "
                "probability=true where the class has it"
            )
