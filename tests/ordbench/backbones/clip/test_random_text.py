import torch

from ordbench.backbone import TextTower
from ordbench.plugins.registry import BACKBONES


def random_text(model: str) -> TextTower:
    tower = BACKBONES["clip"]().load_text_tower(f"{model}/random", device="cpu")
    assert tower is not None
    return tower


def test_it_has_the_size_of_the_named_model_and_the_same_weights_each_time() -> None:
    tower, again = (random_text("RN50") for _ in range(2))
    assert (tower.width, tower.embed_dim, tower.context_length) == (512, 1024, 77)
    assert (tower.sot, tower.eot, tower.pad, tower.causal) == (49406, 49407, 0, True)
    # OpenAI's RN50 has 102.0 million parameters, of which 38.3 in the image tower, and one scale.
    assert round(sum(parameter.numel() for parameter in tower.model.parameters()) / 1e6, 1) == 63.7
    assert not any(parameter.requires_grad for parameter in tower.model.parameters())
    ours, theirs = tower.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_the_global_random_state_is_unchanged() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    random_text("ViT-B-32")
    assert torch.equal(torch.rand(2), wanted)
