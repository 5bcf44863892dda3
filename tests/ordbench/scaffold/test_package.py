"""New packages: which names can be used, and that all of it is written or nothing."""

import ast
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from ordbench.errors import OrdbenchError, SpecError, StoreError
from ordbench.scaffold.package import Kind, new_package


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_package_says_what_it_brings(kind: Kind, tmp_path: Path) -> None:
    folder = new_package(kind, "soft-x_2", tmp_path / "a" / "b")
    assert folder == tmp_path / "a" / "b"
    assert [file.name for file in sorted(folder.iterdir())] == [
        "README.md",
        "pyproject.toml",
        "soft_x_2.py",
        "test_soft_x_2.py",
    ]
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["entry-points"] == {
        f"ordbench.{kind}s": {"soft-x_2": "soft_x_2:SoftX2"}
    }
    classes = [
        node.name
        for node in ast.parse((folder / "soft_x_2.py").read_text()).body
        if isinstance(node, ast.ClassDef)
    ]
    assert classes[-1] == "SoftX2"
    commands = [
        line for line in (folder / "README.md").read_text().splitlines() if line.startswith("$ ")
    ]
    assert len(commands) == 3
    assert commands[1].startswith(f"$ ordbench check-{kind} soft-x_2")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Mine", "wanted lower-case letters and digits, with hyphens"),
        ("my--head", "wanted lower-case letters"),
        ("../mine", "wanted lower-case letters"),
        ("a:b", "wanted lower-case letters"),
        ("", "wanted lower-case letters"),
        ("linear", "there is a head 'linear' already, of ordbench"),
        ("lambda", "its module could not be called 'lambda'"),
        ("json", "its module could not be called 'json'"),
        ("setup", "its module could not be called 'setup'"),
        ("all", "its module could not be called 'all'"),
        ("numpy", "its module could not be called 'numpy'.* such as my-numpy"),
        ("tensor", "its class Tensor would hide what the module imports.* such as my-tensor"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_line(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=said) as caught:
        new_package("head", name)
    assert "\n" not in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(SpecError, match="exists already; name another folder"):
        new_package("head", "mine", tmp_path / "mine")
    assert not [*(tmp_path / "mine").iterdir()]


def test_nothing_is_left_of_a_package_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *arguments: object, **options: object) -> int:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StoreError, match=r"cannot write .*mine: No space left") as caught:
        new_package("head", "mine", tmp_path / "mine")
    assert isinstance(caught.value, OrdbenchError)
    assert not [*tmp_path.iterdir()]
