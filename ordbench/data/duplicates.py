"""Pictures that look the same though their pixels differ: re-encoded, resized or retouched copies.

Source: the perceptual hash of Zauner (2010). Implementation and benchmarking of perceptual image
hash functions; by the library imagehash. Pairs are found by the blocks that they share, as in
Norouzi, Punjani, Fleet (2012). Fast search in Hamming space with multi-index hashing.
https://doi.org/10.1109/CVPR.2012.6248043
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from joblib.externals.loky import cpu_count

from ordbench.dataset import Sample
from ordbench.errors import DatasetError
from ordbench.utils.images import content_hash, open_rgb, pixels_hash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ordbench.utils.images import ImageSource

MAX_BITS = 6  # of 64 in which the hashes of near-identical pictures may differ
BLOCKS = 8  # of 8 bits; at most 6 of them differ, so that two are the same
SIDE = 16  # pixels of a thumbnail
# Grey levels of 255 by which their thumbnails may differ on average. Set by eye, on eight pairs of
# UTKFace's faces about this limit: those below it looked like copies, most above it did not.
MAX_LEVELS = 12.0


class Look(NamedTuple):
    """What one picture looks like.

    Attributes:
        content: SHA-256 of its bytes.
        pixels: SHA-256 of its size and pixels.
        hashed: Its perceptual hash of 64 bits.
        thumbnail: ``(16, 16, 3)`` colours.
    """

    content: str
    pixels: str
    hashed: int
    thumbnail: NDArray[np.uint8]


def looks(samples: Sequence[Sample], jobs: int | None = None) -> Iterator[Look | str]:
    """Decode the image of each sample, in their order.

    Args:
        samples: They have images.
        jobs: Threads; None for one a core.

    Yields:
        What it looks like, or why it cannot be read.
    """
    pool = ThreadPoolExecutor(jobs or cpu_count())
    try:
        yield from pool.map(_look_or_problem, [sample.image for sample in samples])
    finally:
        pool.shutdown(cancel_futures=True)


def _look_or_problem(source: ImageSource) -> Look | str:
    try:
        return look(source)
    except DatasetError as error:
        return str(error).removeprefix(f"{source} ")


def look(source: ImageSource) -> Look:
    """Decode one picture.

    Raises:
        DatasetError: If it cannot be read.
    """
    import numpy as np
    from imagehash import phash
    from PIL.Image import Resampling

    image = open_rgb(source)
    bits = np.packbits(phash(image).hash.ravel()).tobytes()
    small = image.resize((SIDE, SIDE), Resampling.BOX)
    hashed = int.from_bytes(bits, "big")
    return Look(content_hash(source), pixels_hash(image), hashed, np.asarray(small))


def near_identical(pictures: Sequence[Look]) -> list[list[int]]:
    """Groups of pictures each of which looks like another one of its group, by their places.

    Pictures of one hash and one thumbnail count as one, and pairs that are in one group already are
    not compared, so that many copies of a picture cost little.
    """
    import numpy as np

    same: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    for place, one in enumerate(pictures):
        same[one.hashed, one.thumbnail.tobytes()].append(place)
    if not same:
        return []
    firsts = [pictures[places[0]] for places in same.values()]
    small = np.stack([one.thumbnail for one in firsts])
    group = np.arange(len(firsts))
    for pairs in near_hashes(np.array([one.hashed for one in firsts], dtype=np.uint64)):
        apart = pairs[:, group[pairs[0]] != group[pairs[1]]]
        alike = apart[:, _alike(small, apart)]
        if alike.size:
            group = _joined(group, alike)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for number, places in zip(group.tolist(), same.values(), strict=True):
        groups[number] += places
    return sorted(sorted(places) for places in groups.values() if len(places) > 1)


def _joined(group: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The group of each picture, where those of each pair become one."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(pairs.shape[1], dtype=bool), group[pairs]), shape=(len(group),) * 2)
    _, joined = connected_components(graph, directed=False)
    found: NDArray[np.int64] = joined[group]
    return found


def near_hashes(hashes: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """Pairs of places whose hashes differ in at most `MAX_BITS` bits, ``(2, P)``; each once.

    Hashes that differ in at most six bits are the same in two of eight blocks, so that it is
    enough to compare those that share a pair of blocks.
    """
    import numpy as np

    for one, other in combinations(range(BLOCKS), BLOCKS - MAX_BITS):
        keys = hashes & np.uint64((0xFF << (8 * one)) | (0xFF << (8 * other)))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        start = np.arange(len(keys))
        for step in range(1, len(keys)):
            start = start[start + step < len(keys)]
            start = start[keys[start] == keys[start + step]]
            if not len(start):
                break
            pairs = np.stack([order[start], order[start + step]])
            differ = (hashes[pairs[0]] ^ hashes[pairs[1]]).astype("<u8").view(np.uint8)
            differ = differ.reshape(-1, BLOCKS)
            # Those that share an earlier pair of blocks were compared there.
            new = (differ[:, :other] == 0).sum(axis=1) == 1
            yield pairs[:, new & (np.unpackbits(differ, axis=1).sum(axis=1) <= MAX_BITS)]


def _alike(small: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the thumbnails of each pair are alike: hashes know no colours and no brightness."""
    import numpy as np

    first, second = small[pairs[0]].astype(np.int16), small[pairs[1]].astype(np.int16)
    alike: NDArray[np.bool_] = np.abs(first - second).mean(axis=(1, 2, 3)) <= MAX_LEVELS
    return alike
