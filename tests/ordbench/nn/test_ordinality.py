"""Ordinality is what the authors' script counts; here by loops."""

import numpy as np
import pytest
import torch

from ordbench.nn.ordinality import ordinality


def counted(prototypes: np.ndarray, span: int) -> float:
    unit = prototypes / np.linalg.norm(prototypes, axis=1, keepdims=True)
    similar = unit @ unit.T
    num = len(prototypes)
    falls = [
        similar[i, j] > similar[i, j + 1] if j > i else True
        for i in range(num - 1)
        for j in range(i, min(i + span, num - 1))
    ]
    return float(np.mean(falls))


@pytest.mark.parametrize("num_ranks", [2, 3, 5, 9, 90])
def test_every_span_counts_the_pairs_within_it(num_ranks: int) -> None:
    prototypes = torch.randn(num_ranks, 16, generator=torch.Generator().manual_seed(0))
    found = ordinality(prototypes)
    spans = [2**power for power in range(8) if 2**power < num_ranks - 1]
    assert list(found) == ["ordinality", *(f"ordinality@{span}" for span in spans)]
    doubles = prototypes.double().numpy()
    assert found["ordinality"] == pytest.approx(counted(doubles, num_ranks), abs=1e-12)
    for span in spans:
        assert found[f"ordinality@{span}"] == pytest.approx(counted(doubles, span), abs=1e-12)


def test_prototypes_along_an_arc_are_ordinal_and_random_ones_are_half() -> None:
    angles = torch.linspace(0, 3, 61)
    arc = torch.stack([angles.cos(), angles.sin()], dim=1)
    assert ordinality(arc)["ordinality"] == 1
    random = torch.randn(61, 512, generator=torch.Generator().manual_seed(1))
    assert ordinality(random)["ordinality"] == pytest.approx(0.51, abs=0.03)
