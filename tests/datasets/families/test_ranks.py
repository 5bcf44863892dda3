from __future__ import annotations

import pytest

from ordbench.errors import DatasetError, SpecError
from ordbench_datasets.families.ranks import Ranks, continuous, order, plain


def ordered(labels: list[str], given: str = "") -> Ranks:
    return order(labels, given, where="here", write="folder:here")


def test_numbers_stand_by_value_and_not_by_alphabet() -> None:
    assert ordered(["10", "9", "2", "100"]).names == ("2", "9", "10", "100")
    assert ordered(["0.5", "-1", "10"]).values == (-1.0, 0.5, 10.0)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("007", "7"),
        ("7.0", "7"),
        ("+7", "7"),
        ("-0", "0"),
        ("-0.50", "-0.5"),
        ("\N{MINUS SIGN}5", "-5"),
        (".5", "0.5"),
        ("1.", "1"),
        ("1e-05", "0.00001"),
        ("1E+3", "1000"),
        ("9007199254740993", "9007199254740993"),
        ("1e400", "1e400"),
        (" low ", "low"),
        ("e\N{COMBINING ACUTE ACCENT}", "\xe9"),
    ],
)
def test_one_number_has_one_name(label: str, name: str) -> None:
    assert plain(label) == name


@pytest.mark.parametrize(
    "label", ["nan", "inf", "1e400", "0e99999999999999999999", "low", "\u0663"]
)
def test_what_is_not_strictly_a_number_needs_an_order(label: str) -> None:
    with pytest.raises(DatasetError) as caught:
        ordered([label, "3"] if label != "1e400" else [label, "1"])
    assert str(caught.value).startswith("here has ranks that are no numbers, so their order is")


def test_words_are_refused_with_a_line_to_fill_in() -> None:
    with pytest.raises(DatasetError) as caught:
        ordered(["low", "3"])
    assert str(caught.value) == (
        "here has ranks that are no numbers, so their order is unknown: '3', 'low'; "
        'write folder:here:ranks="LOWEST;...;HIGHEST"'
    )


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        (["Mayo 2", "Mayo 10", "Mayo 0"], "Mayo 0;Mayo 2;Mayo 10"),
        (["20-39", "0-19", "60+", "40-59"], "0-19;20-39;40-59;60+"),
        (["20-39", ">40", "<20"], "<20;20-39;>40"),
        (["60-80", "over 80", "up to 60"], "up to 60;60-80;over 80"),
        (["-1 to 0", "-10 to -2", "1 to 5"], "-10 to -2;-1 to 0;1 to 5"),
        (["\N{MINUS SIGN}5 dB", "3 dB"], "\N{MINUS SIGN}5 dB;3 dB"),
        (["6-11 months", "0-5 months"], "0-5 months;6-11 months"),
        (["a;2", "a;1"], r"a\;1;a\;2"),
    ],
)
def test_numbers_in_words_suggest_the_line_to_paste(labels: list[str], line: str) -> None:
    with pytest.raises(DatasetError) as caught:
        ordered(labels)
    assert str(caught.value).endswith(
        f"; if this is their order, write --dataset 'folder:here:ranks=\"{line}\"'"
    )
    assert ordered(labels, line).unit == "ranks"
    assert set(ordered(labels, line).names) == set(labels)


@pytest.mark.parametrize(
    "labels",
    [
        ["1a", "1b"],
        ["1,000", "900 "],
        ["1 000", "9 x"],
        ["a", "x 1"],
        ["1\N{RIGHT SINGLE QUOTATION MARK}000", "500"],
        ["1_000", "500"],
        ["6 months", "1 year"],
        ["900", "5k"],
        ["1/2", "2/5"],
    ],
)
def test_no_order_is_suggested_where_the_numbers_leave_it_open(labels: list[str]) -> None:
    with pytest.raises(DatasetError, match=r'write folder:here:ranks="LOWEST;\.\.\.;HIGHEST"'):
        ordered(labels)


def test_a_decimal_comma_is_named() -> None:
    with pytest.raises(DatasetError, match=r"write decimals with a point, .*ranks=\"1;1,5;2,5\""):
        ordered(["1,5", "2,5", "1"])


def test_numbers_that_are_one_as_floats_are_refused() -> None:
    with pytest.raises(
        DatasetError, match=f"ranks '{2**53}' and '{2**53 + 1}' are the same number in double"
    ):
        ordered([str(2**53 + 1), str(2**53)])


def test_words_stand_in_the_order_given() -> None:
    ranks = ordered(["high", "low", "mid"], "low; mid ;high")
    assert (ranks.names, ranks.values) == (("low", "mid", "high"), (0.0, 1.0, 2.0))
    assert ranks.note() == "ranks in the order given: low < mid < high"


def test_rising_numbers_keep_their_values_and_others_are_only_ranks() -> None:
    rising, falling = ordered(["1", "10"], "01;10"), ordered(["1", "10"], "10;1")
    assert (rising.values, rising.task("", "").unit) == ((1.0, 10.0), "units")
    assert (falling.values, falling.task("", "").unit) == ((0.0, 1.0), "ranks")


@pytest.mark.parametrize("given", ["10;1", "1-5;6-10", "low;high"])
def test_ranks_of_unknown_distance_have_no_unit_of_their_own(given: str) -> None:
    ranks = ordered([], given)
    assert ranks.task("ranks", "").unit == "ranks"
    with pytest.raises(SpecError, match="unit=years: the distances of these ranks are unknown"):
        ranks.task("years", "")


def test_a_name_may_contain_a_semicolon_or_a_comma() -> None:
    ranks = ordered(["a;b", "c, d"], r"a\;b;c, d")
    assert ranks.names == ("a;b", "c, d")


def test_bins_cut_numbers_into_ranks() -> None:
    ranks = order(["7", "20", "39.5", "61"], "", where="here", write="csv:here", bins="20;40;60")
    assert ranks.names == ("below 20", "20 to 40", "40 to 60", "60 or more")
    assert [ranks.rank(label) for label in ("7", "19.99", "20", "39.5", "61")] == [0, 0, 1, 1, 3]
    assert (ranks.values, ranks.task("", "").unit) == ((0.0, 1.0, 2.0, 3.0), "ranks")


@pytest.mark.parametrize(
    ("bins", "given", "message"),
    [
        ("40;20", "", "wanted rising numbers"),
        ("20;x", "", "wanted rising numbers"),
        ("20", "1;2", "exclude each other"),
    ],
)
def test_bins_that_cannot_be_used_are_refused(bins: str, given: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        order(["1", "2"], given, where="here", write="csv:here", bins=bins)


def test_labels_that_are_no_numbers_have_no_bins() -> None:
    with pytest.raises(SpecError, match="here has labels that are no numbers: 'old'"):
        order(["1", "old"], "", where="here", write="csv:here", bins="20")


def test_labels_that_look_continuous_are_named_with_bins_to_paste() -> None:
    labels = [f"{n / 10}" for n in range(200)]
    said = continuous(ordered(labels), "csv:here")
    assert said.startswith("200 distinct labels look continuous, and each is a rank; ")
    line = said.rpartition('bins="')[2].partition('"')[0]
    assert line == "4;8;12;16"
    binned = order(labels, "", where="here", write="csv:here", bins=line)
    assert [sum(binned.rank(label) == rank for label in labels) for rank in range(5)] == [40] * 5
    assert continuous(ordered([str(n) for n in range(101)]), "csv:here") == ""
    assert continuous(ordered(["0.5", "1", "1.5"]), "csv:here") == ""


def test_a_rank_that_the_order_lacks_is_named() -> None:
    with pytest.raises(DatasetError, match="ranks='low;high' does not name: 'mid'; add them"):
        ordered(["low", "mid", "high"], "low;high")


def test_a_rank_of_another_case_is_named_with_the_spelling_given() -> None:
    with pytest.raises(DatasetError, match=r"name: 'Mid'; upper and lower case must .* in 'mid'"):
        ordered(["low", "Mid"], "low;mid")


@pytest.mark.parametrize("label", ["7", "x"])
def test_one_rank_is_too_few(label: str) -> None:
    with pytest.raises(DatasetError, match=f"here: .* at least 2 ranks, got 1: '{label}'; check"):
        ordered([label])


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
    task = ordered(["1", "2"]).task("years", "the age is")
    assert (task.unit, task.context) == ("years", "the age is")
