"""How many numbers each head trains, by formula: a head that hides more capacity is seen."""

from collections.abc import Callable

import pytest

from ordbench.plugins.options import takes_argument
from ordbench.plugins.registry import HEADS
from ordbench.runs.heads import create_head
from tests.reference.problem import problem
from tests.reference.text_tower import random_clip

WIDTH = 128  # of hidden layers and embeddings
WORD = 32  # a token's vector in the random tower

Formula = Callable[[int, int], int]


def score_a_rank(k: int, d: int) -> int:
    return k * (d + 1)


def score_a_threshold(k: int, d: int) -> int:
    return (k - 1) * (d + 1)


def two_layers(k: int, d: int) -> int:
    return WIDTH * (d + 1) + WIDTH * (WIDTH + 1) + (WIDTH + 1)


def nothing(k: int, d: int) -> int:
    return 0


SCORE_A_RANK = (
    *("linear", "mean-variance", "emd", "wk", "cdw-ce", "slace", "unimodal-concentrated"),
    *("co2", "ho2", "qul", "orcu", "sord", "dldl", "dldl-v2", "soft-labels"),
    *("copoc", "unimodalnet", "vs-sl"),
)
SCORE_A_THRESHOLD = ("or-cnn", "ecoc", "corn", "condor", "ord-acl", "stick-breaking")
FORMULAS: dict[str, Formula] = {
    **dict.fromkeys(SCORE_A_RANK, score_a_rank),
    **dict.fromkeys(SCORE_A_THRESHOLD, score_a_threshold),
    **dict.fromkeys(("rnc", "ordinal-entropy"), two_layers),
    **dict.fromkeys(("gda", "knn", "tip-adapter", "zeroshot"), nothing),
    "binomial": lambda k, d: d + 1,
    "regression": lambda k, d: d + 1,
    "poisson": lambda k, d: d + 2,  # and a temperature
    "coral": lambda k, d: d + k - 1,
    "clm": lambda k, d: d + k - 1,
    "cosine": lambda k, d: k * d + 1,  # and a scale
    "poe": lambda k, d: 2 * WIDTH * d + WIDTH + k * (WIDTH + 1),  # means, deviations, scores
    "ranking-adapter": lambda k, d: WIDTH * (d + 1) + 2 * (WIDTH + 1),
    "taskres": lambda k, d: k * d,
    "clap": lambda k, d: k * d,
    "clip-adapter": lambda k, d: 2 * d * (d // 4),
    "lp++": lambda k, d: k * (d + 2),
    "coop": lambda k, d: 16 * WORD,  # a context of 16 tokens
    "ordinalclip": lambda k, d: (10 + 3) * WORD,  # a context of 10 tokens and 3 base ranks
    "clip-dr": lambda k, d: (10 + k) * WORD,
    "numclip": lambda k, d: k * WORD + 2 * d * (d // 4),
}


@pytest.mark.parametrize("name", sorted(n for n in HEADS if not takes_argument(HEADS[n])))
def test_it_trains_as_many_numbers_as_its_formula_says(name: str) -> None:
    tower = random_clip()
    for num_ranks in (5, 7):
        head = create_head(name, problem(num_ranks, tower=tower), {})
        counted = sum(p.numel() for p in head.parameters() if p.requires_grad)
        assert counted == FORMULAS[name](num_ranks, tower.embed_dim)


@pytest.mark.parametrize("name", ["clip-dr", "coop", "ordinalclip"])
def test_features_of_another_space_cost_a_projection(name: str) -> None:
    tower = random_clip()
    width = tower.embed_dim
    head = create_head(name, problem(5, tower=tower, aligned=False), {})
    counted = sum(p.numel() for p in head.parameters() if p.requires_grad)
    assert counted == FORMULAS[name](5, width) + width * (width + 1)
