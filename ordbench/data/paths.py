"""Where datasets and caches lie: the flag, else the environment, else the user's own folder."""

import os
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from ordbench.utils.files import expanded

VARIABLE = "ORDBENCH_DATA"


def resolve_root(given: Path | None) -> Path:
    """Say which folder holds the datasets, one subfolder each.

    Args:
        given: What ``--data-root`` said, or None.

    >>> resolve_root(Path("images")).as_posix()
    'images'
    """
    return _resolve(given, VARIABLE) or user_data_path("ordbench", appauthor=False)


def resolve_cache(given: Path | None) -> Path:
    """Say where what can be made again lies: the flag, else ``ORDBENCH_CACHE``, else the user's.

    >>> resolve_cache(Path("cache")).as_posix()
    'cache'
    """
    return _resolve(given, "ORDBENCH_CACHE") or user_cache_path("ordbench", appauthor=False)


def dataset_folder(root: Path, name: str) -> Path:
    """The folder of one dataset below ``root``, whether it is called ``utkface`` or ``UTKFace``.

    Args:
        root: Folder of all datasets, or of this one if it is called so.
        name: The dataset's registered name; it need not exist.

    >>> dataset_folder(Path("nowhere"), "fgnet").as_posix()
    'nowhere/fgnet'
    """
    exact = root / name
    if exact.is_dir() or not root.is_dir():
        return exact
    wanted = _plain(name)
    near = sorted(p for p in root.iterdir() if _plain(p.name) == wanted and p.is_dir())
    if not near and _plain(root.resolve().name) == wanted:
        return root
    return near[0] if len(near) == 1 else exact


def _resolve(given: Path | None, variable: str) -> Path | None:
    named = given or os.environ.get(variable)
    return expanded(named) if named else None


def _plain(name: str) -> str:
    """FG-NET, FGNET and fgnet are one name."""
    return name.lower().replace("-", "").replace("_", "")
