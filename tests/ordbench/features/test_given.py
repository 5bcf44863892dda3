import numpy as np
import torch

from ordbench.features.given import given_features
from ordbench.splits.pictures import row_hashes

ROWS = np.array([[3.0, 4.0], [0.0, 2.0], [3.0, 4.0]], dtype=np.float32)


def test_features_pass_as_they_are_or_at_unit_length() -> None:
    assert given_features(ROWS, normalize=False).features.tolist() == ROWS.tolist()
    unit = given_features(ROWS, normalize=True).features
    torch.testing.assert_close(unit, torch.tensor([[0.6, 0.8], [0.0, 1.0], [0.6, 0.8]]))


def test_what_the_features_are_is_their_key_whatever_the_layout_in_memory() -> None:
    whole = given_features(ROWS, normalize=False)
    strided = np.repeat(ROWS, 2, axis=1)[:, ::2]
    strided.flags.writeable = False
    assert given_features(strided, normalize=False).key == whole.key
    other = ROWS.copy()
    other[1, 1] = np.nextafter(other[1, 1], np.float32(3))
    changed = [
        given_features(other, normalize=False),
        given_features(ROWS[::-1][[0, 2, 1]], normalize=False),
        given_features(ROWS.reshape(2, 3), normalize=False),
        given_features(ROWS, normalize=True),
    ]
    assert len({whole.key, *(one.key for one in changed)}) == 5
    assert whole.images_hash == changed[-1].images_hash != changed[0].images_hash


def test_identical_rows_have_one_hash() -> None:
    first, second, third = row_hashes(ROWS)
    assert first == third != second
