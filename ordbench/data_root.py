"""Where datasets lie: the flag, else ``ORDBENCH_DATA``, else the user's own data directory."""

import os
from pathlib import Path

from platformdirs import user_data_path

VARIABLE = "ORDBENCH_DATA"


def resolve_root(given: Path | None) -> Path:
    """Say which folder holds the datasets, one subfolder each.

    Args:
        given: What ``--data-root`` said, or None.

    >>> resolve_root(Path("images")).as_posix()
    'images'
    """
    if given is not None:
        return given.expanduser()
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    return user_data_path("ordbench", appauthor=False)


def dataset_folder(root: Path, name: str) -> Path:
    """The folder of one dataset below ``root``, whether it is called ``utkface`` or ``UTKFace``.

    Args:
        root: Folder of all datasets.
        name: The dataset's registered name; it need not exist.

    >>> dataset_folder(Path("nowhere"), "fgnet").as_posix()
    'nowhere/fgnet'
    """
    exact = root / name
    if exact.is_dir() or not root.is_dir():
        return exact
    wanted = _plain(name)
    near = sorted(p for p in root.iterdir() if _plain(p.name) == wanted and p.is_dir())
    return near[0] if len(near) == 1 else exact


def _plain(name: str) -> str:
    """FG-NET, FGNET and fgnet are one name."""
    return name.lower().replace("-", "").replace("_", "")
