"""From a trained head to the file that is kept of it, if what is loaded predicts the same."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache

import numpy as np
from torch import Tensor

from ordbench.head import BaseHead, Prediction
from ordbench.plugins.registry import DATASETS
from ordbench.recipe import OptionValue
from ordbench.runs.inference import BATCH, predict
from ordbench.runs.kept_head import (
    HeadFacts,
    KeptHead,
    KeptTask,
    Validation,
    from_safetensors,
    to_safetensors,
)
from ordbench.runs.preparation import PreparedRun
from ordbench.runs.spec import is_aligned
from ordbench.runs.titles import head_label
from ordbench.training.trainer import problem_of
from ordbench.utils.environment import version_of
from ordbench.utils.text import one_line

logger = logging.getLogger(__name__)


def keep(
    prepared: PreparedRun, head: BaseHead, options: Mapping[str, OptionValue], device: str
) -> bytes | None:
    """The file of a trained head; None if it cannot be kept.

    The file is read back, and the head in it must predict validation images bit by bit as the
    trained one does. If not, that is logged once for each kind of head.

    Args:
        prepared: The run.
        head: Its head, trained.
        options: The head's options, those that a tuning chose among them.
        device: Where the head lies.
    """
    try:
        state = head.kept()
        if state is None:
            return None
        validation = validation_of(prepared, head, device)
        content = to_safetensors(_kept(prepared, state, validation, options, device))
        images = prepared.labelled("val").features[:BATCH].to(device)
        loaded = predict(from_safetensors(content).head().to(device), images)
    except Exception as error:  # a plug-in may raise anything, and its run is done
        _say_not_kept(head.typed_name, one_line(error))
        return None
    if not _begins(validation, loaded):
        _say_not_kept(
            head.typed_name,
            "loaded from what its method `kept` gives, it predicts otherwise; all that it learns "
            "must be in parameters and buffers",
        )
        return None
    return content


def facts_of(
    prepared: PreparedRun, options: Mapping[str, OptionValue], device: str, *, has_posterior: bool
) -> HeadFacts:
    """What is to be known of a trained head to use it.

    Args:
        prepared: Its run.
        options: Its options, those that a tuning chose among them.
        device: Where it lies.
        has_posterior: Whether it predicts a distribution.
    """
    spec, features = prepared.spec, prepared.material.features
    task = prepared.material.listing.task
    return HeadFacts(
        run_id=prepared.identity.run_id,
        label=head_label(spec.model_copy(update={"head_options": dict(options)})),
        head=spec.head,
        head_options=dict(options),
        train_seed=spec.train_seed,
        task=KeptTask(
            title=DATASETS[spec.dataset].card.title,
            num_ranks=task.num_ranks,
            rank_names=task.rank_names,
            rank_values=task.rank_values,
            unit=task.unit,
            context=task.context,
        ),
        backbone=spec.backbone,
        fingerprint=features.fingerprint,
        layer=spec.layer,
        normalize=spec.normalize,
        dtype=features.dtype,
        device=device.partition(":")[0],
        text=spec.text,
        aligned=is_aligned(spec),
        in_features=features.features.shape[1],
        decode="median" if has_posterior else "point",
        ordbench=version_of("ordbench"),
    )


def validation_of(prepared: PreparedRun, head: BaseHead, device: str) -> Validation:
    """What a trained head says of the validation images of its run."""
    val = prepared.labelled("val")
    position, posterior = predict(head, val.features.to(device))
    return Validation(
        ranks=val.ranks.numpy(),
        posterior=None if posterior is None else posterior.cpu().numpy(),
        position=position.cpu().numpy(),
    )


def _kept(
    prepared: PreparedRun,
    state: Mapping[str, Tensor],
    validation: Validation,
    options: Mapping[str, OptionValue],
    device: str,
) -> KeptHead:
    has_posterior = validation.posterior is not None
    task, train = prepared.material.listing.task, prepared.labelled("train")
    problem = problem_of(train, task, aligned=is_aligned(prepared.spec))
    return KeptHead(
        facts=facts_of(prepared, options, device, has_posterior=has_posterior),
        state=state,
        train_counts=problem.train_counts,
        feature_mean=problem.feature_mean,
        feature_scale=problem.feature_scale,
        validation=validation,
    )


def _begins(trained: Validation, loaded: Prediction) -> bool:
    """Whether predictions are those of the first validation images, bit by bit."""
    num = len(loaded.position)
    same = np.array_equal(loaded.position.cpu().numpy(), trained.position[:num])
    if loaded.posterior is None or trained.posterior is None:
        return same and loaded.posterior is None and trained.posterior is None
    return same and np.array_equal(loaded.posterior.cpu().numpy(), trained.posterior[:num])


@cache
def _say_not_kept(head: str, why: str) -> None:
    logger.warning("head %s is not kept: %s", head, why)
