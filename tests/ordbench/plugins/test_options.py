from typing import Literal

import pytest

from ordbench.errors import SpecError
from ordbench.plugins.options import resolve
from ordbench.recipe import OptionValue


class Plugin:
    def __init__(
        self,
        problem: object,
        *,
        base_ranks: int = 3,
        kl_weight: float = 1.0,
        how: Literal["linear", "inverse"] = "linear",
        context: str | None = None,
        specific: bool = False,
    ) -> None: ...


def resolved(**given: OptionValue) -> dict[str, OptionValue]:
    return resolve(Plugin, given, owner="head 'x'")


def test_defaults_are_filled_in_and_strings_become_what_is_declared() -> None:
    assert resolved(base_ranks="5", specific="true") == {
        "base_ranks": 5,
        "kl_weight": 1.0,
        "how": "linear",
        "context": None,
        "specific": True,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"base_rank": "5"}, r"head 'x' has no option 'base_rank'; did you mean base_ranks"),
        ({"base_ranks": "five"}, r"head 'x', option base_ranks='five': wanted a whole number$"),
        ({"kl_weight": "inf"}, r"head 'x', option kl_weight='inf': wanted a finite number$"),
        ({"kl_weight": float("nan")}, r"head 'x', option kl_weight=nan: wanted a finite number$"),
        ({"how": "cubic"}, r"head 'x', option how='cubic': wanted 'linear' or 'inverse'$"),
        ({"problem": "1"}, r"has no option 'problem'; available: base_ranks, .*, specific$"),
        ({"a": "b/l.csv"}, r"has no option 'a'; .*; if a=b/l\.csv is a path, write \./a=b/l\.csv$"),
    ],
)
def test_what_is_not_declared_is_refused_by_name(
    given: dict[str, OptionValue], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        resolved(**given)


@pytest.mark.parametrize(
    ("typed", "hidden"),
    [("", ()), ("64", (64,)), ("64;32", (64, 32))],
)
def test_a_list_may_have_any_length(typed: str, hidden: tuple[int, ...]) -> None:
    class Layers:
        def __init__(self, *, hidden: tuple[int, ...] = (8,)) -> None: ...

    assert resolve(Layers, {"hidden": typed}, owner="head 'x'") == {"hidden": hidden}
    with pytest.raises(SpecError, match=r"option hidden='wide': wanted a whole number$"):
        resolve(Layers, {"hidden": "wide"}, owner="head 'x'")


def test_a_class_without_init_takes_no_options() -> None:
    class Bare:
        pass

    assert resolve(Bare, {}, owner="protocol 'x'") == {}
    with pytest.raises(SpecError, match="protocol 'x' has no option 'k'"):
        resolve(Bare, {"k": 1}, owner="protocol 'x'")
