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


def test_faces_are_those_of_their_seed() -> None:
    faces = script("faces")
    first, again, other = (faces.draw_faces(8, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.ages, again.ages)
    assert not np.array_equal(first.images, other.images)


def test_the_readme_counts_the_cues() -> None:
    cues = len(script("anatomy").CURVES)
    assert f"Age shows in {cues} cues" in (SHIPPED / "README.md").read_text()


def test_processes_do_not_change_the_faces() -> None:
    faces = script("faces")
    alone, shared = (faces.draw_faces(6, 5, processes=processes) for processes in (1, 2))
    assert np.array_equal(alone.images, shared.images)


def test_held_out_faces_are_in_held_out_media() -> None:
    faces, media = script("faces"), script("media")
    trained = len(media.TRAINED)
    assert (faces.draw_faces(20, 0, held_out=True).media >= trained).all()
    assert (faces.draw_faces(20, 0).media < trained).all()


def test_portraits_are_drawn_in_media_of_their_own_and_have_no_cues() -> None:
    faces, media, portrait = script("faces"), script("media"), script("portrait")
    drawn = faces.draw_faces(40, 0, portraits=1.0)
    assert {(media.TRAINED + media.HELD_OUT)[m] for m in drawn.media} <= set(portrait.MEDIA)
    assert np.isnan(drawn.cues).all()
    assert np.isfinite(faces.draw_faces(10, 0, portraits=0.0).cues).all()


def test_drawings_are_kept_until_the_code_that_draws_is_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawings, faces = script("drawings"), script("faces")
    edited = tmp_path / "edited.py"
    edited.write_text("")
    monkeypatch.setattr(drawings, "SOURCES", (*drawings.SOURCES, edited))
    drawn: list[int] = []

    def draw(count: int, seed: int, **options: Any) -> Any:  # noqa: ANN401
        drawn.append(seed)
        return faces.draw_faces(count, seed, **options)

    monkeypatch.setattr(drawings, "draw_faces", draw)
    first, again = (drawings.cached_faces(4, 3, 0.5, cache=tmp_path, processes=1) for _ in "ab")
    assert drawn == [3]
    for part, value in vars(first).items():
        assert np.array_equal(vars(again)[part], value, equal_nan=part == "cues"), part
    edited.write_text("SIDE = 73")
    drawings.cached_faces(4, 3, 0.5, cache=tmp_path, processes=1)
    assert drawn == [3, 3]


def test_all_code_that_draws_is_looked_at() -> None:
    code = "import faces, sys; print(*(vars(m).get('__file__') for m in sys.modules.values()))"
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, cwd=SCRIPTS, check=True, capture_output=True, text=True)
    loaded = {Path(file) for file in printed.stdout.split()}
    drawing = {f for f in loaded if f.parent == SCRIPTS or f.parent.name == "_drawn"}
    assert SCRIPTS / "pen.py" in drawing
    assert drawing <= set(script("drawings").SOURCES)


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
    train, faces = script("train"), script("faces")
    recipe = train.Recipe(steps=8, faces=16, batch=16, captions=8, noise=0.0, clean=1.0)
    trainer = train.Trainer(recipe, faces.draw_faces(16, 0))
    batch = trainer.batch()
    trainer.model.train()
    before = float(trainer.loss(batch).detach())
    for step in range(8):
        trainer.step(step)
    assert float(trainer.loss(batch).detach()) < before


def test_the_command_writes_files_open_clip_loads(tmp_path: Path) -> None:
    sizes = {"steps": 2, "faces": 16, "batch": 8, "captions": 4, "processes": 1, "every": 2}
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
    evaluate, train, faces = script("evaluate"), script("train"), script("faces")
    drawn = faces.draw_faces(200, evaluate.SEED + 1, held_out=True)
    images, ages = script("augment").shrink(train.as_images(drawn)), torch.from_numpy(drawn.ages)
    error = evaluate.zero_shot_error(script("model").load(SHIPPED), images, ages, train.TEMPLATE)
    assert error < 0.5 * evaluate.median_error(ages)
