"""What every registered head must do; a new head is tested before its author writes a test."""

import ast
import inspect
import re

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from ordbench.errors import SpecError
from ordbench.head import BaseHead, ClosedForm
from ordbench.plugins.head_card import head_card
from ordbench.plugins.options import resolve, takes_argument
from ordbench.plugins.registry import HEADS
from ordbench.training.trainer import LabelledFeatures, Replica, fit
from tests.reference.problem import problem

WIDTH = problem().in_features


def build(name: str, num_ranks: int = 5, *, seed: int = 0, aligned: bool = True) -> BaseHead:
    torch.manual_seed(seed)
    told = problem(num_ranks, aligned=aligned)
    head = HEADS[name](told)
    if isinstance(head, ClosedForm):
        ranks = torch.arange(num_ranks).repeat_interleave(told.train_counts)
        head.fit(torch.randn(len(ranks), WIDTH), ranks)
    return head


@pytest.mark.parametrize("name", HEADS)
def test_the_card_says_what_it_is_whose_it_is_and_how_it_was_checked(name: str) -> None:
    card = head_card(name)
    assert card.title
    assert card.source
    assert card.needs == ("a text tower" if HEADS[name].needs_text else "nothing")
    assert re.match("agrees with |not official: ", card.parity), card.parity


def trainable(head: BaseHead) -> dict[str, Tensor]:
    return {key: value for key, value in head.named_parameters() if value.requires_grad}


@pytest.fixture(params=sorted(name for name in HEADS if not takes_argument(HEADS[name])))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("num_ranks", [2, 3, 5, 10, 61, 101, 150])
def test_the_posterior_is_a_mass_function(name: str, num_ranks: int) -> None:
    head = build(name, num_ranks)
    posterior = head.predict(head(torch.randn(7, WIDTH))).posterior
    if posterior is None:
        pytest.skip("a point head has no posterior")
    assert posterior.shape == (7, num_ranks)
    assert (posterior >= 0).all()
    torch.testing.assert_close(posterior.sum(1), torch.ones(7))


def test_every_parameter_gets_a_gradient(name: str) -> None:
    head = build(name)
    if not trainable(head):
        pytest.skip("nothing to train")
    # The second step is looked at: weights that start at zero hide what stands before them.
    optimizer = torch.optim.SGD(trainable(head).values(), lr=1e-3)
    for _ in range(2):
        optimizer.zero_grad()
        head.loss(head(torch.randn(8, WIDTH)), torch.arange(8) % 5).backward()
        optimizer.step()
    for key, parameter in trainable(head).items():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_loss_of_huge_features_is_finite(name: str, dtype: torch.dtype) -> None:
    head = build(name)
    if head.needs_text and dtype != torch.float32:
        pytest.skip("a text tower computes in float32")
    features = 1e4 * torch.randn(8, WIDTH, dtype=dtype)
    assert head.to(dtype).loss(head(features), torch.arange(8) % 5).isfinite()


def test_replicas_in_one_batch_are_what_each_is_alone(name: str) -> None:
    heads = [build(name, seed=seed) for seed in range(3)]
    if not heads[0].batchable:
        pytest.skip("not batchable")
    with torch.no_grad():
        for head in heads:
            for parameter in trainable(head).values():
                parameter += 0.01 * torch.randn_like(parameter)
    features, ranks = torch.randn(3, 8, WIDTH), torch.randint(5, (3, 8))

    def loss(state: dict[str, Tensor], features: Tensor, ranks: Tensor) -> Tensor:
        return heads[0].loss(functional_call(heads[0], state, (features,)), ranks)

    parameters, buffers = stack_module_state(list[torch.nn.Module](heads))
    together = vmap(loss)({**parameters, **buffers}, features, ranks)
    alone = [h.loss(h(f), r) for h, f, r in zip(heads, features, ranks, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone))
    if not trainable(heads[0]):
        return
    together.sum().backward()
    torch.stack(alone).sum().backward()
    for key in trainable(heads[0]):
        wanted = [head.get_parameter(key).grad for head in heads]
        torch.testing.assert_close(
            parameters[key].grad, torch.stack([grad for grad in wanted if grad is not None])
        )


@pytest.mark.parametrize("aligned", [True, False], ids=["aligned", "projected"])
def test_what_is_deployed_answers_as_the_head(name: str, aligned: bool) -> None:
    try:
        head = build(name, aligned=aligned)
    except SpecError:
        pytest.skip("for features of the text tower's space only")
    with torch.no_grad():
        for parameter in trainable(head).values():
            parameter += 0.1 * torch.randn_like(parameter)
    features = 3 * torch.randn(6, WIDTH) + 1
    deployed = head.deployed()
    torch.testing.assert_close(deployed(features), head(features), rtol=1e-5, atol=1e-5)


def test_its_recipe_learns_a_line(name: str) -> None:
    if not trainable(build(name)) and not isinstance(build(name), ClosedForm):
        pytest.skip("nothing to train")
    replicas = []
    for seed in range(6):
        torch.manual_seed(seed)
        along = torch.randn(512, 1)
        features = along * torch.randn(1, WIDTH) + 0.1 * torch.randn(512, WIDTH)
        ranks = torch.bucketize(along.squeeze(1), torch.tensor([-1.0, -0.3, 0.3, 1.0]))
        train, val = (
            LabelledFeatures(features[:384], ranks[:384]),
            LabelledFeatures(features[384:], ranks[384:]),
        )
        head = build(name, seed=seed, aligned=False)
        replicas.append(Replica(head, train, val, head.recipe, seed))
    errors = [fitted.val_mae for fitted in fit(replicas, torch.arange(5.0))]
    # The rank that is always said, the middle one, is wrong by 1.1 rank steps on average.
    assert sum(errors) / len(errors) < 0.25


def test_an_option_nobody_declared_is_refused_by_name(name: str) -> None:
    with pytest.raises(SpecError, match=f"head '{name}' has no option 'no_such'"):
        resolve(HEADS[name], {"no_such": 1}, owner=f"head '{name}'")


def test_the_file_says_what_it_is_and_where_it_is_from(name: str) -> None:
    module = inspect.getmodule(HEADS[name])
    assert module is not None
    docstring = ast.get_docstring(ast.parse(inspect.getsource(module))) or ""
    assert docstring.partition("\n")[0].endswith(".")
    assert "\nSource: " in docstring
