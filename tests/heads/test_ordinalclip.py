import pytest
import torch
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.prompts.layout import embed_text
from ordbench_heads.ordinalclip import Interpolation, OrdinalCLIP, interpolation_weights
from tests.reference.problem import problem
from tests.reference.prompt import encode_77
from tests.reference.text_tower import random_clip


@pytest.mark.parametrize(
    ("rank", "row"),
    [
        (0, [0.667, 0.333, 0.0]),
        (25, [0.429, 0.429, 0.143]),
        (50, [0.25, 0.5, 0.25]),
        (100, [0.0, 0.333, 0.667]),
    ],
)
def test_the_official_linear_law_with_101_ranks_and_3_bases(rank: int, row: list[float]) -> None:
    weights = interpolation_weights(101, 3, "linear")
    assert weights[rank].tolist() == pytest.approx(row, abs=5e-4)


def weights_by_hand(num_ranks: int, base_ranks: int, how: Interpolation) -> list[list[float]]:
    rows: list[list[float]] = []
    for rank in range(num_ranks):
        row: list[float] = []
        for base in range(base_ranks):
            spacing = (num_ranks - 1) / (base_ranks - 1)
            distance = abs(rank - base * spacing)
            if how == "linear":
                row.append(1 - distance / (num_ranks - 1))
            elif how == "inverse":
                row.append(1 / (distance + 1e-5))
            else:
                row.append(max(0.0, 1 - distance / spacing))
        rows.append([weight / sum(row) for weight in row])
    return rows


@pytest.mark.parametrize("how", ["linear", "inverse", "piecewise-linear"])
@pytest.mark.parametrize(("num_ranks", "base_ranks"), [(2, 3), (5, 2), (8, 3), (10, 10)])
def test_weights_are_their_definition(how: Interpolation, num_ranks: int, base_ranks: int) -> None:
    weights = interpolation_weights(num_ranks, base_ranks, how)
    for got, wanted in zip(
        weights.tolist(), weights_by_hand(num_ranks, base_ranks, how), strict=True
    ):
        assert got == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("how", ["linear", "inverse", "piecewise-linear"])
@pytest.mark.parametrize("num_ranks", [2, 3, 101])
def test_one_base_rank_is_all_ranks(how: Interpolation, num_ranks: int) -> None:
    assert interpolation_weights(num_ranks, 1, how).tolist() == [[1.0]] * num_ranks


@pytest.mark.parametrize(
    ("how", "reproduced"), [("linear", False), ("inverse", True), ("piecewise-linear", True)]
)
def test_only_the_other_laws_reproduce_the_base_ranks(how: Interpolation, reproduced: bool) -> None:
    at_bases = interpolation_weights(101, 3, how)[[0, 50, 100]]
    assert torch.allclose(at_bases, torch.eye(3), atol=1e-5) == reproduced


def test_the_morph_setting_trains_6656_numbers() -> None:
    tower = random_clip(width=512, heads=8, layers=1, embed_dim=24)
    head = OrdinalCLIP(problem(101, tower=tower))
    assert sum(parameter.numel() for parameter in head.parameters()) == 10 * 512 + 3 * 512 == 6656


def logits_by_hand(head: OrdinalCLIP, features: Tensor, ranks: list[Tensor]) -> Tensor:
    prototypes = encode_77(random_clip(), head.context, ranks)
    images = features / features.norm(dim=1, keepdim=True)
    return images @ (prototypes / prototypes.norm(dim=1, keepdim=True)).T / 0.07


@pytest.mark.parametrize("tokens_per_rank", [1, 3])
def test_logits_are_scaled_cosines_with_interpolated_prompts(tokens_per_rank: int) -> None:
    torch.manual_seed(0)
    head = OrdinalCLIP(problem(5), base_ranks=2, tokens_per_rank=tokens_per_rank)
    low, high = head.base_ranks.unbind()
    ranks = [(1 - k / 4) * low + k / 4 * high for k in range(5)]
    features = torch.randn(6, 24)
    torch.testing.assert_close(head(features), logits_by_hand(head, features, ranks))


def test_the_context_starts_from_the_tasks_words() -> None:
    wanted = embed_text(random_clip(), "age estimation: the age of the person is")
    assert torch.equal(OrdinalCLIP(problem()).context, wanted)


def test_the_context_starts_from_other_words_if_told_so() -> None:
    head = OrdinalCLIP(problem(), context="a photo of")
    assert torch.equal(head.context, embed_text(random_clip(), "a photo of"))


def test_random_contexts_of_ranks_differ_and_words_are_copied() -> None:
    words = OrdinalCLIP(problem(), rank_specific_context=True)
    assert words.context.shape == (5, 10, 32)
    assert torch.equal(words.context[0], words.context[4])
    random = OrdinalCLIP(problem(), rank_specific_context=True, context_tokens=4)
    assert random.context.shape == (5, 4, 32)
    assert not torch.equal(random.context[0], random.context[4])


def test_the_kl_term_can_be_left_out() -> None:
    logits, ranks = torch.randn(3, 4), torch.tensor([0, 1, 3])
    head = OrdinalCLIP(problem(4), kl_weight=0.0)
    wanted = torch.nn.functional.cross_entropy(logits, ranks)
    assert head.loss(logits, ranks).item() == wanted.item()


def test_a_number_below_one_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^base_ranks=0 must be at least 1$"):
        OrdinalCLIP(problem(), base_ranks=0)
    with pytest.raises(SpecError, match=r"^tokens_per_rank=0 must be at least 1$"):
        OrdinalCLIP(problem(), tokens_per_rank=0)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(SpecError, match=r"kl_weight=-1\.0 must be at least 0"):
        OrdinalCLIP(problem(), kl_weight=-1.0)
