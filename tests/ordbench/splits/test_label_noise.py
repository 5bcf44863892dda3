from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from ordbench.dataset import Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.plugins.registry import PROTOCOLS
from ordbench.protocol import Parts
from ordbench.splits.manifest import apply_manifest, read_manifest, write_manifest
from ordbench.splits.standard import Standard
from tests.reference.photos import LISTING, RANKS, drawn


def slowly(name: str, own: int, share: float, near: bool, data_seed: int) -> int:
    """The rank that an image is given, of seven."""
    words = ["ordbench-split-1", "x", "noise", str(data_seed), "0", name]
    digits = hashlib.sha256("\0".join(words).encode()).hexdigest()
    if int(digits[:32], 16) / 16**32 >= share:
        return own
    others = (
        sorted({own - 1, own + 1} & set(range(7))) if near else [*range(own), *range(own + 1, 7)]
    )
    return others[int(digits[32:], 16) % len(others)]


@pytest.mark.parametrize("data_seed", [0, 1, 2])
@pytest.mark.parametrize("kind", ["uniform", "neighbours"])
@pytest.mark.parametrize("shots", [None, 8])
def test_ranks_are_changed_as_a_slow_drawing_changes_them(
    kind: str, data_seed: int, shots: int | None
) -> None:
    clean = drawn("standard", shots=shots, data_seed=data_seed)
    noisy = drawn(f"label-noise:share=0.3:kind={kind}", shots=shots, data_seed=data_seed)
    given = {
        name: slowly(name, RANKS[name], 0.3, kind == "neighbours", data_seed)
        for name in clean.train
    }
    assert noisy.train_ranks == {n: rank for n, rank in given.items() if rank != RANKS[n]}
    assert (noisy.train, noisy.val, noisy.test) == (clean.train, clean.val, clean.test)
    assert noisy.short == clean.short
    assert noisy.notes[-1] == (
        f"{len(noisy.train_ranks)} of {len(noisy.train)} training images are given a wrong rank"
    )


def test_the_share_and_the_new_ranks_are_as_likely_as_said() -> None:
    samples = tuple(Sample(f"{n}.png", Path("x"), n % 7) for n in range(9000))
    split = drawn("label-noise:share=0.25", replace(LISTING, samples=samples))
    expected = len(split.train) * 0.25
    assert abs(len(split.train_ranks) - expected) < 4 * (expected * 0.75) ** 0.5
    own = {sample.name: sample.rank for sample in samples}
    moved = Counter((own[name], rank) for name, rank in split.train_ranks.items())
    assert len(moved) == 42
    assert max(moved.values()) < 3 * min(moved.values())


def test_less_noise_is_part_of_more() -> None:
    less, more, all_ = (drawn(f"label-noise:share={s}").train_ranks for s in (0.1, 0.4, 1))
    assert less.items() < more.items() < all_.items()
    assert len(all_) == len(drawn("standard").train)


def test_the_ranks_are_in_the_hash_and_come_back_from_a_manifest(tmp_path: Path) -> None:
    split = drawn("label-noise:share=0.2")
    assert split.hash != drawn("standard").hash
    assert split.hash != drawn("label-noise:share=0.2", data_seed=1).hash
    write_manifest(split, tmp_path / "split.json")
    again = read_manifest(tmp_path / "split.json")
    assert again == split
    assert apply_manifest(LISTING, again, split.protocol) == split
    assert "train_ranks" not in drawn("standard").model_dump_json()


@pytest.mark.parametrize(
    ("ranks", "said"),
    [
        ({"nobody.png": 1}, "'nobody.png' is not in train"),
        ({"000.png": 7}, r"image '000.png' is given rank 7; wanted 0..6"),
    ],
)
def test_a_manifest_with_ranks_that_cannot_be_is_refused(ranks: dict[str, int], said: str) -> None:
    split = drawn("label-noise:share=0.2").model_copy(update={"train_ranks": ranks})
    with pytest.raises(DatasetError, match=said):
        apply_manifest(LISTING, split, split.protocol)


def test_a_protocol_that_changes_other_ranks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(Standard):
        title: ClassVar[str] = "x"

        def parts(
            self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
        ) -> Parts:
            parts = super().parts(
                listing, dataset=dataset, fold=fold, shots=shots, data_seed=data_seed
            )
            return parts._replace(val=[s._replace(rank=0) for s in parts.val])

    monkeypatch.setattr(type(PROTOCOLS), "__getitem__", lambda *_: Wrong)
    with pytest.raises(DatasetError, match="but only the ranks of training images may be changed"):
        drawn("wrong")


@pytest.mark.parametrize("share", [0, 1.5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(SpecError, match=f"share={float(share)} must be above 0 and at most 1"):
        drawn(f"label-noise:share={share}")
