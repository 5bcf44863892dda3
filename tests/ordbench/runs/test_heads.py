import pytest

from ordbench.errors import SpecError
from ordbench.plugins.registry import HEADS
from ordbench.runs.heads import create_head
from tests.reference.problem import problem


def test_a_head_is_created_by_name_with_its_options() -> None:
    head = create_head("mean-variance", problem(), {"mean_weight": 0.5})
    assert isinstance(head, HEADS["mean-variance"])
    assert head.mean_weight == 0.5


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("knn", {"neighbors": 0}, "head knn: neighbors=0 must be at least 1"),
        ("tip-adapter", {"template": ("?",)}, "head tip-adapter: template='[?]' must contain"),
    ],
)
def test_an_error_names_the_head_as_it_is_typed(
    name: str, options: dict[str, int | tuple[str, ...]], message: str
) -> None:
    with pytest.raises(SpecError, match=f"^{message}"):
        create_head(name, problem(), options)


def test_a_head_knows_what_it_was_created_as() -> None:
    assert create_head("mean-variance", problem(), {}).typed_name == "mean-variance"
    assert HEADS["mean-variance"](problem()).typed_name == "MeanVariance"
