import pytest
import torch
from PIL.Image import Image
from torch import Tensor, nn

from ordbench.backbones.frozen import ImageTower, Preprocessing
from ordbench.errors import BackboneError


def grey(image: Image) -> Tensor:
    return torch.full((3, 2, 2), 0.5)


class Network(nn.Module):
    """Sums of each channel, or what ``shape`` makes of them."""

    def __init__(self, *, tokens: bool = False, as_tuple: bool = False) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.drop = nn.Dropout(0.5)
        self.tokens, self.as_tuple = tokens, as_tuple

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        features = self.drop(self.scale * images).sum((2, 3))
        if self.tokens:
            return features.unsqueeze(1)
        return (features, images) if self.as_tuple else features


def tower(network: Network) -> ImageTower:
    return ImageTower(
        network, Preprocessing(grey, "grey"), device="cpu", dtype="float32", what="mine:x"
    )


def test_features_come_in_eval_mode_and_without_gradient() -> None:
    network = Network()
    features = tower(network).encode(torch.ones(2, 3, 2, 2))
    assert features.tolist() == [[4.0] * 3] * 2, "no dropout"
    assert not features.requires_grad
    assert not network.scale.requires_grad


def test_the_width_of_the_features_is_measured() -> None:
    assert tower(Network()).num_features == 3


def test_of_a_tuple_the_first_part_is_taken() -> None:
    assert tower(Network(as_tuple=True)).encode(torch.ones(1, 3, 2, 2)).tolist() == [[4.0] * 3]


def test_a_network_that_does_not_pool_is_refused() -> None:
    with pytest.raises(
        BackboneError, match=r"mine:x: wanted one vector per image, got the shape \(1, 3\)"
    ):
        tower(Network(tokens=True))


def test_a_transform_is_described_by_its_words_alone() -> None:
    assert repr(Preprocessing(grey, "grey(2)")) == "grey(2)"
