import math
from collections.abc import Callable

from ordbench.leaderboard import notes
from ordbench.leaderboard.note_texts import note_text
from ordbench.leaderboard.ranking import Row, Score
from ordbench.results.rows import RunRow, group_by_cell

FlatRun = Callable[..., RunRow]
Words = Callable[..., list[str]]


def in_words(make: Callable[..., list[notes.Note]]) -> Words:
    return lambda *args, **options: [note_text(note) for note in make(*args, **options)]


cell_notes = in_words(notes.cell_notes)
score_notes = in_words(notes.score_notes)
training_notes = in_words(notes.training_notes)
split_notes = in_words(notes.split_notes)
seed_notes = in_words(notes.seed_notes)
history_notes = in_words(notes.history_notes)


def test_a_plain_table_needs_no_remark(flat_run: FlatRun) -> None:
    run = flat_run(mae=1.0)
    assert cell_notes([Row("a", (Score(1.0, None, 1),))], runs=1) == []
    assert score_notes([("coral", "median", [1.0])]) == []
    assert (
        split_notes(group_by_cell([run]))
        == seed_notes([("a", "1-shot", group_by_cell([run])[0])])
        == []
    )
    assert history_notes(group_by_cell([run]), []) == []


def test_marks_gaps_and_counts_are_explained_where_there_are_any() -> None:
    assert cell_notes([Row("a", (Score(1.0, None, 1, "best"), None))], runs=None) == [
        "best bold, second best underlined",
        "\N{EN DASH} no run with this score",
        "runs of those expected in parentheses; only cells with the most are marked",
    ]


def test_heads_without_a_posterior_are_named_once() -> None:
    assert score_notes([("regression", "point", [1.0]), ("regression", "point", [2.0])]) == [
        "point estimate only: regression"
    ]


def test_undefined_scores_are_counted() -> None:
    assert score_notes([("coral", "median", [math.nan, 1.0]), ("linear", "", ())]) == [
        "1 run with an undefined score not shown"
    ]


def test_tuned_heads_and_foreign_text_towers_are_named(flat_run: FlatRun) -> None:
    def said(**recipes: dict[str, object]) -> list[str]:
        return training_notes(
            (head, cell)
            for head, recipe in recipes.items()
            for cell in group_by_cell([flat_run(head, recipe=recipe)])
        )

    tuned: dict[str, object] = {"epochs": 5, "tune_budget": 20, "tune_sampler": "random"}
    assert said(coral={"epochs": 5}, linear={}) == []
    assert said(linear=tuned, coral=tuned) == ["tuned (20 random): coral, linear"]
    assert said(linear=tuned, coral={}, coop={}) == [
        "tuned (20 random): linear",
        "not tuned: coop, coral",
    ]
    prompted = group_by_cell([flat_run("coop", text="clip:RN50")])
    assert training_notes([("coop", prompted[0])]) == ["text encoder clip:RN50: coop"]


def test_splits_that_leak_or_have_too_few_images_are_mentioned(flat_run: FlatRun) -> None:
    assert split_notes(group_by_cell([flat_run(), flat_run(seed=1, leaks=True)])) == [
        "identity leakage: some people are in both test and training/validation"
    ]
    assert split_notes(group_by_cell([flat_run(), flat_run(seed=1, short=True)])) == [
        "some ranks have fewer training images than shots"
    ]
    official = {"division": "official folds"}
    crossed = {"division": "all of morph", "other": {"test_dataset": "morph"}}
    assert split_notes(group_by_cell([flat_run(**official), flat_run(**crossed)])) == [
        "trained on fgnet, tested on all of morph",
        "test images of fgnet: official folds",
    ]
    few = [flat_run(shots=shots, few_validation=9) for shots in (None, 16, 1)]
    assert split_notes(group_by_cell([*few, flat_run(shots=4)])) == [
        "shots 1, 16, all: selected on 9 validation images, so partly by chance"
    ]
    few.append(flat_run(shots=4, few_validation=1))
    assert split_notes(group_by_cell(few)) == [
        "shots 1, 4, 16, all: selected on 1 to 9 validation images, so partly by chance"
    ]
    assert split_notes(group_by_cell(few[-1:])) == [
        "shots 4: selected on 1 validation image, so partly by chance"
    ]


def test_heads_with_other_draws_are_mentioned(flat_run: FlatRun) -> None:
    def said(*seeds: tuple[str, int, int], **changes: object) -> list[str]:
        return seed_notes(
            (head, "1-shot", cell)
            for head, data_seed, train_seed in seeds
            for cell in group_by_cell(
                [flat_run(data_seed=data_seed, train_seed=train_seed, **{"shots": 1, **changes})]
            )
        )

    assert said(("a", 0, 0), ("a", 1, 1), ("b", 1, 1), ("b", 0, 0)) == []
    assert said(("a", 0, 0), ("a", 1, 1), ("b", 0, 0), ("b", 2, 2)) == [
        "not every head has the same seeds"
    ]
    again = "some few-shot samples were trained with several seeds"
    assert said(("a", 0, 0), ("a", 0, 1)) == [again]
    assert said(("a", 0, 0), ("a", 0, 1), shots=None) == []


def test_failed_and_older_runs_of_this_table_are_counted(flat_run: FlatRun) -> None:
    group = [flat_run(seed=0), flat_run(seed=1)]
    others = [
        flat_run(seed=0, head_hash="old"),
        flat_run(seed=2, status="failed"),
        flat_run("linear", seed=0, shots=4, status="failed"),
        flat_run(seed=1, status="failed"),  # it was done since
    ]
    assert history_notes(group_by_cell(group), group_by_cell(others)) == [
        "2 runs failed and not shown: coral 1, linear 1",
        "1 run superseded and not shown",
    ]


def test_mixed_versions_are_said(flat_run: FlatRun) -> None:
    cells = group_by_cell([flat_run(ordbench="0.2.0"), flat_run(ordbench="0.1.0")])
    assert history_notes(cells, []) == ["made by ordbench 0.1.0 and 0.2.0"]
