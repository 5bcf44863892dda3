from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from ordbench.data.status import status_of, statuses
from ordbench.errors import UnknownPluginError
from ordbench.plugins.registry import DATASETS
from ordbench_datasets.utkface import UtkFace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two faces of UTKFace, a folder of FG-NET that holds something else, and an empty one."""
    for folder in ("UTKFace/part1", "fgnet", "morph/images"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("26_0_2_20170104023102422.jpg", "30_1_0_20170104023102423.jpg"):
        Image.new("RGB", (4, 4)).save(tmp_path / "UTKFace" / "part1" / name)
    (tmp_path / "fgnet" / "notes.txt").write_text("x")
    return tmp_path


def test_each_dataset_is_here_missing_unusable_or_the_users_own(root: Path) -> None:
    found = {one.name: one for one in statuses(root, root / "cache")}
    assert found.keys() == set(DATASETS)
    here = found["utkface"]
    assert (here.state, here.images, here.ranks) == ("here", 2, 116)
    assert here.folder == root / "UTKFace"
    assert here.licence == UtkFace.card.licence
    unusable = found["fgnet"]
    assert unusable.state == "unusable"
    assert unusable.reason.startswith("got 1 other file, first 'notes.txt' (")
    assert (found["morph"].state, found["morph"].reason) == ("missing", "")
    assert (found["afad"].state, found["afad"].folder) == ("missing", root / "afad")
    assert (found["csv"].state, found["csv"].folder) == ("your own", None)
    drawn = found["drawn-faces"]
    assert (drawn.state, drawn.folder) == ("here", root / "cache" / "drawn-faces")
    assert not (root / "cache").exists(), "nothing is drawn to say that it can be"


def test_a_plugin_that_cannot_be_used_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DATASETS, "_fault", lambda plugin: "it has no card")
    found = status_of("utkface", tmp_path)
    assert found.state == "unusable"
    assert found.reason.endswith("cannot be used: it has no card")


def test_a_reader_that_breaks_down_is_a_row(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UtkFace, "card", replace(UtkFace.card, grouped=True))
    found = status_of("utkface", root)
    assert found.state == "unusable"
    assert "do not say whom they show" in found.reason


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownPluginError, match="did you mean utkface"):
        status_of("utkfaces", tmp_path)
