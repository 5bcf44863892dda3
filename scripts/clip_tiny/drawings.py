"""Drawings of faces of known ages and of things of known ripeness, in many media.

One seed gives the same drawings whatever the number of processes: drawing number i has a generator
of its own, made from (seed, i).
"""

import hashlib
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
from anatomy import CURVES, OLDEST
from faces import draw_face
from media import HELD_OUT, TRAINED, draw_style, finish
from numpy.typing import NDArray
from PIL import Image
from ripening import STEPS, draw_ripening
from scene import SIDE, light

AGES = OLDEST + 1
PLACES = AGES + STEPS
# All that draws.
SCRIPTS = ("anatomy", "drawings", "faces", "features", "head", "media", "pen", "ripening", "scene")
SOURCES = tuple(Path(__file__).with_name(f"{name}.py") for name in SCRIPTS)


@dataclass(frozen=True)
class Drawings:
    """A set of drawings.

    Attributes:
        images: ``(N, SIDE, SIDE, 3)``, uint8.
        places: ``(N,)``, int64: the age in years of a face, ``AGES`` + the ripeness of a thing.
        media: ``(N,)``, index into ``TRAINED + HELD_OUT``.
        cues: ``(N, C)``, float32, the drawn value of each of `anatomy.CURVES`; NaN in a thing.
    """

    images: NDArray[np.uint8]
    places: NDArray[np.int64]
    media: NDArray[np.int64]
    cues: NDArray[np.float32]


def draw(
    count: int, seed: int, *, ripening: float = 0.5, held_out: bool = False, processes: int = 1
) -> Drawings:
    """Draw faces of ages 0 to 100 and things of ripeness 0 to 20, each value as often.

    Args:
        count: Number of drawings.
        seed: Other seeds give other drawings.
        ripening: Share of drawings that are things that ripen.
        held_out: Whether to draw in the media that training never sees.
        processes: Number of processes; it does not change the drawings.
    """
    fixed = repeat(held_out), repeat(ripening)
    if processes == 1:
        drawn = list(map(_draw_one, repeat(seed), range(count), *fixed))
    else:
        with ProcessPoolExecutor(processes) as pool:
            drawn = list(pool.map(_draw_one, repeat(seed), range(count), *fixed, chunksize=256))
    images, places, media, cues = zip(*drawn, strict=True)
    return Drawings(
        np.stack(images),
        np.array(places, np.int64),
        np.array(media, np.int64),
        np.array(cues, np.float32),
    )


def cached(
    count: int, seed: int, ripening: float, *, cache: Path | None, processes: int
) -> Drawings:
    """The drawings of `draw`, kept in a file, named by all that decides them, if a folder is."""
    sources = hashlib.sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()
    path = cache / f"drawings-{count}-{seed}-{ripening}-{sources[:12]}.npz" if cache else None
    if path and path.is_file():
        with np.load(path) as kept:
            return Drawings(kept["images"], kept["places"], kept["media"], kept["cues"])
    drawings = draw(count, seed, ripening=ripening, processes=processes)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **vars(drawings))
    return drawings


def _draw_one(
    seed: int, number: int, held_out: bool, ripening: float
) -> tuple[NDArray[np.uint8], int, int, list[float]]:
    """One drawing: its image, its place, the index of its medium, its cues."""
    generator = np.random.default_rng([seed, number, int(held_out)])
    ripens = ripening > 0 and generator.random() < ripening
    value = int(generator.integers(STEPS if ripens else AGES))
    media = HELD_OUT if held_out else TRAINED
    medium = media[int(generator.integers(len(media)))]
    style = draw_style(medium, generator)
    if ripens:
        image = draw_ripening(value / (STEPS - 1), style, held_out, generator)
        place, cues = AGES + value, [math.nan] * len(CURVES)
    else:
        image, cues = draw_face(value, style, held_out, generator)
        place = value
    done = finish(light(image, style.shade, generator), style, generator)
    small = done.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small), place, (TRAINED + HELD_OUT).index(medium), cues
