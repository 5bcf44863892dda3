"""Trained heads on the Hugging Face Hub: written with a model card, and read by name."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.data.hub import is_repository
from ordbench.errors import SpecError, StoreError
from ordbench.utils.text import one_line

if TYPE_CHECKING:
    from ordbench.runs.record import Record

PREFIX = "hf:"
HEAD_FILE = "ordbench.safetensors"
"""The kept head (`ordbench.runs.kept_head`) in a repository."""


def check_repository(name: str) -> None:
    """Refuse what is not ``OWNER/NAME``.

    Raises:
        SpecError: Naming it.
    """
    if not is_repository(name):
        raise SpecError(f"{name!r} is no repository of the Hugging Face Hub; wanted OWNER/NAME")


def push(repository: str, files: Mapping[str, bytes]) -> str:
    """Write files to a repository in one commit; one that does not exist is made, and is private.

    Transfer, token and ``HF_ENDPOINT`` are huggingface_hub's own.

    Args:
        repository: ``OWNER/NAME``.
        files: By name; those of other names in the repository stay.

    Returns:
        The address of the commit.

    Raises:
        StoreError: If it cannot be written.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, constants

    check_repository(repository)
    added = [CommitOperationAdd(name, content) for name, content in files.items()]
    try:
        api = HfApi()
        api.create_repo(repository, private=True, exist_ok=True)
        return str(api.create_commit(repository, added, commit_message="Add a trained head"))
    except Exception as error:  # what the hub's client raises changes with the client behind it
        raise StoreError(
            f"{repository} cannot be written at {constants.ENDPOINT} ({one_line(error)}); "
            "`hf auth login` takes a token that may write"
        ) from error


def pull(name: str) -> Path:
    """The kept head in a repository, in the cache of huggingface_hub.

    Args:
        name: ``OWNER/NAME[@REVISION]``; a branch is looked up anew.

    Raises:
        SpecError: If that is no repository.
        StoreError: If it cannot be read.
    """
    from huggingface_hub import constants, hf_hub_download

    repository, _, revision = name.partition("@")
    check_repository(repository)
    try:
        return Path(hf_hub_download(repository, HEAD_FILE, revision=revision or None))
    except Exception as error:  # as above
        raise StoreError(
            f"{PREFIX}{name} cannot be read from {constants.ENDPOINT} ({one_line(error)}); "
            f"wanted a repository with {HEAD_FILE}, as `ordbench export --push` makes it"
        ) from error


def model_card(record: Record, repository: str, readme: str) -> str:
    """A README with what the hub shows of a model: its scores on the test images, and its use.

    Args:
        record: Of the run.
        repository: ``OWNER/NAME``.
        readme: What the other files are, in Markdown.
    """
    from huggingface_hub import EvalResult, ModelCardData

    title = record.task.title if record.task else record.spec.dataset
    scores = [
        EvalResult(
            task_type="image-classification",
            dataset_type=record.spec.dataset,
            dataset_name=title,
            metric_type=name,
            metric_value=value,
            metric_name=f"{name}, {decode}",
        )
        for decode, values in record.metrics.items()
        for name, value in values.items()
        if isfinite(value)
    ]
    about = ModelCardData(
        library_name="ordbench",
        pipeline_tag="image-classification",
        tags=["ordinal-regression", record.spec.head],
        model_name=record.label,
        eval_results=scores,
    )
    use = f"```console\n$ ordbench predict --run {PREFIX}{repository} photos\n```"
    return f"---\n{about.to_yaml()}\n---\n\n{readme}\n## With ordbench\n\n{use}\n"
