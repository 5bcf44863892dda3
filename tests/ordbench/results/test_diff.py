import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from ordbench.results.diff import diff, report
from ordbench.results.rows import RunRow

FlatRun = Callable[..., RunRow]


def lines(first: list[RunRow], second: list[RunRow]) -> list[str]:
    return list(report(diff(first, second), "A", "B"))


def test_runs_are_told_apart_by_id(flat_run: FlatRun) -> None:
    one, two, three = (flat_run(mae=1.0, seed=seed) for seed in range(3))
    got = diff([one, two], [two, three])
    assert (got.first, got.second, got.changed, got.same) == ([one], [three], [], [two])
    assert got
    assert not diff([one], [one])


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (1.0, 1.0 + 1e-10, True),
        (1.0, 1.0 + 1e-8, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
    ],
)
def test_scores_differ_beyond_the_tolerance(
    flat_run: FlatRun, first: float, second: float, same: bool
) -> None:
    run = flat_run(metrics={"nll_posterior": first})
    other = replace(run, metrics={"nll_posterior": second})
    assert bool(diff([run], [other])) is not same


def test_the_tolerance_can_be_chosen(flat_run: FlatRun) -> None:
    run = flat_run(mae=1.0)
    assert not diff([run], [replace(run, metrics={"mae_median": 1.5})], tolerance=0.5)


def test_a_score_that_one_lacks_and_a_baseline_count(flat_run: FlatRun) -> None:
    run = flat_run(mae=1.0, baseline={"mae": 2.0})
    for other in (replace(run, metrics={}), replace(run, baseline={"mae": 2.5})):
        assert diff([run], [other]).changed


def test_runs_of_another_version_are_matched_by_what_they_are(flat_run: FlatRun) -> None:
    runs = [flat_run("coral", 1.0, seed=seed, shots=4) for seed in range(3)]
    later = [replace(run, run_id=f"{n:016x}") for n, run in enumerate(runs)]
    later[1] = replace(later[1], metrics={"mae_median": 2.0})
    got = diff(runs, later)
    assert (got.first, got.second, got.same, got.renamed) == ([], [], [runs[0], runs[2]], 3)
    ((run, (change,)),) = got.changed
    assert (run, str(change)) == (runs[1], "mae_median 1.0 and 2.0")
    said = "3 pairs have other ids; they were matched by what they describe"
    assert lines(runs, later)[-1] == said


def test_runs_that_are_described_alike_are_not_matched_by_it(flat_run: FlatRun) -> None:
    run = flat_run("coral", 1.0)
    twins = [replace(run, run_id="a" * 16), replace(run, run_id="b" * 16)]
    got = diff([run], twins)
    assert (got.first, got.second, got.renamed) == ([run], twins, 0)


def test_times_and_machines_do_not_count(flat_run: FlatRun) -> None:
    run = flat_run(mae=1.0)
    assert not diff([run], [replace(run, created="later", seconds_fit=9.0)])


def test_each_difference_is_said_with_the_largest_score_first(flat_run: FlatRun) -> None:
    run = flat_run(metrics={"mae_median": 1.0, "qwk_mean": 0.5, "rps_posterior": 2.0}, shots=4)
    other = replace(run, metrics={"mae_median": 1.25, "qwk_mean": 0.375, "rps_posterior": 2.0})
    alone, all_images = flat_run("linear", 1.0, seed=3, shots=1), flat_run("linear", 1.0, seed=4)
    about = f"{run.run_id}, coral on fgnet, clip:tiny, 4-shot, data seed 0, train seed 0"
    assert lines([run, alone], [other, all_images])[:3] == [
        f"only in A: {alone.run_id}, linear on fgnet, clip:tiny, 1-shot, data seed 3, train seed 3",
        f"only in B: {all_images.run_id}, linear on fgnet, clip:tiny, all images, "
        "data seed 4, train seed 4",
        f"differs: {about}: mae_median 1.0 and 1.25 and 1 more",
    ]


def test_the_end_counts_by_label(flat_run: FlatRun) -> None:
    same, run, small = flat_run("coral", 1.0), flat_run("coral", 1.0), flat_run("coral", 1.0)
    others = [same, replace(run, metrics={"mae_median": 3.0}), replace(small, metrics={})]
    got = lines([same, run, flat_run("linear", 1.0)], [*others[:2], flat_run("ordinalclip", 1.0)])
    assert got[-3:] == [
        "coral: 0 only in A, 0 only in B, 1 differ, 1 same",
        "linear: 1 only in A, 0 only in B, 0 differ, 0 same",
        "ordinalclip: 0 only in A, 1 only in B, 0 differ, 0 same",
    ]
    assert "mae_median 1.0 and none" in lines([small], others[2:])[0]


def test_names_from_records_steer_no_terminal(flat_run: FlatRun) -> None:
    assert "\x1b" not in "".join(lines([flat_run("a\x1b[31m", 1.0)], []))
