"""What every head must do: checks by name, each of which raises an AssertionError that says why.

In the tests of a package that brings a head, with pytest:

    from ordbench.testing.heads import HEAD_CHECKS, HeadUnderTest

    @pytest.mark.parametrize("check", HEAD_CHECKS)
    def test_my_head(check):
        if reason := HEAD_CHECKS[check](HeadUnderTest(head_class=MyHead)):
            pytest.skip(reason)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from safetensors.torch import load, save
from torch import Tensor

from ordbench.backbone import TextTower
from ordbench.errors import BrokenPluginError, SpecError
from ordbench.head import BaseHead, ClosedForm, Problem, TwoStage
from ordbench.plugins.registry import find_metric
from ordbench.recipe import OptionValue
from ordbench.runs.inference import predict
from ordbench.task import Task
from ordbench.training.hidden_state import change_of_a_call
from ordbench.training.replicas import StackedHeads
from ordbench.training.trainer import LabelledFeatures, Replica, fit
from ordbench.utils.random_numbers import seeded
from ordbench.utils.torch_threads import threads

K, WIDTH = 5, 16
NUM_RANKS = (2, 3, 5, 10, 61, 101, 150)
SCALES = (0.0, 1.0, 100.0, 1e4)


@dataclass(frozen=True, kw_only=True)
class HeadUnderTest:
    """A head class, and how to build it.

    Attributes:
        head_class: The class.
        options: Its options; those that are left out have their defaults.
        text_tower: For a head that needs one.
        in_features: Width D of the features, where there is no text tower.
    """

    head_class: type[BaseHead]
    options: Mapping[str, OptionValue] = field(default_factory=dict[str, OptionValue])
    text_tower: TextTower | None = None
    in_features: int = WIDTH

    @property
    def width(self) -> int:
        """Width D of the features."""
        return self.text_tower.embed_dim if self.text_tower else self.in_features

    def build(
        self, num_ranks: int = K, *, seed: int = 0, aligned: bool = True, fitted: bool = True
    ) -> BaseHead:
        """An untrained head, or one that is fitted to noise if it has a closed form.

        Args:
            num_ranks: K; the middle rank is absent from training.
            seed: Starts the parameters.
            aligned: See `Problem`.
            fitted: False leaves the fit to the training.

        Raises:
            SpecError: If the options cannot be.
        """
        problem = self.problem(num_ranks, aligned=aligned)
        with seeded(seed):
            head = self.head_class(problem, **self.options)
            if fitted and isinstance(head, ClosedForm):
                ranks = torch.arange(num_ranks).repeat_interleave(problem.train_counts)
                head.fit(torch.randn(len(ranks), self.width), ranks)
        return head

    def problem(self, num_ranks: int = K, *, aligned: bool = True) -> Problem:
        """What `build` tells the head; two training images a rank, none of the middle one."""
        counts = torch.full((num_ranks,), 2)
        counts[num_ranks // 2] = 0
        return Problem(
            in_features=self.width,
            task=Task(
                rank_names=tuple(map(str, range(num_ranks))),
                rank_values=tuple(map(float, range(num_ranks))),
                unit="ranks",
                context="the rank is",
            ),
            train_counts=counts,
            feature_mean=torch.zeros(self.width),
            feature_scale=torch.ones(()),
            text_tower=self.text_tower,
            aligned=aligned,
        )

    def features(self, *shape: int, scale: float = 1.0, seed: int = 1) -> Tensor:
        """Normal random features ``(*shape, D)``, the same at each call."""
        generator = torch.Generator().manual_seed(seed)
        return scale * torch.randn(*shape, self.width, generator=generator)


Check = Callable[[HeadUnderTest], str | None]
"""Raises AssertionError if it fails; returns why it does not apply to a head, or None."""


def posterior_is_a_mass_function(case: HeadUnderTest) -> str | None:
    """Probabilities ``(N, K)`` are not negative and sum to 1, for 2 to 150 ranks."""
    for num_ranks in NUM_RANKS:
        head = case.build(num_ranks)
        posterior = head.predict(head(case.features(7))).posterior
        if posterior is None:
            return "a point head has no posterior"
        assert posterior.shape == (7, num_ranks), f"shape {tuple(posterior.shape)}, K={num_ranks}"
        assert (posterior >= 0).all(), f"a probability is negative (K={num_ranks})"
        torch.testing.assert_close(posterior.sum(1), torch.ones(7), msg=f"sums, K={num_ranks}")
    return None


def position_is_within_the_ranks(case: HeadUnderTest) -> str | None:
    """Estimates ``(N,)`` are finite, 0 to K - 1, of features that are zero or however large."""
    features = torch.cat([case.features(7, scale=scale) for scale in SCALES])
    for num_ranks in NUM_RANKS:
        head = case.build(num_ranks).eval()
        position, posterior = head.predict(head(features))
        assert position.shape == (len(features),), f"shape {tuple(position.shape)}"
        finite = position.isfinite()
        if posterior is not None:  # whose median is finite all the same
            finite &= posterior.isfinite().all(1)
        for scale, found in zip(SCALES, finite.reshape(-1, 7), strict=True):
            assert found.all(), f"predictions of features x {scale} are not finite"
        assert (position >= 0).all(), "an estimate is below rank 0"
        assert (position <= num_ranks - 1).all(), f"an estimate is above rank {num_ranks - 1}"
    return None


def every_parameter_gets_a_gradient(case: HeadUnderTest) -> str | None:
    """What is in the module is trained, in one stage or the other, or ``requires_grad`` is off."""
    head = case.build(fitted=not issubclass(case.head_class, TwoStage))
    parameters = _trained(head)
    if not parameters:
        return "nothing to train"
    # Several steps are looked at: weights that start at zero hide what stands before them.
    optimizer = torch.optim.SGD(parameters.values(), lr=1e-3)
    moved = set[str]()
    for step in range(3):
        optimizer.zero_grad()
        outputs, ranks = head(case.features(8, seed=step)), torch.arange(8) % K
        loss = head.loss(outputs, ranks)
        if isinstance(head, TwoStage):
            loss = loss + head.first_loss(outputs, ranks)
        torch.autograd.backward(loss)
        optimizer.step()
        for name, parameter in parameters.items():
            assert parameter.grad is not None, f"{name} gets no gradient"
            assert parameter.grad.isfinite().all(), f"the gradient of {name} is not finite"
            moved |= {name} if parameter.grad.any() else set()
    assert moved == parameters.keys(), f"no gradient: {sorted(parameters.keys() - moved)}"
    return None


def loss_of_huge_features_is_finite(case: HeadUnderTest) -> str | None:
    """A scalar, in float32 and bfloat16, with finite gradients; text is float32 only."""
    for dtype in (torch.float32, torch.bfloat16):
        head = case.build()
        if head.needs_text and dtype != torch.float32:
            continue
        outputs = head.to(dtype)(case.features(8, scale=1e4).to(dtype))
        loss = head.loss(outputs, torch.arange(8) % K)
        assert loss.shape == (), f"the loss has shape {tuple(loss.shape)}, expected a scalar"
        assert loss.isfinite(), f"the loss of features of 1e4 is {loss.item()} in {dtype}"
        parameters = _trained(head)
        if not parameters:
            continue
        torch.autograd.backward(loss)
        for name, parameter in parameters.items():
            finite = parameter.grad is None or parameter.grad.isfinite().all()
            assert finite, f"features of 1e4: the gradient of {name} is not finite in {dtype}"
    return None


def absent_ranks_are_no_obstacle(case: HeadUnderTest) -> str | None:
    """Trained on one image of each end, or of all ranks but the ends, it predicts numbers."""
    for present in ((0, K - 1), tuple(range(1, K - 1))):
        ranks = torch.tensor(present)
        counts = torch.bincount(ranks, minlength=K)
        problem = replace(case.problem(), train_counts=counts)
        with seeded(0):
            head = case.head_class(problem, **case.options)
        train = LabelledFeatures(case.features(len(ranks)), ranks)
        val = LabelledFeatures(case.features(K, seed=2), torch.arange(K))
        recipe = head.recipe.model_copy(update={"min_steps": 2, "epochs": 1})
        (fitted,) = fit([Replica(head, train, val, recipe, 0)], torch.arange(float(K)))
        try:
            predict(fitted.head.eval(), val.features)
        except BrokenPluginError as error:
            raise AssertionError(f"trained on the ranks {present} of {K} only: {error}") from error
    return None


def stacked_replicas_equal_each_alone(case: HeadUnderTest) -> str | None:
    """Losses and gradients under ``torch.func.vmap`` are those of each replica alone."""
    heads = [case.build(seed=seed) for seed in range(3)]
    if not heads[0].batchable:
        return "batchable is False"
    _shake(heads)
    features, ranks = case.features(3, 8), torch.arange(24).reshape(3, 8) % K
    why = change_of_a_call(heads[0], features[0], ranks[0])
    assert why is None, f"{why}, so it must be trained seed by seed; write batchable = False"
    stacked = StackedHeads(heads, range(3))
    together = stacked.losses(features, ranks, step=1)
    assert not stacked.alone, "vmap cannot call it, so it is slower; write batchable = False"
    alone = torch.stack([h.loss(h(f), r) for h, f, r in zip(heads, features, ranks, strict=True)])
    torch.testing.assert_close(together, alone)
    for head in heads:
        parameters = list(_trained(head).values())
        if parameters:
            found = torch.autograd.grad(together.sum(), parameters, retain_graph=True)
            wanted = torch.autograd.grad(alone.sum(), parameters, retain_graph=True)
            torch.testing.assert_close(found, wanted)
    return None


def deployed_equals_trained(case: HeadUnderTest) -> str | None:
    """The module to ship gives the head's outputs, with aligned and with projected features."""
    for _, head in _shaken(case):
        head.eval()
        features = case.features(6, scale=3) + 1
        with torch.no_grad():
            torch.testing.assert_close(
                head.deployed()(features), head(features), rtol=1e-5, atol=1e-5
            )
    return None


def measures_are_metrics(case: HeadUnderTest) -> str | None:
    """What the head measures of itself are finite numbers, named as metrics "of the head"."""
    head = case.build()
    with torch.no_grad():
        measured = head.measures(head.deployed()(case.features(6)))
    for name, value in measured.items():
        assert find_metric(name).of_head, f"{name!r} is not a metric of the head"
        assert math.isfinite(value), f"{name} is {value}"
    return None


def kept_and_loaded_equals_deployed(case: HeadUnderTest) -> str | None:
    """A head that is rebuilt from what is kept predicts as the deployed one, bit by bit."""
    for aligned, head in _shaken(case):
        with threads(1):  # as in a run: text features depend on the number in the last bit
            state = head.kept()
        if state is None:
            return "nothing is kept: it is trained again where it is needed"
        plain = {name: tensor.detach().clone() for name, tensor in state.items()}
        problem = replace(case.problem(aligned=aligned), text_tower=None)
        loaded = case.head_class.rebuilt(problem, load(save(plain)), **case.options).eval()
        wanted, found = (predict(one.eval(), case.features(6) + 1) for one in (head, loaded))
        assert torch.equal(found.position, wanted.position), "estimates differ"
        assert (found.posterior is None) == (wanted.posterior is None), "one has a posterior"
        if found.posterior is not None and wanted.posterior is not None:
            assert torch.equal(found.posterior, wanted.posterior), "posteriors differ"
    return None


def recipe_learns_a_line(case: HeadUnderTest) -> str | None:
    """With its own recipe it learns 5 ranks that lie along a line, from 384 images.

    The rank that is always said, the middle one, is wrong by 1.1 rank steps on average.
    """
    return _learns(case, num_ranks=K, replicas=6, expected=0.25)


def recipe_learns_many_ranks(case: HeadUnderTest) -> str | None:
    """With its own recipe it learns 100 ranks that lie along a line, from 384 images.

    The middle rank is wrong by 25 rank steps on average: steps of training that are made for few
    ranks do not get across.
    """
    return _learns(case, num_ranks=100, replicas=1, expected=12.5)


def _learns(case: HeadUnderTest, num_ranks: int, replicas: int, expected: float) -> str | None:
    """The line passes beside the origin, so that angles tell the ranks apart as well."""
    head = case.build()
    if not _trained(head) and not isinstance(head, ClosedForm):
        return "nothing to train"
    aligned = _takes_aligned_only(case)
    shares = torch.arange(1, num_ranks) / num_ranks  # ranks are equally frequent
    cuts = torch.special.ndtri(shares)
    trainings: list[Replica] = []
    for seed in range(replicas):
        draw = torch.Generator().manual_seed(seed)
        along = torch.randn(512, 1, generator=draw)
        direction = torch.randn(1, case.width, generator=draw)
        beside = torch.randn(1, case.width, generator=draw)
        features = beside + along * direction + 0.1 * case.features(512, seed=seed)
        ranks = torch.bucketize(along.squeeze(1), cuts)
        train, val = (
            LabelledFeatures(features[part], ranks[part])
            for part in (slice(0, 384), slice(384, 512))
        )
        head = case.build(num_ranks, seed=seed, aligned=aligned, fitted=False)
        trainings.append(Replica(head, train, val, head.recipe, seed))
    errors = [fitted.val_mae for fitted in fit(trainings, torch.arange(float(num_ranks)))]
    mean = sum(errors) / len(errors)
    assert mean < expected, f"validation MAE is {mean:.2f} rank steps; expected below {expected}"
    return None


def training_is_deterministic(case: HeadUnderTest) -> str | None:
    """Two trainings of one seed give the same predictions, bit by bit."""
    ranks = torch.arange(40) % K
    part = LabelledFeatures(case.features(40) + ranks[:, None], ranks)

    def positions() -> Tensor:
        head = case.build(fitted=False)
        recipe = head.recipe.model_copy(update={"min_steps": 3, "epochs": 1})
        (fitted,) = fit([Replica(head, part, part, recipe, 0)], torch.arange(float(K)))
        with seeded(0), torch.no_grad():
            return fitted.head.predict(fitted.head(part.features)).position

    assert torch.equal(positions(), positions()), "two trainings of one seed differ"
    return None


HEAD_CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        posterior_is_a_mass_function,
        position_is_within_the_ranks,
        every_parameter_gets_a_gradient,
        loss_of_huge_features_is_finite,
        absent_ranks_are_no_obstacle,
        stacked_replicas_equal_each_alone,
        deployed_equals_trained,
        measures_are_metrics,
        kept_and_loaded_equals_deployed,
        recipe_learns_a_line,
        recipe_learns_many_ranks,
        training_is_deterministic,
    )
}


def _shaken(case: HeadUnderTest) -> Iterator[tuple[bool, BaseHead]]:
    """A head for aligned features, and one for others where it takes them; both as if trained."""
    for aligned in (True, False):
        try:
            head = case.build(aligned=aligned)
        except SpecError:
            continue  # for features of the text tower's space only
        _shake([head])
        yield aligned, head


def _takes_aligned_only(case: HeadUnderTest) -> bool:
    try:
        case.build(aligned=False)
    except SpecError:
        return True
    return False


def _trained(head: BaseHead) -> dict[str, Tensor]:
    return {name: value for name, value in head.named_parameters() if value.requires_grad}


def _shake(heads: list[BaseHead]) -> None:
    """Move the parameters away from where they start, where some are zero."""
    with seeded(2), torch.no_grad():
        for head in heads:
            for parameter in _trained(head).values():
                parameter += 0.1 * torch.randn_like(parameter)
