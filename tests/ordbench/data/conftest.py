from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Resampling

Picture = Callable[[int], Image.Image]


@pytest.fixture(scope="session")
def picture() -> Picture:
    """A picture of soft colours for each number; no two look alike."""

    def paint(number: int) -> Image.Image:
        colours = np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        return Image.fromarray(colours).resize((48, 48), Resampling.BICUBIC)

    return paint
