"""The training faces, kept in a file that is named by all that decides them."""

import hashlib
from pathlib import Path

import numpy as np
from faces import Faces, draw_faces

from ordbench_datasets import _drawn

# What `faces` imports, the benchmark's people included, whom `portrait` draws.
SCRIPTS = ("anatomy", "faces", "features", "head", "media", "pen", "portrait")
SOURCES = (
    *(Path(__file__).with_name(f"{name}.py") for name in SCRIPTS),
    *sorted(Path(_drawn.__path__[0]).glob("*.py")),
)


def cached_faces(
    count: int, seed: int, portraits: float, *, cache: Path | None, processes: int
) -> Faces:
    """The faces of `draw_faces`, kept in a file if a folder is named."""
    sources = hashlib.sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()
    path = cache / f"faces-{count}-{seed}-{portraits}-{sources[:12]}.npz" if cache else None
    if path and path.is_file():
        with np.load(path) as kept:
            return Faces(kept["images"], kept["ages"], kept["media"], kept["cues"])
    faces = draw_faces(count, seed, portraits=portraits, processes=processes)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **vars(faces))
    return faces
