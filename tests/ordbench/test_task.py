import pytest

from ordbench.errors import DatasetError
from ordbench.task import Task


@pytest.mark.parametrize(
    ("names", "values", "message"),
    [
        (("7",), (7.0,), "at least 2 ranks, got 1"),
        (("a", "b"), (1.0,), "2 rank_names but 1 rank_values; give each"),
        (("a", "b"), (2.0, 1.0), "must rise"),
        (("a", "b"), (1.0, float("nan")), "must rise"),
    ],
)
def test_ranks_that_have_no_order_are_refused(
    names: tuple[str, ...], values: tuple[float, ...], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        Task(rank_names=names, rank_values=values, unit="years", context="it is")
