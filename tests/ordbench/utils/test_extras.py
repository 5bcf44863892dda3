from pathlib import Path

import pytest

from ordbench.errors import SpecError
from ordbench.utils.extras import extra


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(SpecError, match=r"^no_such is not .*; run: pip install 'ordbench\[no_such"):
        extra("no_such.part")


def test_a_folder_that_is_called_as_the_package_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_a_folder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpecError, match=r"^only_a_folder is not .*; run: .*'ordbench\[short\]'"):
        extra("only_a_folder", "short")
