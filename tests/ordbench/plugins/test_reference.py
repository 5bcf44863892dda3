import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordbench.errors import SpecError
from ordbench.plugins.reference import PluginRef
from ordbench.utils.text import items, split


@pytest.mark.parametrize(
    ("text", "name", "argument", "options"),
    [
        ("coral", "coral", "", {}),
        ("folder:photos/mine", "folder", "photos/mine", {}),
        ("clip:ViT-B-32@C:/weights.pt", "clip", "ViT-B-32@C:/weights.pt", {}),
        ('folder:x:ranks="a;b":unit=mm', "folder", "x", {"ranks": "a;b", "unit": "mm"}),
        ('coop:context="a, b: c"', "coop", "", {"context": "a, b: c"}),
        ("x:base-ranks=5", "x", "", {"base_ranks": "5"}),
        ('csv:"a=b,c.csv":unit=mm', "csv", "a=b,c.csv", {"unit": "mm"}),
        ('coop:context=" a "', "coop", "", {"context": " a "}),
    ],
)
def test_a_choice_is_name_argument_and_options(
    text: str, name: str, argument: str, options: dict[str, str]
) -> None:
    assert PluginRef.parse(text) == PluginRef(name, argument, options)


WORDS = st.text("abcxyz ,:;=", max_size=8)


@given(st.dictionaries(st.sampled_from(["base_ranks", "context", "unit"]), WORDS), WORDS)
def test_what_is_printed_is_read_back(options: dict[str, str], argument: str) -> None:
    ref = PluginRef("ordinalclip", argument, options)
    assert PluginRef.parse(str(ref)) == ref
    assert items([f"{ref},{ref}"]) == [str(ref)]  # one item of a list, too


@pytest.mark.parametrize("text", ["", ":x", "coral:a=1:a=2"])
def test_a_choice_without_name_or_with_a_doubled_option_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        PluginRef.parse(text)


def test_a_comma_in_quotes_does_not_split() -> None:
    assert split('a:x="1,2",b', ",") == ['a:x="1,2"', "b"]
