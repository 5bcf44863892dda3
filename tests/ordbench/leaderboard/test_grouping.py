from collections.abc import Callable

import pytest

from ordbench.leaderboard.grouping import (
    Columns,
    Facts,
    asked,
    column_facts,
    newest,
    row_facts,
    setting,
    table_facts,
    titles,
    worth_saying,
)
from ordbench.results.rows import RunRow, group_by_cell

FlatRun = Callable[..., RunRow]


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "morph"},
        {"dataset_options": {"setting": "b"}},
        {"image_hash": "i1"},
        {"label_hash": "l1"},
        {"split": "s1"},
        {"backbone": "timm:resnet50"},
        {"backbone_hash": "b1"},
        {"layer": "pre"},
        {"normalize": True},
        {"dtype": "bfloat16"},
        {"protocol": "paper"},
        {"fold": 1},
        {"other": {"test_dataset": "morph"}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_runs_that_differ_in_this_have_tables_of_their_own(
    flat_run: FlatRun, changes: dict[str, object]
) -> None:
    one, other = flat_run(), flat_run(**changes)
    assert table_facts(one, "shots", pool_folds=False) != table_facts(
        other, "shots", pool_folds=False
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"head_options": {"base_ranks": 5}},
        {"recipe": {"epochs": 5}},
        {"text": "clip:RN50", "text_hash": "t1"},
        {"head_hash": "c1"},
        {"label": "coral:x=1"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_runs_that_differ_in_this_have_rows_of_their_own(
    flat_run: FlatRun, changes: dict[str, object]
) -> None:
    one, other = flat_run(), flat_run(**changes)
    assert row_facts(one) != row_facts(other)
    assert table_facts(one, "shots", pool_folds=False) == table_facts(
        other, "shots", pool_folds=False
    )


def test_runs_that_differ_in_seeds_share_a_cell(flat_run: FlatRun) -> None:
    one, other = flat_run(seed=0), flat_run(seed=1)
    for facts in (row_facts, lambda run: column_facts(run, "shots", pool_folds=False)):
        assert facts(one) == facts(other)


def test_folds_are_pooled_only_on_request(flat_run: FlatRun) -> None:
    one, other = (table_facts(flat_run(fold=fold), "shots", pool_folds=True) for fold in (0, 1))
    assert one == other


@pytest.mark.parametrize("columns", ["shots", "dataset"])
def test_folds_that_came_in_files_are_pooled_too_but_not_with_drawn_ones(
    flat_run: FlatRun, columns: Columns
) -> None:
    def facts(run: RunRow) -> tuple[Facts, Facts]:
        return (
            table_facts(run, columns, pool_folds=True),
            column_facts(run, columns, pool_folds=True),
        )

    first, second = (flat_run(fold=fold, split=f"{fold}" * 64) for fold in (0, 1))
    assert facts(first) == facts(second)
    assert facts(first) != facts(flat_run(fold=0))


def test_shots_and_datasets_change_places(flat_run: FlatRun) -> None:
    run = flat_run(shots=4)
    assert column_facts(run, "shots", pool_folds=False) == (("shots", "4-shot"),)
    assert table_facts(run, "dataset", pool_folds=False)[0] == ("shots", "4-shot")
    assert column_facts(run, "dataset", pool_folds=False)[0] == ("dataset", "fgnet")
    assert table_facts(run, "shots", pool_folds=False)[0] == ("dataset", "FG-NET (fgnet)")


def test_a_run_that_was_done_again_counts_once_and_the_last_time(flat_run: FlatRun) -> None:
    old = flat_run(created="2026-11-21T00:00:00+00:00", head_hash="old")
    new = flat_run(created="2026-11-22T00:00:00+00:00")
    other_seed = flat_run(created="2026-11-20T00:00:00+00:00", seed=1)
    (current,), (older,) = newest(group_by_cell([new, old, other_seed]))
    assert [*current.rows()] == [new, other_seed]
    assert [*older.rows()] == [old]
    assert asked(old) == asked(new)


def test_a_run_on_other_images_does_not_replace_one(flat_run: FlatRun) -> None:
    runs = [flat_run(), flat_run(image_hash="i1"), flat_run(label_hash="l1")]
    cells, older = newest(group_by_cell(runs))
    assert (len(cells), older) == (3, [])


def test_a_title_says_what_differs_and_a_hash_only_if_nothing_else_does(
    flat_run: FlatRun,
) -> None:
    runs = [
        flat_run(text="clip:RN50", text_hash="t1"),
        flat_run(text="", text_hash="t2"),
        flat_run("linear", recipe={"epochs": 5}),
        flat_run("linear", recipe={"epochs": 5}, head_hash="new"),
        flat_run("alone", recipe={"epochs": 9}),
    ]
    assert titles([row_facts(run) for run in runs]) == [
        "coral (text encoder=clip:RN50)",
        "coral (text encoder=own)",
        "linear (source hash=c0)",
        "linear (source hash=new)",
        "alone",
    ]


def test_an_option_that_only_one_has_is_said_where_it_is(flat_run: FlatRun) -> None:
    runs = [flat_run(head_options={"base_ranks": 5}), flat_run()]
    assert titles([row_facts(run) for run in runs]) == ["coral (base_ranks=5)", "coral"]


def test_a_caption_always_says_the_setting_and_the_rest_only_if_it_differs(
    flat_run: FlatRun,
) -> None:
    runs = [flat_run(), flat_run(normalize=True)]
    facts = [table_facts(run, "shots", pool_folds=False) for run in runs]
    alone = {
        "dataset": "FG-NET (fgnet)",
        "backbone": "clip:tiny",
        "layer": "post",
        "dtype": "float32",
        "protocol": "standard",
        "fold": "0",
    }
    assert worth_saying(facts[:1]) == [alone]
    assert worth_saying(
        [table_facts(flat_run(other={"test_dataset": "morph"}), "shots", pool_folds=False)]
    ) == [alone | {"test dataset": "morph"}]
    assert worth_saying(facts) == [alone | {"unit length": "no"}, alone | {"unit length": "yes"}]


def test_options_of_a_dataset_are_said_where_its_tables_differ_in_them(flat_run: FlatRun) -> None:
    runs = [flat_run(dataset_options={"per_rank": number}) for number in (5, 9)]
    other = flat_run(dataset="morph", title="MORPH", dataset_options={"setting": "A"})
    facts = [table_facts(run, "shots", pool_folds=False) for run in (*runs, other)]
    options = [said.get("dataset options") for said in worth_saying(facts)]
    assert options == ["per_rank=5", "per_rank=9", None]
    assert [said.get("dataset options") for said in worth_saying(facts[1:])] == [None, None]


def test_what_only_other_tables_have_is_said_to_be_none(flat_run: FlatRun) -> None:
    facts = [table_facts(flat_run(split=hash), "shots", pool_folds=False) for hash in ("", "s1")]
    assert [said["split hash"] for said in worth_saying(facts)] == ["none", "s1"]


@pytest.mark.parametrize(
    "changes",
    [{"seed": 3}, {"created": "x"}, {"error": "x"}, {"seconds_fit": 1.0}, {"baseline": {"x": 1.0}}],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_said_of_one_run_is_said_of_its_cell(
    flat_run: FlatRun, changes: dict[str, object]
) -> None:
    one, other = flat_run(), flat_run(**changes)
    assert row_facts(one) == row_facts(other)
    for columns in ("shots", "dataset"):
        columned = [column_facts(run, columns, pool_folds=False) for run in (one, other)]
        assert columned[0] == columned[1]
        facts = [table_facts(run, columns, pool_folds=False) for run in (one, other)]
        assert facts[0] == facts[1]
    assert setting(one) == setting(other)


def test_the_latest_cell_comes_last_in_whatever_order_they_came(flat_run: FlatRun) -> None:
    runs = [flat_run(shots=shots, created=f"2026-11-{30 - shots}") for shots in (1, 2, 4)]
    for cells in (group_by_cell(runs), group_by_cell(runs[::-1])):
        assert [cell.first.shots for cell in newest(cells)[0]] == [4, 2, 1]


def test_the_hash_of_a_given_split_is_said_even_of_one_table(flat_run: FlatRun) -> None:
    drawn, given = (
        table_facts(flat_run(split=split), "shots", pool_folds=False) for split in ("", "s1")
    )
    assert "split hash" not in worth_saying([drawn])[0]
    assert worth_saying([given])[0]["split hash"] == "s1"
