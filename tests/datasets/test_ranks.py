from __future__ import annotations

import pytest

from ordbench.errors import DatasetError, SpecError
from ordbench_datasets._ranks import Ranks, order, plain


def ordered(labels: list[str], given: str = "") -> Ranks:
    return order(labels, given, where="here", write="folder:here")


def test_numbers_stand_by_value_and_not_by_alphabet() -> None:
    assert ordered(["10", "9", "2", "100"]).names == ("2", "9", "10", "100")
    assert ordered(["0.5", "-1", "10"]).values == (-1.0, 0.5, 10.0)


@pytest.mark.parametrize(
    ("label", "name"),
    [("007", "7"), ("7.0", "7"), ("+7", "7"), ("-0.50", "-0.5"), (" low ", "low"), ("1e3", "1e3")],
)
def test_one_number_has_one_name(label: str, name: str) -> None:
    assert plain(label) == name


@pytest.mark.parametrize("label", ["10 years", "1e3", "1_0", "nan", "inf", "low", "٣"])
def test_what_is_not_strictly_a_number_needs_an_order(label: str) -> None:
    with pytest.raises(DatasetError) as caught:
        ordered([label, "3"])
    assert str(caught.value) == (
        f"here has ranks that are no numbers, so their order is unknown: '3', {label!r}; "
        'write folder:here:ranks="LOWEST;...;HIGHEST"'
    )


def test_words_stand_in_the_order_given() -> None:
    ranks = ordered(["high", "low", "mid"], "low; mid ;high")
    assert (ranks.names, ranks.values) == (("low", "mid", "high"), (0.0, 1.0, 2.0))
    assert ranks.note() == "ranks in the order given: low < mid < high"


def test_rising_numbers_keep_their_values_and_others_count_from_nought() -> None:
    assert ordered(["1", "10"], "01;10").values == (1.0, 10.0)
    assert ordered(["1", "10"], "10;1").values == (0.0, 1.0)


def test_a_rank_that_the_order_lacks_is_named() -> None:
    with pytest.raises(DatasetError, match="ranks='low;high' does not name: 'mid'; add them"):
        ordered(["low", "mid", "high"], "low;high")


def test_a_rank_may_have_no_images() -> None:
    assert ordered(["1", "3"], "1;2;3").names == ("1", "2", "3")


def test_an_order_that_names_a_rank_twice_is_refused() -> None:
    with pytest.raises(SpecError, match="names 'low' twice"):
        ordered(["low"], "low;high;low")


def test_many_ranks_are_shown_short() -> None:
    assert ordered([str(n) for n in range(20)]).note() == (
        "ranks by number: 0 < 1 < 2 < 3 < ... < 17 < 18 < 19"
    )


def test_the_task_has_neutral_words_where_none_are_given() -> None:
    task = ordered(["1", "2"]).task("", "")
    assert (task.unit, task.context) == ("units", "the rank of this image is")
    assert ordered(["good", "bad"], "good;bad").task("", "").unit == "ranks"
    task = ordered(["1", "2"]).task("years", "the age is")
    assert (task.unit, task.context) == ("years", "the age is")
