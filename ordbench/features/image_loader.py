"""Images to tensors, in threads beside the model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import torch
from joblib.externals.loky import cpu_count
from torch import Tensor

from ordbench.errors import DatasetError
from ordbench.utils.images import ImageSource, content_hash, open_rgb, pixels_hash

if TYPE_CHECKING:
    from PIL.Image import Image

# Batches that wait for the model, so that it never waits for them.
PREFETCH_BATCHES = 2

# Images that a thread hashes in one go: handing a small one over takes longer than hashing it.
HASH_CHUNK = 64


class Unreadable(str):
    """Why an image has no content, in its place."""


class Decoded(NamedTuple):
    """One image: its tensor ``(3, H, W)``, and the SHA-256 of its size and pixels before that."""

    tensor: Tensor
    pixels: str


def decoded(
    images: Sequence[ImageSource], transform: Callable[[Image], Tensor], batch_size: int
) -> Generator[list[Decoded | str]]:
    """Decode images in order, a batch at a time, while the caller works on the batch before.

    Args:
        images: Where they lie.
        transform: RGB image to tensor ``(3, H, W)``.
        batch_size: Images a batch.

    Yields:
        For each image of a batch what it holds, or why it cannot be decoded.
    """
    with _workers() as pool:
        futures = (pool.submit(_decode, image, transform) for image in images)  # as they are drawn
        ahead = deque(islice(futures, (PREFETCH_BATCHES + 1) * batch_size))
        while ahead:
            batch = [ahead.popleft().result() for _ in range(min(batch_size, len(ahead)))]
            ahead.extend(islice(futures, batch_size))
            yield batch


def hash_images(images: Sequence[ImageSource]) -> list[str]:
    """SHA-256 of the content of each image, or why it is `Unreadable`."""
    chunks = [images[start : start + HASH_CHUNK] for start in range(0, len(images), HASH_CHUNK)]
    with ThreadPoolExecutor(cpu_count()) as pool:
        return [content for contents in pool.map(_contents, chunks) for content in contents]


def _decode(source: ImageSource, transform: Callable[[Image], Tensor]) -> Decoded | str:
    try:
        image = open_rgb(source)
        return Decoded(transform(image), pixels_hash(image))
    except DatasetError as error:
        return _reason(error, source)


def _reason(error: DatasetError, source: ImageSource) -> str:
    """The message without the image's name: the same content may lie elsewhere tomorrow."""
    return str(error).removeprefix(f"{source} ")


def _contents(images: Sequence[ImageSource]) -> list[str]:
    return [_content(image) for image in images]


def _content(image: ImageSource) -> str:
    try:
        return content_hash(image)
    except DatasetError as error:
        return Unreadable(_reason(error, image))


@contextmanager
def _workers() -> Generator[ThreadPoolExecutor]:
    """Threads for decoding; each computes alone, or they would fight the model for the cores."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(cpu_count(), initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # the last word of a worker is the default of new threads
