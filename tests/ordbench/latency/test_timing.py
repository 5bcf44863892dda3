import gc
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import t as student

from ordbench.latency.timing import (
    MIN_TRIALS,
    SAMPLE_NS,
    SETTLE_NS,
    WARM_UPS,
    Call,
    Timings,
    ratio,
    time_interleaved,
)


class Machine:
    """A clock that only work moves; ``slowness`` says how many times as long all work takes."""

    def __init__(self) -> None:
        self.now = 0
        self.slowness = 1
        self.log: list[str] = []

    def clock(self) -> int:
        return self.now

    def work(self, name: str, nanoseconds: int) -> None:
        self.log.append(name)
        self.now += nanoseconds * self.slowness

    def contestant(self, name: str, nanoseconds: int) -> Callable[[], Call]:
        return lambda: lambda: self.work(name, nanoseconds)


def samples(*trials: list[float]) -> Timings:
    return Timings(tuple(np.array(trial) for trial in trials), repeats=1)


def test_seconds_are_those_of_one_call_however_often_it_was_repeated() -> None:
    machine = Machine()
    calls = [machine.contestant("fast", 9_000), machine.contestant("slow", 60_000)]
    fast, slow = time_interleaved(calls, seconds=1e-3, clock=machine.clock)
    assert fast.repeats == 6  # 9 us * 5 is less than 50 us
    assert slow.repeats == 1
    assert fast.seconds == pytest.approx(9e-6)
    assert slow.seconds == pytest.approx(60e-6)


def test_a_fast_call_that_was_interrupted_once_is_no_slow_one() -> None:
    machine = Machine()

    def call() -> None:
        machine.work("call", 20_000_000 if not machine.log else 10_000)

    (found,) = time_interleaved([lambda: call], seconds=0, clock=machine.clock)
    assert found.repeats == 5


def test_beside_a_slow_call_the_sample_of_a_fast_one_is_longer() -> None:
    machine = Machine()
    calls = [machine.contestant("fast", 100_000), machine.contestant("slow", 100_000_000)]
    fast, slow = time_interleaved(calls, seconds=0, clock=machine.clock)
    assert (fast.repeats, slow.repeats) == (50, 1)  # 5 of 100 ms


def test_what_slows_the_machine_down_does_not_change_the_ratio() -> None:
    machine = Machine()

    def slower() -> Call:
        machine.slowness += 1  # a trial after the other
        return lambda: machine.work("three", 3 * SAMPLE_NS)

    three, one = time_interleaved(
        [slower, machine.contestant("one", SAMPLE_NS)], seconds=0.01, clock=machine.clock
    )
    assert three.seconds.max() > 2 * three.seconds.min()
    assert ratio(three, one) == pytest.approx((3, 3, 3))


def test_contestants_take_turns_in_an_order_drawn_anew() -> None:
    machine = Machine()
    names = "abc"
    calls = [machine.contestant(name, SETTLE_NS) for name in names]
    time_interleaved(calls, seconds=60 * SETTLE_NS * 1e-9, trials=1, clock=machine.clock)
    timed = machine.log[WARM_UPS * len(names) :]
    rounds = ["".join(timed[start : start + 3]) for start in range(0, len(timed), 3)]
    assert {"".join(sorted(one)) for one in rounds} == {names}
    assert len(set(rounds)) > 1


def test_each_trial_has_copies_of_its_own_that_outlive_it() -> None:
    machine, made, alive = Machine(), list[int](), set[int]()

    class Copy:
        def __init__(self) -> None:
            self.number = len(made)
            made.append(self.number)
            alive.add(self.number)

        def __call__(self) -> None:
            machine.work(str(self.number), SETTLE_NS)

        def __del__(self) -> None:
            alive.discard(self.number)

    seen: list[set[int]] = []

    def fresh() -> Call:
        seen.append(set(alive))
        return Copy()

    (found,) = time_interleaved([fresh], seconds=0, trials=3, clock=machine.clock)
    assert [len(trial) for trial in found.trials] == [1, 1, 1]
    assert machine.log == ["0"] * WARM_UPS + ["0", "1", "2"]
    assert seen == [set(), {0}, {0, 1}]


def test_copies_are_made_in_another_order_each_time() -> None:
    machine, made = Machine(), list[str]()

    def contestant(name: str) -> Callable[[], Call]:
        def fresh() -> Call:
            made.append(name)
            return machine.contestant(name, SETTLE_NS)()

        return fresh

    found = time_interleaved(
        [contestant(name) for name in "abc"], seconds=0, trials=9, clock=machine.clock
    )
    assert len({"".join(made[start : start + 3]) for start in range(0, 27, 3)}) > 1
    assert len(found) == 3


def test_a_short_call_finds_its_caches_filled_by_an_untimed_one() -> None:
    machine, cold = Machine(), dict[str, bool]()

    def contestant(name: str) -> Call:
        def call() -> None:
            machine.work(name, 20_000 if cold.get(name, True) else 10_000)
            cold.update({other: other != name for other in "ab"})

        return call

    found = time_interleaved(
        [lambda: contestant("a"), lambda: contestant("b")], seconds=0, clock=machine.clock
    )
    assert [one.seconds.max() for one in found] == pytest.approx([1e-5, 1e-5])


def test_rounds_longer_than_the_time_end_after_the_fewest_trials() -> None:
    machine = Machine()
    call = machine.contestant("long", 10**9)()
    (found,) = time_interleaved([lambda: call], seconds=2, clock=machine.clock)
    assert [len(trial) for trial in found.trials] == [1] * MIN_TRIALS
    assert len(machine.log) == 2 + MIN_TRIALS  # two warm-ups of a second are enough


def test_a_device_is_waited_for_before_and_after_each_sample() -> None:
    machine = Machine()
    time_interleaved(
        [machine.contestant("call", SETTLE_NS)],
        seconds=0,
        trials=2,
        synchronize=lambda: machine.log.append("wait"),
        clock=machine.clock,
    )
    assert machine.log == ["wait", "call", "wait"] * (len(machine.log) // 3)


def test_nobody_is_timed_at_once() -> None:
    assert time_interleaved([], seconds=1e9) == []


@pytest.mark.parametrize("on", [True, False])
def test_garbage_is_not_collected_meanwhile_and_then_as_before(on: bool) -> None:
    machine, seen = Machine(), list[bool]()

    def call() -> None:
        seen.append(gc.isenabled())
        machine.work("call", SAMPLE_NS)

    before = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        time_interleaved([lambda: call], seconds=0, clock=machine.clock)
        assert gc.isenabled() is on
    finally:
        (gc.enable if before else gc.disable)()
    assert not any(seen)


def test_the_interval_is_students_over_the_logarithms_of_the_trials() -> None:
    one = samples([2.0, 6.0, 4.0], [5.0], [3.0, 3.0])
    other = samples([1.0, 2.0, 4.0], [2.0], [1.0, 1.0])  # medians of ratios: 2, 2.5, 3
    logs = np.log([2.0, 2.5, 3.0])
    low, high = student.interval(0.95, df=2, loc=logs.mean(), scale=logs.std(ddof=1) / 3**0.5)
    wanted = (7.5 ** (1 / 3) * 2 ** (1 / 3), np.exp(low), np.exp(high))
    assert ratio(one, other) == pytest.approx(wanted)


def test_the_interval_holds_the_truth_where_each_copy_is_off_by_its_place_in_memory() -> None:
    generator = np.random.default_rng(0)

    def timed(typical: float) -> Timings:
        places = np.exp(generator.normal(0, 0.02, 10))
        noise = np.exp(generator.normal(0, 0.05, (10, 200)))
        return Timings(tuple(typical * places[:, None] * noise), repeats=1)

    found = [ratio(timed(1.3), timed(1.0)) for _ in range(300)]
    held = sum(one.low <= 1.3 <= one.high for one in found) / len(found)
    assert 0.91 < held < 0.98  # three standard errors about 0.95 are 0.04


@pytest.mark.parametrize(
    ("one", "other"),
    [(samples([1.0]), samples([1.0])), (samples([1.0], [1.0]), samples([1.0], [1.0, 1.0]))],
    ids=["one trial", "other rounds"],
)
def test_what_is_no_pair_has_no_ratio(one: Timings, other: Timings) -> None:
    with pytest.raises(ValueError, match="wanted at least 2, of equally many rounds"):
        ratio(one, other)
