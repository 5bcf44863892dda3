"""Tables of datasets on the Hugging Face Hub: fetched on request, then found without a network."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple, cast
from urllib.parse import quote

from ordbench.data.tables import ENDINGS
from ordbench.errors import DatasetError
from ordbench.utils.files import write_atomic
from ordbench.utils.text import one_line

PARQUET = "refs/convert/parquet"  # where the hub keeps a copy of most datasets in Parquet
# What says how the tables of a repository belong together.
_DESCRIPTIONS = {
    "README.md",
    "dataset_dict.json",
    "dataset_info.json",
    "dataset_infos.json",
    "state.json",
}


class Snapshot(NamedTuple):
    """The tables of a repository as they were at one commit.

    Attributes:
        folder: Where they lie, in the cache of huggingface_hub.
        commit: Hash of the commit.
    """

    folder: Path
    commit: str


def is_repository(name: str) -> bool:
    """Whether a name is ``OWNER/NAME``.

    >>> is_repository("zalando-datasets/fashion_mnist"), is_repository("/data/faces")
    (True, False)
    """
    return re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name) is not None


def fetched(root: Path, repository: str, revision: str, below: str = "") -> Snapshot | None:
    """What `fetch` brought, if all of it is still there.

    Args:
        root: Folder in which the commit of each revision is noted.
        repository: ``OWNER/NAME``.
        revision: Branch, tag or commit.
        below: The folder that is wanted, where the repository has one of that name.
    """
    from huggingface_hub import try_to_load_from_cache

    try:
        noted = json.loads(_note(root, repository, revision, below).read_bytes())
        commit, names = cast(str, noted["commit"]), cast("list[str]", noted["files"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    folders: set[Path] = set()
    for name in names:
        path = try_to_load_from_cache(repository, name, revision=commit, repo_type="dataset")
        if not isinstance(path, str) or not Path(path).is_file():
            return None
        folders.add(_folder(Path(path), name))
    return Snapshot(folders.pop(), commit) if len(folders) == 1 else None


def fetch(root: Path, repository: str, revision: str, below: str = "") -> None:
    """Download the tables of a repository into the cache of huggingface_hub.

    Transfer, resumption and checksum are huggingface_hub's own, and so are ``HF_ENDPOINT``,
    ``HF_HOME``, ``HF_HUB_OFFLINE`` and the token. A branch is looked up anew.

    Args:
        root: As for `fetched`.
        repository: As for `fetched`.
        revision: As for `fetched`.
        below: As for `fetched`.

    Raises:
        DatasetError: If the repository cannot be had or holds no tables.
    """
    from huggingface_hub import HfApi, constants, hf_hub_download

    try:
        described = HfApi().dataset_info(repository, revision=revision)
        commit, listed = str(described.sha), [s.rfilename for s in described.siblings or ()]
        tables = [name for name in listed if name.endswith(ENDINGS)]
        configs = sorted({name.partition("/")[0] for name in tables})
        tables = [name for name in tables if below and name.startswith(f"{below}/")] or tables
        if not tables:
            reason = f"it has no Parquet or Arrow files; try revision={PARQUET}"
        elif revision == PARQUET and below not in configs and len(configs) > 1:
            reason = f"it has the configurations {', '.join(configs)}; name one in config="
        else:
            names = [name for name in listed if PurePosixPath(name).name in _DESCRIPTIONS] + tables
            for name in names:
                hf_hub_download(repository, name, revision=commit, repo_type="dataset")
            content = json.dumps({"commit": commit, "files": names})
            write_atomic(_note(root, repository, revision, below), content.encode())
            return
    except Exception as error:  # what the hub's client raises changes with the client behind it
        reason = one_line(error)
    raise DatasetError(
        f"{repository} (revision {revision}) cannot be downloaded from {constants.ENDPOINT}/"
        f"datasets/{repository} ({reason}); try again, or save it elsewhere by save_to_disk and "
        "write hf:FOLDER"
    )


def _note(root: Path, repository: str, revision: str, below: str) -> Path:
    named = "@".join(quote(name, safe="") for name in (revision, below) if name)
    return root / repository / f"{named}.json"


def _folder(file: Path, name: str) -> Path:
    """The folder below which a file lies as the repository names it."""
    return file.parents[len(PurePosixPath(name).parts) - 1]
