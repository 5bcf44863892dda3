import threading
from pathlib import Path

import PIL.Image
import pytest
import torch
from torch import Tensor

from ordbench.features.image_loader import Decoded, decoded, hash_images


def width(image: PIL.Image.Image) -> Tensor:
    return torch.tensor(image.width)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Images 1, 2, 3 ... pixels wide."""
    files = [tmp_path / f"{n}.png" for n in range(1, 12)]
    for n, file in enumerate(files, start=1):
        PIL.Image.new("RGB", (n, 2)).save(file)
    return files


def test_batches_come_in_order_and_the_last_one_is_short(images: list[Path]) -> None:
    batches = list(decoded(images, width, batch_size=3))
    assert [
        [int(one.tensor) for one in batch if isinstance(one, Decoded)] for batch in batches
    ] == [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
        [10, 11],
    ]


def test_what_cannot_be_decoded_stands_in_its_place_without_its_path(images: list[Path]) -> None:
    images[1].write_bytes(b"")
    first, second, _ = next(iter(decoded(images, width, batch_size=3)))
    assert isinstance(first, Decoded)
    assert isinstance(second, str)
    assert second.startswith("cannot be decoded")


def test_decoding_runs_ahead_but_not_far(images: list[Path]) -> None:
    started: list[int] = []
    lock = threading.Lock()

    def note(image: PIL.Image.Image) -> Tensor:
        with lock:
            started.append(image.width)
        return width(image)

    batches = decoded(images, note, batch_size=2)
    assert started == [], "nothing runs before it is wanted"
    next(batches)
    batches.close()
    assert 2 <= len(started) <= 8, "three batches at first, and one more for the one taken"


def test_a_fault_of_the_transform_is_not_taken_for_a_bad_image(images: list[Path]) -> None:
    def broken(image: PIL.Image.Image) -> Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(decoded(images, broken, batch_size=2))


def test_the_model_keeps_its_threads(images: list[Path]) -> None:
    inside: set[int] = set()

    def note(image: PIL.Image.Image) -> Tensor:
        inside.add(torch.get_num_threads())
        return width(image)

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        list(decoded(images, note, batch_size=4))
        assert inside == {1}
        assert torch.get_num_threads() == 3
        later: list[int] = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert later == [3]
    finally:
        torch.set_num_threads(before)


def test_the_hash_follows_content_and_order(images: list[Path], tmp_path: Path) -> None:
    whole = hash_images(images)
    images[0].rename(tmp_path / "renamed.png")
    assert hash_images([tmp_path / "renamed.png", *images[1:]]) == whole
    assert hash_images([*images[1:], tmp_path / "renamed.png"]) != whole
    assert hash_images(images) != whole, "the first one is missing now"
