from pathlib import Path

import pytest
from platformdirs import user_data_path

from ordbench.data.paths import VARIABLE, dataset_folder, resolve_root


def test_the_flag_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/from/variable")
    assert resolve_root(Path("flag")) == Path("flag")
    assert resolve_root(None) == Path("/from/variable")


@pytest.mark.parametrize("empty", [True, False], ids=["empty variable", "no variable"])
def test_without_flag_and_variable_it_is_the_users_own(
    monkeypatch: pytest.MonkeyPatch, empty: bool
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    if not empty:
        monkeypatch.delenv(VARIABLE)
    assert resolve_root(None) == user_data_path("ordbench", appauthor=False)


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv(VARIABLE, "~/data")
    assert resolve_root(None) == resolve_root(Path("~/data")) == Path("/home/ada/data")


def test_a_tilde_of_nobody_is_a_folder_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "~nobody-of-that-name/data")
    assert resolve_root(None) == Path("~nobody-of-that-name/data")


@pytest.mark.parametrize("spelling", ["fgnet", "FGNET", "FG-NET"])
def test_a_dataset_is_found_as_its_archive_spells_it(tmp_path: Path, spelling: str) -> None:
    (tmp_path / spelling).mkdir()
    assert dataset_folder(tmp_path, "fgnet") == tmp_path / spelling


def test_the_exact_name_wins_and_a_doubtful_one_is_not_guessed(tmp_path: Path) -> None:
    for name in ("UTKFace", "UTKFACE"):
        (tmp_path / name).mkdir()
    assert dataset_folder(tmp_path, "utkface") == tmp_path / "utkface"
    (tmp_path / "utkface").mkdir(exist_ok=True)
    assert dataset_folder(tmp_path, "utkface") == tmp_path / "utkface"


def test_the_folder_of_the_dataset_itself_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "UTKFace" / "part1").mkdir(parents=True)
    assert dataset_folder(tmp_path / "UTKFace", "utkface") == tmp_path / "UTKFace"
    assert dataset_folder(tmp_path / "UTKFace", "fgnet") == tmp_path / "UTKFace" / "fgnet"
    monkeypatch.chdir(tmp_path / "UTKFace")
    assert dataset_folder(Path(), "utkface") == Path()
    (tmp_path / "UTKFace" / "utk-face").mkdir()  # one inside wins
    assert dataset_folder(tmp_path / "UTKFace", "utkface") == tmp_path / "UTKFace" / "utk-face"
