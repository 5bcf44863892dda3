import pytest

from ordbench.errors import SpecError
from ordbench.typed_values import parse_numbers, parse_shots


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "few"])
def test_shots_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=f"--shots {text}: wanted"):
        parse_shots([text])


@pytest.mark.parametrize("text", ["4-2", "x", "1-"])
def test_seeds_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=f"--seeds {text}: wanted"):
        parse_numbers([text], "--seeds")
