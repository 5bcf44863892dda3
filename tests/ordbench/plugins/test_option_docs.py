import pytest

from ordbench.plugins.option_docs import OptionDoc, about, option_docs


class Base:
    """The base of all.

    Args:
        first: Said by the base,
            on two lines.
        second: Said by both.
    """

    def __init__(self, *, first: int = 1, second: bool = True) -> None: ...


class Plugin(Base):
    """Knows `all` of it.

    In two paragraphs.

    Args:
        argument: What is typed after the name.
        first: As in `Base`.
        second: Said by ``Plugin``.
        parameters: Anything else.

    Raises:
        ValueError: Never.
    """

    def __init__(
        self,
        *,
        argument: str,
        first: int,
        second: bool = False,
        third: tuple[int, ...] | None = (1, 2),
        **parameters: object,
    ) -> None: ...


class Silent(Base):
    pass


def test_options_are_described_by_the_nearest_class_that_says_something() -> None:
    assert option_docs(Plugin) == [
        OptionDoc("first", "int", None, "Said by the base, on two lines."),
        OptionDoc("second", "true or false", "false", "Said by Plugin."),
        OptionDoc("third", "list of int or none", "1;2", ""),
        OptionDoc("KEY", "any", None, "Anything else."),
    ]
    assert [option.help for option in option_docs(Silent)] == [
        "Said by the base, on two lines.",
        "Said by both.",
    ]


@pytest.mark.parametrize(
    ("plugin", "text"), [(Plugin, "Knows all of it.\n\nIn two paragraphs."), (Silent, "")]
)
def test_what_a_class_is_about_is_its_own_docstring_without_sections(
    plugin: type, text: str
) -> None:
    assert about(plugin) == text


def test_a_class_without_init_has_no_options() -> None:
    class Bare:
        pass

    assert option_docs(Bare) == []
