import pytest
import torch
from sklearn.linear_model import LogisticRegression, RidgeCV
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.plugins.registry import HEADS
from ordbench.runs.spec import RunSpec, head_settings, resolved
from ordbench.runs.titles import head_label
from ordbench.training.trainer import LabelledFeatures, Replica, fit
from ordbench_heads.sklearn_estimator import SklearnEstimator
from tests.reference.problem import problem

K = 5
VALUES = torch.arange(K, dtype=torch.float64)


def data() -> tuple[LabelledFeatures, Tensor]:
    generator = torch.Generator().manual_seed(0)
    ranks = torch.arange(60) % 4  # no image shows rank 4
    features = torch.randn(60, problem().in_features, generator=generator) + ranks[:, None]
    return LabelledFeatures(features, ranks), features[:7] + 0.1


def test_a_classifier_gives_the_probabilities_of_scikit_learn() -> None:
    train, new = data()
    head = SklearnEstimator(problem(K), argument="LogisticRegression", C=0.1, max_iter=1000)
    (fitted,) = fit([Replica(head, train, train, head.recipe, 0)], VALUES)
    prediction = fitted.head.predict(fitted.head(new))
    assert prediction.posterior is not None
    theirs = LogisticRegression(C=0.1, max_iter=1000, random_state=0).fit(
        train.features.numpy(), train.ranks
    )
    wanted = torch.as_tensor(theirs.predict_proba(new.numpy()))
    assert torch.equal(prediction.posterior[:, :4], wanted.float())
    assert prediction.posterior[:, 4].tolist() == [0] * 7
    assert (fitted.steps, fitted.best_step) == (0, 0)


def test_a_regressor_gives_estimates_within_the_ranks() -> None:
    train, new = data()
    head = SklearnEstimator(problem(K), argument="RidgeCV", alphas=(0.1, 1, 10))
    (fitted,) = fit([Replica(head, train, train, head.recipe, 0)], VALUES)
    prediction = fitted.head.predict(fitted.head(new))
    theirs = RidgeCV(alphas=(0.1, 1, 10)).fit(train.features.numpy(), train.ranks)
    assert prediction.posterior is None
    wanted = torch.as_tensor(theirs.predict(new.numpy())).float().clamp(0, K - 1)
    assert torch.equal(prediction.position, wanted)
    far = fitted.head.predict(fitted.head(new * 100)).position
    assert far.min() >= 0
    assert far.max() <= K - 1


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("sklearn:RidgeCV:alphas=0.1;1;10", {"argument": "RidgeCV", "alphas": (0.1, 1, 10)}),
        ("sklearn:SVC:probability=true:C=0.5", {"argument": "SVC", "C": 0.5, "probability": True}),
        ("sklearn:Ridge:max_iter=none", {"argument": "Ridge", "max_iter": None}),
    ],
)
def test_what_is_typed_is_read_and_printed_the_same(typed: str, options: object) -> None:
    spec = RunSpec(dataset="folder", **head_settings(typed))
    assert spec.head_options == {"normalize": False, **dict(options)}  # type: ignore[call-overload]
    again = RunSpec(dataset="folder", head=head_label(spec))
    assert resolved(again).head_options == spec.head_options
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("sklearn", "head 'sklearn' needs an argument"),
        ("coral:fast", "'fast' is not KEY=VALUE"),
    ],
)
def test_an_argument_that_is_missing_or_unknown_is_refused(typed: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        head_settings(typed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"argument": "RidgeCw"}, "unknown estimator 'RidgeCw'; did you mean.*RidgeCV"),
        ({"argument": "Ridge", "alhpa": 1}, "Ridge has no option 'alhpa'.*alpha"),
        ({"argument": "LinearSVC"}, "gives no probabilities"),
    ],
)
def test_what_scikit_learn_does_not_have_is_refused(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(SpecError, match=f"(?i){message}"):
        HEADS["sklearn"](problem(K), **options)
