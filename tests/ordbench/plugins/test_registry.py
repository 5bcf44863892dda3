import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ordbench.errors import UnknownPluginError
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS, Registry

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", ["heads", "datasets"])
def test_every_file_is_registered_and_installed(kind: str) -> None:
    folder = ROOT / kind / f"ordbench_{kind}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    modules = {
        value.partition(":")[0].partition(".")[2]
        for value in project["entry-points"][f"ordbench.{kind}"].values()
    }
    assert modules == {file.stem for file in folder.glob("[!_]*.py")}, "edit pyproject.toml"
    names = set(project["entry-points"][f"ordbench.{kind}"])
    assert set(Registry(kind, f"ordbench.{kind}")) >= names, "run: pip install -e ."


def test_it_is_a_read_only_mapping() -> None:
    assert not hasattr(HEADS, "__setitem__")
    assert len(HEADS) == len(list(HEADS))
    assert "coral" in HEADS


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    with pytest.raises(
        UnknownPluginError, match=r"^unknown dataset 'utkfaces'; did you mean utkface\?"
    ):
        DATASETS["utkfaces"]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("./photos", "for a path, write folder:./photos"),
        ("photos", "for a path, write folder:photos"),
        ("photos.zip", "for a path, write folder:photos.zip"),
        ("labels.csv", "for a path, write csv:labels.csv or features:labels.csv"),
        ("some/f.NPZ", "for a path, write features:some/f.NPZ"),
        ("csv=labels.csv", "write csv:labels.csv"),
        ("Drawn-Faces", "did you mean drawn-faces?"),
        ("some/x.doc", "available: "),
    ],
)
def test_a_path_is_answered_with_the_datasets_that_read_such_files(
    name: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    with pytest.raises(UnknownPluginError, match=re.escape(f"unknown dataset {name!r}; {advice}")):
        DATASETS[name]


def test_a_backbone_without_its_family_is_answered_with_the_form() -> None:
    with pytest.raises(UnknownPluginError, match=r"available: clip, .*; write FAMILY:resnet50"):
        BACKBONES["resnet50"]


def test_listing_names_imports_no_plugin() -> None:
    code = (
        "import sys; from ordbench.plugins.registry import HEADS; list(HEADS); "
        "assert not {m for m in sys.modules if m.startswith(('torch', 'ordbench_heads'))}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_registry_answers_as_a_mapping_does() -> None:
    assert "coral" in HEADS
    assert "nothing" not in HEADS
    assert HEADS.get("nothing") is None


def test_asking_for_a_name_imports_no_head() -> None:
    code = (
        "import sys; from ordbench.plugins.registry import HEADS; assert 'coral' in HEADS; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
