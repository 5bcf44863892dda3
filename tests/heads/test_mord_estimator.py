import mord
import pytest
import torch
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.head import BaseHead, Prediction
from ordbench.plugins.registry import HEADS
from ordbench.runs.spec import head_settings
from ordbench.training.trainer import LabelledFeatures, Replica, fit
from tests.reference.problem import problem

K = 5
THRESHOLD_MODELS = ["LogisticAT", "LogisticIT", "LogisticSE"]
ignore_disp = pytest.mark.filterwarnings(r"ignore:.*\bdisp\b")  # mord's own use of scipy


def data(*seen: int) -> tuple[LabelledFeatures, Tensor]:
    generator = torch.Generator().manual_seed(0)
    ranks = torch.tensor(seen)[torch.arange(60) % len(seen)]
    features = torch.randn(60, problem().in_features, generator=generator) + ranks[:, None]
    return LabelledFeatures(features, ranks), features[:7] + 0.1


def mord_head(**options: object) -> BaseHead:
    return HEADS["mord"](problem(K), **options)


def predicted(train: LabelledFeatures, new: Tensor, **options: object) -> Prediction:
    head = mord_head(**options)
    (fitted,) = fit([Replica(head, train, train, head.recipe, 0)], torch.arange(float(K)))
    return fitted.head.predict(fitted.head(new))


@ignore_disp
@pytest.mark.parametrize("name", THRESHOLD_MODELS)
def test_a_threshold_model_has_the_probabilities_of_mord(name: str) -> None:
    train, new = data(0, 1, 2, 3, 4)
    theirs = getattr(mord, name)(alpha=0.5).fit(train.features.numpy(), train.ranks.numpy())
    wanted = torch.as_tensor(theirs.predict_proba(new.numpy()))
    ours = predicted(train, new, argument=name, alpha=0.5)
    assert ours.posterior is not None
    assert torch.equal(ours.posterior, wanted.float())
    assert torch.equal(ours.position.int(), torch.as_tensor(theirs.predict(new.numpy())).int())


@ignore_disp
@pytest.mark.parametrize("name", THRESHOLD_MODELS)
def test_ranks_that_are_there_are_numbered_for_it(name: str) -> None:
    """mord itself refuses a gap, and counts from the lowest rank."""
    train, new = data(1, 2, 4)
    with pytest.raises(ValueError, match="Values in y must be"):
        getattr(mord, name)().fit(train.features.numpy(), train.ranks.numpy())
    numbers = torch.bucketize(train.ranks, torch.tensor([1, 2, 4])).numpy()
    theirs = getattr(mord, name)().fit(train.features.numpy(), numbers)
    wanted = torch.as_tensor(theirs.predict_proba(new.numpy())).float()
    posterior = predicted(train, new, argument=name).posterior
    assert posterior is not None
    assert torch.equal(posterior[:, [1, 2, 4]], wanted)
    assert not posterior[:, [0, 3]].any()


@pytest.mark.parametrize("name", ["OrdinalRidge", "LAD"])
def test_a_regression_rounds_as_mord_does_and_knows_of_gaps(name: str) -> None:
    train, new = data(1, 2, 4)
    options = {"random_state": 3, "C": 0.01} if name == "LAD" else {"alpha": 2.0}
    theirs = getattr(mord, name)(**options).fit(train.features.numpy(), train.ranks.numpy())
    ours = predicted(train, new, argument=name, **options)
    assert ours.posterior is None
    assert torch.equal(ours.position, torch.as_tensor(theirs.predict(new.numpy())).float())


def test_what_mord_does_not_have_is_refused() -> None:
    with pytest.raises(SpecError, match="head 'mord', option argument='Logistic'"):
        head_settings("mord:Logistic")
    with pytest.raises(SpecError, match="LogisticAT has no option 'alhpa'; did you mean alpha"):
        mord_head(argument="LogisticAT", alhpa=1.0)
