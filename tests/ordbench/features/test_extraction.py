import logging
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from ordbench.errors import BackboneError, DatasetError, UnknownPluginError
from tests.reference.colours import Colours, MeanColour, draw, offer, run


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> type[Colours]:
    return offer(monkeypatch)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return draw(tmp_path)


def test_features_are_what_the_backbone_says_in_the_order_given(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    got = run(images, tmp_path)
    torch.testing.assert_close(
        got.features, torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0.2, 0.4, 0.6]])
    )
    assert got.features.dtype == torch.float32
    assert (got.dtype, got.cosine, got.rejected) == ("float32", None, ())
    assert (got.forwards, got.decoded, got.from_cache) == (1, 3, False)
    assert got.fingerprint == "wx"


def test_layer_and_length_are_as_asked(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    plain = run(images, tmp_path).features
    torch.testing.assert_close(run(images, tmp_path, layer="pre").features, plain * 2)
    unit = run(images, tmp_path, normalize=True).features
    torch.testing.assert_close(unit.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(unit * plain.norm(dim=1, keepdim=True), plain)


def test_unreadable_images_are_named_and_left_out_both_times(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    images[1].write_bytes(images[1].read_bytes()[:40])
    missing = tmp_path / "gone.png"
    files = [*images, missing]
    for from_cache in (False, True):
        got = run(files, tmp_path, batch_size=2)
        assert got.from_cache is from_cache
        assert [rejected.name for rejected in got.rejected] == [str(images[1]), str(missing)]
        assert got.rejected[0].reason.startswith("cannot be decoded")
        assert got.rejected[1].reason == "is not there"
        torch.testing.assert_close(got.features, torch.tensor([[1.0, 0, 0], [0.2, 0.4, 0.6]]))
    assert colours.encoded == [2, 2], "batches are filled up"


def test_nothing_readable_is_an_error_that_names_the_first(
    tmp_path: Path, colours: type[Colours]
) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(DatasetError, match=r"none of 1 image .*a\.png, cannot be decoded"):
        run([tmp_path / "a.png"], tmp_path)
    with pytest.raises(DatasetError, match="there are no images to encode"):
        run([], tmp_path)


def test_features_that_are_not_finite_are_refused_and_not_cached(
    images: list[Path], tmp_path: Path, colours: type[Colours], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(colours, "scale", 1e5)  # float16 ends at 65504
    with pytest.raises(BackboneError, match=r"features of 2 of 3 images are not finite in float16"):
        run([*images[:2], images[2]], tmp_path, dtype="float16")
    assert list((tmp_path / "cache").rglob("*.safetensors")) == []


def test_the_cost_of_half_precision_is_measured_once_and_kept(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    got = [run(images, tmp_path, dtype="bfloat16") for _ in range(2)]
    assert colours.loaded == ["bfloat16", "float32"]
    assert got[0].cosine == got[1].cosine
    Image.new("RGB", (5, 7), "blue").save(tmp_path / "new.png")
    run([*images, tmp_path / "new.png"], tmp_path, dtype="bfloat16")
    assert colours.loaded == ["bfloat16", "float32", "bfloat16"], "it is known by now"
    assert got[0].cosine is not None
    # bfloat16 keeps 8 bits, so each of the three numbers is off by 1/512 at most.
    assert 1 - 1e-4 < got[0].cosine < 1


def test_a_poor_cosine_is_warned_of(
    images: list[Path],
    tmp_path: Path,
    colours: type[Colours],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def noisy(tower: MeanColour, images: Tensor) -> Tensor:
        means = images.mean((2, 3))
        return means if tower.dtype == torch.float32 else means.roll(1, dims=1)

    monkeypatch.setattr(MeanColour, "encode", noisy)
    with caplog.at_level(logging.WARNING, logger="ordbench"):
        got = run(images, tmp_path, dtype="bfloat16")
    assert got.cosine == 0, "red was taken for green"
    assert "bfloat16 features of colours:x differ" in caplog.text


def test_progress_is_told_after_each_batch(
    images: list[Path], tmp_path: Path, colours: type[Colours]
) -> None:
    told: list[tuple[int, int]] = []
    run(images, tmp_path, batch_size=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]


def test_an_unknown_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownPluginError, match="unknown backbone 'torchvision'"):
        run([], tmp_path, backbone="torchvision:resnet18")
