import torch

from ordbench.backbones.clip.random_text import random_text


def test_it_is_as_large_as_the_tower_it_stands_for_and_always_the_same() -> None:
    tower, again = (random_text("RN50", device="cpu") for _ in range(2))
    assert (tower.width, tower.embed_dim, tower.context_length) == (512, 1024, 77)
    assert (tower.sot, tower.eot, tower.pad, tower.causal) == (49406, 49407, 0, True)
    # OpenAI's RN50 has 102.0 million parameters, of which 38.3 in the image tower, and one scale.
    assert round(sum(parameter.numel() for parameter in tower.model.parameters()) / 1e6, 1) == 63.7
    assert not any(parameter.requires_grad for parameter in tower.model.parameters())
    ours, theirs = tower.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_the_random_numbers_of_others_stay_as_they_were() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    random_text("ViT-B-32", device="cpu")
    assert torch.equal(torch.rand(2), wanted)
