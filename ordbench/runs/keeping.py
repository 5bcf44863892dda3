"""From a trained head to the file that is kept of it, if what is loaded predicts the same."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache

import torch
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
        validation = predict(head, prepared.labelled("val").features.to(device))
        content = to_safetensors(_kept(prepared, state, validation, options, device))
        images = prepared.labelled("val").features[:BATCH].to(device)
        loaded = predict(from_safetensors(content).head().to(device), images)
    except Exception as error:  # a plug-in may raise anything, and its run is done
        _say_not_kept(head.typed_name, one_line(error))
        return None
    if not all(_equal(one, other) for one, other in zip(loaded, validation, strict=True)):
        _say_not_kept(
            head.typed_name,
            "loaded from what its method `kept` gives, it predicts otherwise; all that it learns "
            "must be in parameters and buffers",
        )
        return None
    return content


def _kept(
    prepared: PreparedRun,
    state: Mapping[str, Tensor],
    validation: Prediction,
    options: Mapping[str, OptionValue],
    device: str,
) -> KeptHead:
    spec, material = prepared.spec, prepared.material
    task, train = material.listing.task, prepared.labelled("train")
    problem = problem_of(train, task, aligned=not spec.text and spec.layer == "post")
    posterior = validation.posterior
    return KeptHead(
        facts=HeadFacts(
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
            fingerprint=material.features.fingerprint,
            layer=spec.layer,
            normalize=spec.normalize,
            dtype=material.features.dtype,
            device=device.partition(":")[0],
            text=spec.text,
            aligned=problem.aligned,
            in_features=problem.in_features,
            decode="point" if posterior is None else "median",
            ordbench=version_of("ordbench"),
        ),
        state=state,
        train_counts=problem.train_counts,
        feature_mean=problem.feature_mean,
        feature_scale=problem.feature_scale,
        validation=Validation(
            ranks=prepared.labelled("val").ranks.numpy(),
            posterior=None if posterior is None else posterior.cpu().numpy(),
            position=validation.position.cpu().numpy(),
        ),
    )


def _equal(loaded: Tensor | None, trained: Tensor | None) -> bool:
    """Whether predictions are those of the first images, bit by bit."""
    if loaded is None or trained is None:
        return loaded is trained
    return torch.equal(loaded, trained[: len(loaded)])


@cache
def _say_not_kept(head: str, why: str) -> None:
    logger.warning("head %s is not kept: %s", head, why)
