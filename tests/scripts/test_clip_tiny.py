"""The scripts that make ``clip:tiny``, and the files that are shipped."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from open_clip.model import CLIP
from safetensors.torch import load_file

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts" / "clip_tiny"
SHIPPED = ROOT / "ordbench" / "backbones" / "clip" / "tiny"
MODULES = [path.stem for path in SCRIPTS.glob("*.py")]


@pytest.fixture(scope="module", autouse=True)
def scripts_path() -> Iterator[None]:
    """The scripts import each other by bare name, as ``python scripts/...`` lets them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield
        for name in MODULES:
            sys.modules.pop(name, None)


def script(name: str) -> Any:  # noqa: ANN401
    return import_module(name)


def test_drawings_are_those_of_their_seed() -> None:
    drawings = script("drawings")
    first, again, other = (drawings.draw(8, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.places, again.places)
    assert not np.array_equal(first.images, other.images)


def test_the_readme_counts_the_cues() -> None:
    text = (SHIPPED / "README.md").read_text()
    assert f"Age shows in {len(script('anatomy').CURVES)} cues" in text
    assert f"ripeness in {len(script('ripening').CURVES)}" in text


def test_processes_do_not_change_the_drawings() -> None:
    drawings = script("drawings")
    alone, shared = (drawings.draw(6, 5, processes=processes) for processes in (1, 2))
    assert np.array_equal(alone.images, shared.images)


def test_held_out_drawings_are_in_held_out_media() -> None:
    drawings, media = script("drawings"), script("media")
    trained = len(media.TRAINED)
    assert (drawings.draw(20, 0, held_out=True).media >= trained).all()
    assert (drawings.draw(20, 0).media < trained).all()


def test_a_drawing_is_a_face_with_cues_or_a_thing_without() -> None:
    drawings = script("drawings")
    faces, things, both = (drawings.draw(30, 0, ripening=share) for share in (0.0, 1.0, 0.5))
    assert (faces.places < drawings.AGES).all()
    assert np.isfinite(faces.cues).all()
    assert ((things.places >= drawings.AGES) & (things.places < drawings.PLACES)).all()
    assert np.isnan(things.cues).all()
    assert 5 < (both.places < drawings.AGES).sum() < 25


def test_every_thing_can_be_drawn() -> None:
    ripening, media = script("ripening"), script("media")
    generator = np.random.default_rng(0)
    style = media.draw_style("flat", generator)
    for thing in ripening.THINGS:
        bodies = ripening._bodies(thing, generator)
        assert all(np.abs(body).max() < 3 and np.ptp(body, 0).min() > 0.2 for body in bodies), thing
    unripe, rotten = (
        np.asarray(ripening.draw_ripening(ripeness, style, False, np.random.default_rng(1)))
        for ripeness in (0, 1)
    )
    assert (unripe != rotten).any(2).mean() > 0.1


def test_drawings_are_kept_until_the_code_that_draws_is_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawings = script("drawings")
    edited = tmp_path / "edited.py"
    edited.write_text("")
    monkeypatch.setattr(drawings, "SOURCES", (*drawings.SOURCES, edited))
    drawn: list[int] = []
    draw = drawings.draw

    def counted(count: int, seed: int, **options: Any) -> Any:  # noqa: ANN401
        drawn.append(seed)
        return draw(count, seed, **options)

    monkeypatch.setattr(drawings, "draw", counted)
    first, again = (drawings.cached(4, 3, 0.5, cache=tmp_path, processes=1) for _ in "ab")
    assert drawn == [3]
    for part, value in vars(first).items():
        assert np.array_equal(vars(again)[part], value, equal_nan=part == "cues"), part
    edited.write_text("SIDE = 73")
    drawings.cached(4, 3, 0.5, cache=tmp_path, processes=1)
    assert drawn == [3, 3]


def test_all_code_that_draws_is_looked_at_and_none_is_the_benchmarks() -> None:
    code = "import drawings, sys; print(*(vars(m).get('__file__') for m in sys.modules.values()))"
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, cwd=SCRIPTS, check=True, capture_output=True, text=True)
    loaded = {Path(file) for file in printed.stdout.split()}
    assert {file for file in loaded if file.parent == SCRIPTS} == set(script("drawings").SOURCES)
    assert not [file for file in loaded if "ordbench_datasets" in file.parts]


@pytest.mark.parametrize(
    ("age", "words"),
    [(7, "seven"), (13, "thirteen"), (40, "forty"), (34, "thirty four"), (100, "one hundred")],
)
def test_numbers_are_spelled(age: int, words: str) -> None:
    assert script("captions").number_words(age) == words


@pytest.mark.parametrize("age", [1, 7, 16, 25, 50, 75, 99])
def test_a_caption_gives_the_age_a_likely_place(age: int) -> None:
    captions, generator = script("captions"), np.random.default_rng(age)
    for _ in range(100):
        said = captions.caption(age, generator)
        assert said.density.sum() == pytest.approx(1, abs=1e-5)
        assert said.density[age] > 0.9 * said.density.max(), said.text


def test_captions_use_numerals_words_and_stages() -> None:
    captions, generator = script("captions"), np.random.default_rng(0)
    texts = [captions.caption(34, generator).text for _ in range(400)]
    for part in ("34", "thirty four", "thirties", "adult"):
        assert any(part in text for text in texts), part


@pytest.mark.parametrize(
    ("age", "right", "wrong"),
    [
        (1, "baby", "child"),
        (8, "child", "adult"),
        (16, "teenager", "old man"),
        (50, "middle-aged man", "young man"),
        (80, "elderly woman", "baby"),
    ],
)
def test_a_stage_fits_its_age(age: int, right: str, wrong: str) -> None:
    captions, generator = script("captions"), np.random.default_rng(age)
    texts = {captions.stage_caption(age, generator).text.strip(".") for _ in range(500)}
    assert any(text.endswith(f" {right}") for text in texts)
    assert not any(text.endswith(f" {wrong}") for text in texts)


@pytest.mark.parametrize("ripeness", range(21))
def test_a_caption_gives_the_ripeness_a_likely_place(ripeness: int) -> None:
    captions, generator = script("ripe_captions"), np.random.default_rng(ripeness)
    for _ in range(100):
        said = captions.ripe_caption(ripeness, generator)
        assert said.density.sum() == pytest.approx(1, abs=1e-5)
        assert said.density[ripeness] > 0.9 * said.density.max(), said.text


def test_a_caption_of_a_thing_is_not_true_of_a_face() -> None:
    train, generator = script("train"), np.random.default_rng(0)
    for place in range(train.PLACES):
        density = train.say(place, generator).density
        assert density.shape == (train.PLACES,)
        assert density[train.AGES :].sum() == pytest.approx(float(place >= train.AGES), abs=1e-5)


def test_augmentation_keeps_shape_and_range() -> None:
    images = torch.rand(5, 3, 72, 72)
    changed = script("augment").augment(images, torch.Generator().manual_seed(0))
    assert changed.shape == (5, 3, 64, 64)
    assert changed.abs().max() <= 1


def test_the_short_text_pass_is_open_clips() -> None:
    model = script("model")
    torch.manual_seed(0)
    clip = model.build().eval()
    texts = model.tokens(["34", "a drawing of a seven year old"])
    with torch.no_grad():
        torch.testing.assert_close(
            model.text_features(clip, texts), clip.encode_text(texts), rtol=1e-4, atol=1e-5
        )


def test_a_few_steps_lower_the_loss_of_a_batch() -> None:
    train, drawings = script("train"), script("drawings")
    recipe = train.Recipe(steps=8, drawings=16, batch=16, captions=8, noise=0.0, clean=1.0)
    trainer = train.Trainer(recipe, drawings.draw(16, 0))
    batch = trainer.batch()
    trainer.model.train()
    before = float(trainer.loss(batch).detach())
    for step in range(8):
        trainer.step(step)
    assert float(trainer.loss(batch).detach()) < before


def test_the_command_writes_files_open_clip_loads(tmp_path: Path) -> None:
    sizes = {"steps": 2, "drawings": 16, "batch": 8, "captions": 4, "processes": 1, "every": 2}
    options = [f"--{name}={value}" for name, value in sizes.items()]
    command = [sys.executable, str(SCRIPTS / "train.py"), "--out", str(tmp_path), *options]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert isinstance(script("model").load(tmp_path), CLIP)


def test_shipped_weights_are_small_whole_and_finite() -> None:
    weights = SHIPPED / "model.safetensors"
    assert weights.stat().st_size <= 12_000_000
    assert all(value.isfinite().all() for value in load_file(weights).values())
    assert isinstance(script("model").load(SHIPPED), CLIP)


def test_the_shipped_model_reads_media_it_never_saw() -> None:
    drawn = script("drawings").draw(400, script("evaluate").SEED + 1, held_out=True)
    shares = script("train").errors(script("model").load(SHIPPED), drawn)
    assert shares["faces"] < 0.5
    assert shares["things"] < 0.6
