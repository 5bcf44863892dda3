import pytest
import torch

from ordbench.head import PointHead
from ordbench.runs.heads import create_head
from ordbench.runs.inference import BATCH, predict
from tests.reference.problem import problem


@pytest.mark.parametrize("name", ["linear", "coral", "regression", "knn", "coop", "poe"])
@pytest.mark.parametrize("num", [1, BATCH - 1, BATCH + 3])
def test_an_image_has_the_same_bits_alone_and_among_others(name: str, num: int) -> None:
    head = create_head(name, problem(7), {})
    generator = torch.Generator().manual_seed(0)
    for parameter in head.parameters():
        parameter.data.normal_(generator=generator)
    features = torch.randn(3 * BATCH, 24, generator=generator)
    among = predict(head, features)
    for start in (0, 5, BATCH + 17):
        alone = predict(head, features[start : start + num])
        for one, other in zip(alone, among, strict=True):
            if isinstance(head, PointHead) and one is None:
                continue
            assert one is not None
            assert other is not None
            assert torch.equal(one, other[start : start + num])
