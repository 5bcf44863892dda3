import pytest

from ordbench.errors import SpecError
from ordbench.utils.extras import extra


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(SpecError, match=r"^no_such is not .*; run: pip install 'ordbench\[no_such"):
        extra("no_such.part")
