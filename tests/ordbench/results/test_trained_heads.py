from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ordbench
from ordbench.errors import BackboneError, DatasetError, OrdbenchError, SpecError, StoreError
from ordbench.results.archive import write_archive
from ordbench.results.store import Store
from ordbench.runs.predictor import Predictor
from ordbench.runs.record import Record
from ordbench.runs.resources import Locations
from tests.ordbench.conftest import failed


@pytest.fixture
def settings(shared_cache: Path) -> Locations:
    return Locations(cache=shared_cache, device="cpu")


def run_of(trained: Path, head: str) -> Record:
    return next(one for one in Store(trained).records() if one.spec.head == head)


def load(trained: Path, head: str, settings: Locations) -> Predictor:
    return ordbench.load_head(run_of(trained, head).run_id, results=trained, settings=settings)


@pytest.mark.parametrize("head", ["linear", "regression", "coop", "sklearn"])
def test_images_of_the_test_have_the_stored_estimates(
    head: str, trained: Path, faces: Path, settings: Locations
) -> None:
    stored = Store(trained).read_predictions(run_of(trained, head).run_id)
    found = load(trained, head, settings).predict(faces)
    assert len(found) == 20
    assert found.estimate.tolist() == stored.estimates[found.decode][:20].tolist()
    assert found.unit == "years"
    values = np.asarray(stored.rank_values)
    assert np.abs(values[found.rank] - found.estimate).max() <= 0.5
    assert found.rank_name == [found.rank_names[rank] for rank in found.rank]
    if stored.posterior is None:
        assert (found.posterior, found.probability) == (None, None)
    else:
        assert found.posterior is not None
        assert np.array_equal(found.posterior, stored.posterior[:20])
        assert found.probability is not None
        wanted = [row[rank] for row, rank in zip(stored.posterior, found.rank, strict=False)]
        assert found.probability.tolist() == wanted


def test_a_head_that_was_not_kept_is_trained_again_and_that_is_said(
    trained: Path, settings: Locations, caplog: pytest.LogCaptureFixture
) -> None:
    head = load(trained, "sklearn", settings)
    (line,) = caplog.messages
    assert line == f"the head of run {head.facts.run_id} was not kept and is trained again"
    assert head.facts.label == "sklearn:DecisionTreeClassifier"
    assert head.validation.posterior is not None
    assert len(head.validation.posterior) == len(head.validation.ranks) > 0


def test_the_backbone_that_is_named_is_the_one_that_trains_again(
    trained: Path, settings: Locations
) -> None:
    run_id = run_of(trained, "sklearn").run_id
    with pytest.raises(BackboneError, match=r"nowhere\.pt"):
        ordbench.load_head(
            run_id, results=trained, backbone="clip:ViT-B-32@nowhere.pt", settings=settings
        )


def test_a_new_head_that_is_not_that_of_the_record_is_named(
    trained: Path, tmp_path: Path, settings: Locations, caplog: pytest.LogCaptureFixture
) -> None:
    record = run_of(trained, "linear")
    recipe = record.spec.recipe
    assert recipe is not None
    other = recipe.model_copy(update={"min_steps": 5})
    spec = record.spec.model_copy(update={"recipe": other})
    hashes = record.hashes | {"labels": "other"}
    changed = record.model_copy(update={"spec": spec, "hashes": hashes, "kept_head": None})
    predictions = Store(trained).read_predictions(record.run_id)
    Store(tmp_path).write(changed, predictions)
    Store(tmp_path / "bare").write(changed.model_copy(update={"predictions": None}))
    ordbench.load_head(record.run_id, results=tmp_path, settings=settings)
    line = caplog.messages[-1]
    assert line.startswith(
        f"the new head may not be that of run {record.run_id}: the same description"
    )
    assert "by other labels; a test image's probability differs by up to 0." in line
    ordbench.load_head(record.run_id, results=tmp_path / "bare", settings=settings)
    assert caplog.messages[-1].endswith("; there are no stored predictions to compare with")


@pytest.mark.parametrize(
    ("damage", "said"), [(None, "No such file or directory"), (b"x", "its SHA-256 is not ")]
)
def test_a_lost_or_damaged_file_is_named_and_the_head_is_trained_again(
    trained: Path,
    tmp_path: Path,
    settings: Locations,
    caplog: pytest.LogCaptureFixture,
    damage: bytes | None,
    said: str,
) -> None:
    record, store = run_of(trained, "linear"), Store(tmp_path)
    store.keep(record, Store(trained).files(record))
    path = next(tmp_path.rglob("*.safetensors"))
    path.unlink() if damage is None else path.write_bytes(damage)
    again = ordbench.load_head(record.run_id, results=tmp_path, settings=settings)
    (line,) = caplog.messages
    assert f"cannot be used ({path}: {said}" in line
    assert again.facts == load(trained, "linear", settings).facts


def test_the_file_alone_is_enough(trained: Path, faces: Path, settings: Locations) -> None:
    record = run_of(trained, "linear")
    assert record.kept_head is not None
    path = next(trained.rglob(record.kept_head.file))
    for name in (path, str(path)):
        found = ordbench.load_head(name, results="nowhere", settings=settings).predict(faces)
        assert (
            found.estimate.tolist()
            == load(trained, "linear", settings).predict(str(faces)).estimate.tolist()
        )


def test_images_of_pillow_are_read_as_files_are(
    trained: Path, faces: Path, settings: Locations
) -> None:
    head = load(trained, "linear", settings)
    paths = sorted(faces.iterdir())[:3]
    images = [Image.open(path).copy() for path in paths]
    of_files = head.predict(paths)
    found = head.predict([images[0], paths[1], images[2]])
    assert found.images == ["image 0", str(paths[1]), "image 2"]
    assert found.posterior is not None
    assert of_files.posterior is not None
    assert np.array_equal(found.posterior, of_files.posterior)
    alone = head.predict(images[2])
    assert alone.posterior is not None
    assert np.array_equal(alone.posterior[0], of_files.posterior[2])
    turned = images[2].copy().rotate(180)
    turned.getexif()[274] = 3  # upside down, which is set right
    of_turned = head.predict([turned, images[0].convert("CMYK")])
    assert of_turned.posterior is not None
    assert np.array_equal(of_turned.posterior[0], of_files.posterior[2])


def test_features_are_predicted_as_their_images(trained: Path, settings: Locations) -> None:
    head = load(trained, "linear", settings)
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(5, head.facts.in_features, generator=generator)
    found = head.predict_features(features)
    assert found.images == ["0", "1", "2", "3", "4"]
    for other in (features.numpy(), features.double(), features.tolist()):
        assert head.predict_features(other).estimate.tolist() == found.estimate.tolist()
    means = head.predict_features(features, decode="mean")
    assert found.posterior is not None
    wanted = found.posterior.astype(np.float64) @ np.asarray(found.rank_values)
    assert means.estimate == pytest.approx(wanted, rel=1e-5)
    frame = means.to_frame()
    assert list(frame.columns) == ["image", "estimate", "rank", "probability", "posterior"]


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (np.zeros((2, 3)), r"features must be \(N, \d+\), got \(2, 3\)"),
        (np.zeros(3), r"got \(3,\)"),
        (np.zeros((0, 256)), r"got \(0, 256\)"),
        (np.full((2, 256), np.nan), "finite numbers, got another one in row 0"),
    ],
)
def test_other_features_are_refused(
    trained: Path, settings: Locations, features: np.ndarray, said: str
) -> None:
    head = load(trained, "linear", settings)
    if features.shape[-1] == 256:
        features = np.resize(features, (len(features), head.facts.in_features))
        said = said.replace("256", str(head.facts.in_features))
    with pytest.raises(SpecError, match=said):
        head.predict_features(features)


def test_images_that_cannot_be_read_are_skipped_by_name(
    trained: Path, faces: Path, tmp_path: Path, settings: Locations
) -> None:
    head = load(trained, "linear", settings)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    (tmp_path / "notes.txt").write_text("x")
    found = head.predict([tmp_path / "broken.png", faces / "00.png", tmp_path / "notes.txt"])
    assert found.images == [str(faces / "00.png")]
    assert {name: why.split(" (")[0] for name, why in found.skipped} == {
        str(tmp_path / "notes.txt"): "'.txt' is not the ending of an image file",
        str(tmp_path / "broken.png"): "cannot be decoded",
    }
    with pytest.raises(DatasetError, match=r"^not one image can be read: .*notes.txt: "):
        head.predict(tmp_path / "notes.txt")
    with pytest.raises(DatasetError, match="none of 1 image can be decoded"):
        head.predict(tmp_path)
    with pytest.raises(SpecError, match="paths or images of Pillow, got ndarray"):
        head.predict(np.zeros((2, 4, 4, 3)))  # type: ignore[arg-type]  # by mistake
    with pytest.raises(DatasetError, match=r"^there is no image in what was named"):
        head.predict([])


def test_other_weights_are_refused(trained: Path, faces: Path, settings: Locations) -> None:
    head = load(trained, "linear", settings)
    facts = head.facts.model_copy(update={"fingerprint": "0" * 64})
    other = Predictor(head.head, facts, head.validation, settings=settings)
    with pytest.raises(BackboneError, match=r"tiny has other weights .* was trained with .000"):
        other.predict(faces)


def test_a_head_on_given_features_takes_features_only(
    trained: Path, faces: Path, settings: Locations
) -> None:
    head = load(trained, "linear", settings)
    facts = head.facts.model_copy(update={"backbone": "none", "fingerprint": ""})
    given = Predictor(head.head, facts, head.validation, settings=settings)
    with pytest.raises(SpecError, match=r"on features \(predict_features in Python"):
        given.predict(faces)
    assert len(given.predict_features(np.ones((1, facts.in_features)))) == 1


def test_what_is_no_run_with_a_head_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"no head")
    Store(tmp_path).write(failed(3))
    for run, error, said in [
        ("ffff", StoreError, "^no run ffff in "),
        (tmp_path / "a.safetensors", StoreError, "a.safetensors cannot be used: it is not a head"),
        (tmp_path / "b.safetensors", StoreError, "b.safetensors: No such file"),
        (failed(3).run_id, StoreError, "failed and has no head: out of memory"),
    ]:
        results = tmp_path if run == failed(3).run_id else trained
        with pytest.raises(error, match=said):
            ordbench.load_head(run, results=results)
    assert issubclass(StoreError, OrdbenchError)


def test_a_device_that_is_not_there_is_not_blamed_on_the_file(
    trained: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SpecError, match="--device tpu"):
        load(trained, "linear", Locations(device="tpu"))
    assert caplog.messages == []


def test_an_archive_has_no_heads(
    trained: Path, tmp_path: Path, settings: Locations, caplog: pytest.LogCaptureFixture
) -> None:
    archive = tmp_path / "all.jsonl.gz"
    write_archive(Store(trained).records(), archive)
    found = load(trained, "linear", settings)
    again = ordbench.load_head(found.facts.run_id, results=archive, settings=settings)
    assert again.facts == found.facts
    assert "is not in the archive and is trained again" in caplog.messages[0]
