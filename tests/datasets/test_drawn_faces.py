import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import truncnorm
from sklearn.linear_model import RidgeCV

from ordbench.dataset import Samples
from ordbench.errors import DatasetError, SpecError
from ordbench_datasets._drawn.dataset import generator
from ordbench_datasets._drawn.folder import digest
from ordbench_datasets.drawn_faces import (
    AGES,
    SCATTER,
    DrawnFaces,
    best_mae,
    visible_age,
)

VERSION = DrawnFaces.version
KEY = f"v{VERSION}-seed0-n4"
GOLDEN = [
    158.6,
    201.7,
    201.3,
    153.2,
    173.4,
    165.6,
    167.6,
    165.8,
    154.0,
    176.0,
    171.1,
    152.8,
    145.6,
    153.2,
    150.8,
    149.8,
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn-faces")


@pytest.fixture(scope="module")
def listing(root: Path) -> Samples:
    return DrawnFaces(root, per_rank=4).read()


def pixels(listing: Samples) -> NDArray[np.float64]:
    pictures: list[NDArray[np.float64]] = []
    for sample in listing.samples:
        pictures.append(np.asarray(sample.open(), dtype=np.float64))
    return np.stack(pictures)


def test_ages_are_the_ranks(listing: Samples) -> None:
    task = listing.task
    assert (task.num_ranks, task.unit) == (90, "years")
    assert task.rank_names == tuple(map(str, range(1, 91)))
    assert task.rank_values == tuple(range(1, 91))


def test_samples_are_listed_by_age_and_number(listing: Samples, root: Path) -> None:
    assert [sample.rank for sample in listing.samples] == [
        rank for rank in range(90) for _ in "1234"
    ]
    assert [sample.name for sample in listing.samples[3:5]] == [
        f"{KEY}/001_003.png",
        f"{KEY}/002_000.png",
    ]
    assert all(sample.image == root / sample.name for sample in listing.samples)


def test_every_picture_is_small_coloured_and_different(listing: Samples) -> None:
    drawn = pixels(listing)
    assert drawn.shape == (360, 64, 64, 3)
    assert len({picture.tobytes() for picture in drawn}) == 360


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(tmp_path: Path) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        DrawnFaces(tmp_path / name, seed=seed, per_rank=1).read()
    first, again, other = (
        digest(tmp_path / name / f"v{VERSION}-seed{seed}-n1")
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    )
    assert first == again
    assert first != other


def test_a_picture_does_not_depend_on_how_many_there_are(listing: Samples, tmp_path: Path) -> None:
    few = DrawnFaces(tmp_path, per_rank=1).read()
    assert np.array_equal(pixels(few), pixels(listing)[::4])


def test_a_change_of_the_pictures_needs_a_new_version(listing: Samples) -> None:
    # Means of 16 x 16 blocks of the greys of one picture. If they move, raise VERSION.
    greys = np.asarray(listing.samples[4 * 59].open(), dtype=np.float64).mean(2)
    blocks = greys.reshape(4, 16, 4, 16).mean((1, 3)).ravel()
    assert VERSION == 1
    np.testing.assert_allclose(blocks, GOLDEN, atol=1.5)


def test_what_is_there_is_not_drawn_again(
    listing: Samples, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: DrawnFaces) -> Iterator[tuple[str, bytes]]:
        raise AssertionError("drawn again")

    monkeypatch.setattr(DrawnFaces, "_pictures", refuse)
    assert DrawnFaces(root, per_rank=4).read() == listing


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_process_that_is_killed_while_it_draws_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill = lambda *about: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731 - goes by value
    monkeypatch.setattr(DrawnFaces, "_pictures_of", kill)
    with pytest.raises(DatasetError, match="a process that draws was killed from outside, or for"):
        DrawnFaces(tmp_path, per_rank=1).read()
    monkeypatch.undo()
    assert len(DrawnFaces(tmp_path, per_rank=1).read().samples) == 90


def test_a_missing_picture_is_drawn_again(tmp_path: Path) -> None:
    lost = tmp_path / DrawnFaces(tmp_path, per_rank=1).read().samples[17].name
    content = lost.read_bytes()
    lost.unlink()
    DrawnFaces(tmp_path, per_rank=1).read()
    assert lost.read_bytes() == content


def test_the_age_can_be_read_from_the_pixels(listing: Samples) -> None:
    greys = pixels(listing).mean(3)
    features = greys.reshape(-1, 16, 4, 16, 4).mean((2, 4)).reshape(len(greys), -1)
    ages = np.repeat(np.array(AGES), 4)
    test = np.arange(360) % 4 == 0
    reader = RidgeCV(np.logspace(3, 7, 5)).fit(features[~test], ages[~test])
    mae = np.abs(reader.predict(features[test]) - ages[test]).mean()
    assert best_mae() < mae < 18  # 22.5 is what "45" scores


def test_where_it_cannot_write_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        DatasetError, match=r"cannot be drawn into .*file.*; make room, move away .* --cache$"
    ):
        DrawnFaces(tmp_path / "file", per_rank=1).read()


@pytest.mark.parametrize(
    ("seed", "per_rank", "message"),
    [(-1, 35, "seed=-1: must be 0 or more"), (0, 0, "per_rank=0: must be 1 to 1000")],
)
def test_an_option_out_of_range_is_refused(seed: int, per_rank: int, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        DrawnFaces(Path("nowhere"), seed=seed, per_rank=per_rank)


def test_reading_the_card_loads_no_numbers_and_no_pictures() -> None:
    code = (
        "import sys, ordbench_datasets.drawn_faces as d; d.DrawnFaces.card.title; "
        "print(sorted({'numpy', 'PIL', 'torch', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_visible_age_scatters_around_the_age_and_stays_in_range() -> None:
    middle = [visible_age(45, generator(0, 45, i)) for i in range(2000)]
    assert np.mean(middle) == pytest.approx(45, abs=0.25)
    assert np.std(middle) == pytest.approx(SCATTER, abs=0.2)
    for age in (1, 90):
        drawn = [visible_age(age, generator(0, age, i)) for i in range(500)]
        assert min(drawn) >= 1
        assert max(drawn) <= 90
        # Half a Gaussian remains.
        assert np.mean(np.abs(np.array(drawn) - age)) == pytest.approx(2.39, abs=0.25)


def median_by_hand(visible: float) -> int:
    """The lowest age that at least half of the people who look so have or are below."""
    weights: list[float] = []
    for age in AGES:
        low, high = (1 - age) / SCATTER, (90 - age) / SCATTER
        weights.append(float(truncnorm.pdf((visible - age) / SCATTER, low, high)))
    total = 0.0
    for age, weight in zip(AGES, weights, strict=True):
        total += weight
        if total >= sum(weights) / 2:
            return age
    raise AssertionError


def test_the_best_mae_is_what_the_best_reader_scores() -> None:
    answers = {v: median_by_hand(v) for v in np.arange(1, 90.01, 0.5).tolist()}
    rng = np.random.default_rng(0)
    best, naive = [], []
    for age in rng.integers(1, 91, 10_000).tolist():
        visible = visible_age(age, rng)
        best.append(abs(age - answers[round(visible * 2) / 2]))
        naive.append(abs(age - visible))
    assert np.mean(best) == pytest.approx(best_mae(), abs=4 * 1.8 / math.sqrt(10_000))
    assert best_mae() < np.mean(naive)


def test_the_card_states_the_best_mae() -> None:
    assert f"{best_mae():.2f} years" in DrawnFaces.card.ranks
    assert DrawnFaces.card.embedded
