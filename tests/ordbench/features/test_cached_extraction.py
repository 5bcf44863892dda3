import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from ordbench.data.archives import ZipMember
from ordbench.features.extraction import extract
from ordbench.utils.environment import version_of
from tests.reference.colours import Colours, draw, offer, run


def shards(folder: Path) -> list[Path]:
    return sorted((folder / "cache").rglob("*.safetensors"))


def many(folder: Path, number: int) -> list[Path]:
    """Images of as many colours."""
    files = [folder / f"{n:03}.png" for n in range(number)]
    for n, file in enumerate(files):
        Image.new("RGB", (5, 7), (n % 256, n // 256, 99)).save(file)
    return files


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
    assert colours.encoded == [8]
    assert torch.equal(first.features, second.features)
    assert (first.key, first.images_hash) == (second.key, second.images_hash)
    assert first.transform == second.transform != ""


def test_images_in_a_zip_archive_share_the_rows_of_the_same_files(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    (tmp_path / "broken.png").write_bytes(images[0].read_bytes()[:40])
    Image.open(images[0]).save(tmp_path / "again.png", compress_level=0)
    names = [*(file.name for file in images), "broken.png", "again.png"]
    with ZipFile(tmp_path / "faces.zip", "w") as archive:
        for name in names:
            archive.write(tmp_path / name, name)
    members = [ZipMember(tmp_path / "faces.zip", name) for name in names]
    told: list[tuple[int, int]] = []
    first = run(members, tmp_path, progress=lambda *done: told.append(done))
    assert (told[-1], colours.encoded) == ((5, 5), [8])
    second = run([tmp_path / name for name in names], tmp_path)
    assert (second.forwards, second.decoded, second.from_cache) == (0, 0, True)
    assert (first.key, first.pixels) == (second.key, second.pixels)
    assert torch.equal(first.features, second.features)
    assert first.pixels[0] == first.pixels[3], "one picture in two files"
    ((named, reason),) = first.rejected
    assert (named, reason) == (str(members[3]), second.rejected[0].reason)


def test_a_member_that_cannot_be_read_is_rejected_with_its_reason(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    found = run([*images, ZipMember(tmp_path / "gone.zip", "x.png")], tmp_path)
    assert found.rejected == ((f"{tmp_path}/gone.zip/x.png", "is not there"),)
    assert len(found.features) == 3


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
        key(batch_size=2),
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


def test_names_and_places_are_not_in_the_key(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = [elsewhere / f"face{n}.png" for n in range(3)]
    first = run(images, tmp_path)
    for old, new in zip(images, moved, strict=True):
        old.rename(new)
    second = run(moved, tmp_path)
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
    (file,) = shards(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    again = run(images, tmp_path)
    assert str(file) in caplog.text
    assert not again.from_cache
    assert torch.equal(again.features, first.features)
    assert run(images, tmp_path).from_cache


def test_rows_of_another_space_are_reported_and_made_again(
    images: list[Path],
    tmp_path: Path,
    colours: type[Colours],
    caplog: pytest.LogCaptureFixture,
) -> None:
    run(images, tmp_path)
    (file,) = shards(tmp_path)
    run(images, tmp_path, layer="pre")
    (pre,) = set(shards(tmp_path)) - {file}
    pre.replace(file)
    assert run(images, tmp_path).features[0].tolist() == [1, 0, 0]
    assert "holds the features of something else" in caplog.text


def test_new_images_alone_are_encoded_and_other_orders_cost_nothing(
    tmp_path: Path, colours: type[Colours]
) -> None:
    images = many(tmp_path, 30)
    first = run(images[:20], tmp_path)
    assert (first.decoded, first.forwards) == (20, 3)
    grown = run(images, tmp_path)
    assert (grown.decoded, grown.forwards) == (10, 2)
    assert torch.equal(grown.features[:20], first.features)
    order = list(range(25, 3, -2))
    part = run([images[n] for n in order], tmp_path)
    assert (part.decoded, part.forwards, part.from_cache) == (0, 0, True)
    assert torch.equal(part.features, grown.features[order])
    assert len(shards(tmp_path)) == 1, "small shards are merged"


def test_the_same_content_under_two_names_is_encoded_once(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    (tmp_path / "copy.png").write_bytes(images[0].read_bytes())
    got = run([*images, tmp_path / "copy.png"], tmp_path)
    assert got.decoded == 3
    assert torch.equal(got.features[3], got.features[0])


def test_identical_pictures_are_seen_in_other_files(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    Image.open(images[0]).save(tmp_path / "same.bmp")
    for _ in range(2):
        got = run([*images, tmp_path / "same.bmp"], tmp_path)
        assert got.pixels[3] == got.pixels[0]
        assert len(set(got.pixels)) == 3


EXTRACT = """
import sys, time
from pathlib import Path
import torch
from ordbench.backbone import BackboneFamily
from ordbench.features import extraction
from tests.reference.colours import Colours, MeanColour

folder, log = Path(sys.argv[1]), Path(sys.argv[2])

class Counted(MeanColour):
    def encode(self, images):
        features = super().encode(images)
        with log.open("a") as file:
            file.write("forward\\n")
        time.sleep(0.02)
        return features

class Counting(Colours):
    def load(self, argument, *, layer, device, dtype):
        return Counted(type(self), layer, dtype)

extraction.BACKBONES = {"colours": Counting}
got = extraction.extract(sorted(folder.glob("*.png")), backbone="colours:x", cache=folder / "cache")
print(len(got.features))
"""


def started(folder: Path, log: Path) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", EXTRACT, folder, log],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )


def lines(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_an_extraction_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    images, log = many(tmp_path, 400), tmp_path / "log"
    for kill in range(1, 6):
        process = started(tmp_path, log)
        while process.poll() is None and lines(log) < 6 * kill:
            time.sleep(0.005)
        process.kill()
        process.communicate()
    process = started(tmp_path, log)
    assert process.communicate(timeout=120)[0] == "400\n"
    assert len(images) / 8 <= lines(log) <= len(images) / 8 + 5, "one batch a kill is lost at most"


def test_two_processes_at_once_encode_each_image_once(tmp_path: Path) -> None:
    images, log = many(tmp_path, 160), tmp_path / "log"
    both = [started(tmp_path, log) for _ in range(2)]
    assert [process.communicate(timeout=120)[0] for process in both] == ["160\n", "160\n"]
    assert lines(log) == len(images) / 8


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
