import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from ordbench.features.extraction import extract
from ordbench.utils.environment import version_of
from tests.reference.colours import Colours, draw, offer, run


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> type[Colours]:
    return offer(monkeypatch)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return draw(tmp_path)


def test_the_second_run_decodes_nothing_and_does_not_even_load_the_backbone(
    images: list[Path], tmp_path: Path, colours: type[Colours], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(images, tmp_path)
    monkeypatch.setattr(
        "ordbench.features.image_loader.open_rgb", lambda path: pytest.fail(f"{path} decoded")
    )
    second = run(images, tmp_path)
    assert (second.forwards, second.decoded, second.from_cache) == (0, 0, True)
    assert colours.loaded == ["float32"]
    assert colours.encoded == [3]
    assert torch.equal(first.features, second.features)
    assert (first.key, first.images_hash) == (second.key, second.images_hash)
    assert first.transform == second.transform != ""


def test_what_is_in_the_key_changes_it(
    images: list[Path], tmp_path: Path, colours: type[Colours], monkeypatch: pytest.MonkeyPatch
) -> None:
    def key(files: list[Path] = images, **changes: Any) -> str:  # noqa: ANN401
        return run(files, tmp_path, **changes).key

    keys = [
        key(),
        key(backbone="colours:y"),
        key(layer="pre"),
        key(normalize=True),
        key(dtype="bfloat16"),
        key(dtype="float32", device="cuda"),
        key(images[::-1]),
        key(images[:2]),
    ]
    monkeypatch.setattr(colours, "weights", "v")
    keys.append(key())
    monkeypatch.setattr(colours, "libraries", ("numpy",))
    keys.append(key())
    monkeypatch.setattr(
        "ordbench.features.extraction.version_of",
        lambda name: "1.0" if name == "torch" else version_of(name),
    )
    keys.append(key())
    monkeypatch.setattr("ordbench.features.extraction.source_hash", lambda family: "edited")
    keys.append(key())
    Image.new("RGB", (5, 7), "white").save(images[1])
    keys.append(key())
    assert len(set(keys)) == len(keys)


def test_which_gpu_computes_is_not_in_the_key(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    keys = {
        run(images, tmp_path, dtype="float32", device=device).key
        for device in ("cuda", "cuda:0", "cuda:1")
    }
    assert len(keys) == 1


def test_names_places_and_batches_are_not_in_the_key(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = [elsewhere / f"face{n}.png" for n in range(3)]
    first = run(images, tmp_path)
    for old, new in zip(images, moved, strict=True):
        old.rename(new)
    second = run(moved, tmp_path, batch_size=2)
    assert second.from_cache
    assert second.key == first.key


def test_an_image_that_appears_later_is_seen(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    late = tmp_path / "late.png"
    assert len(run([*images, late], tmp_path).features) == 3
    late.write_bytes(images[0].read_bytes())
    assert len(run([*images, late], tmp_path).features) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: b"",
    ],
    ids=["cut", "one bit", "empty"],
)
def test_a_damaged_file_is_reported_and_made_again(
    images: list[Path],
    tmp_path: Path,
    colours: type[Colours],
    damage: Callable[[bytes], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = run(images, tmp_path)
    (file,) = (tmp_path / "cache" / "features").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    again = run(images, tmp_path)
    assert str(file) in caplog.text
    assert not again.from_cache
    assert torch.equal(again.features, first.features)
    assert run(images, tmp_path).from_cache


def test_another_keys_file_under_this_name_is_reported_and_made_again(
    images: list[Path],
    tmp_path: Path,
    colours: type[Colours],
    caplog: pytest.LogCaptureFixture,
) -> None:
    run(images, tmp_path)
    (file,) = (tmp_path / "cache" / "features").iterdir()
    pre = run(images, tmp_path, layer="pre")
    (file.parent / f"{pre.key}.safetensors").replace(file)
    assert run(images, tmp_path).features[0].tolist() == [1, 0, 0]
    assert "holds the features of something else" in caplog.text


def test_a_cache_that_cannot_be_written_costs_a_warning_only(
    images: list[Path],
    tmp_path: Path,
    colours: type[Colours],
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert len(run(images, tmp_path).features) == 3
    assert "features are not cached: cannot write" in caplog.text


def test_a_hit_in_another_process_loads_no_library_of_models(
    images: list[Path], tmp_path: Path
) -> None:
    save_file(timm.create_model("test_vit").state_dict(), tmp_path / "vit.safetensors")
    backbone = f"timm:test_vit@{tmp_path / 'vit.safetensors'}"
    first = extract(images, backbone=backbone, cache=tmp_path / "cache")
    script = (
        "import sys; from pathlib import Path; from ordbench.features.extraction import extract; "
        "*files, cache, backbone = sys.argv[1:]; "
        "got = extract([*map(Path, files)], backbone=backbone, cache=Path(cache)); "
        "loaded = {'timm', 'open_clip', 'torchvision', 'PIL'} & sys.modules.keys(); "
        "print(got.key, got.forwards, got.decoded, loaded)"
    )
    arguments = [*map(str, images), str(tmp_path / "cache"), backbone]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    assert done.stdout.split(maxsplit=3) == [first.key, "0", "0", "set()\n"]
