"""Paired timing: contestants take turns, so that what slows the machine down slows them all.

Two copies of one module differ by up to 2 % for as long as they stay where they lie in memory, far
more than the noise of thousands of rounds. So there are several trials, each with copies of its
own, and the interval of a ratio is that of its trials.

Source: Mytkowicz, Diwan, Hauswirth, Sweeney (2009). Producing wrong data without doing anything
obviously wrong! https://doi.org/10.1145/1508244.1508275; Georges, Buytaert, Eeckhout (2007).
Statistically rigorous Java performance evaluation. https://doi.org/10.1145/1297027.1297033
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ordbench.utils.torch_threads import no_garbage_collection

TRIALS = 10
MIN_TRIALS = 3  # where one round takes longer than there is time
WARM_UPS = 10  # samples
SHARE = 0.05  # of the slowest call's time that each sample lasts: one call of 1 ms says little
LONG_NS = 10_000_000  # two samples that last so long are warm-up enough

# Others fill the caches between two samples of a call. One that is shorter than this is called once
# before its sample: else one that is repeated more often would seem faster.
SETTLE_NS = 1_000_000
SAMPLE_NS = 50_000  # a sample lasts at least so long: reading the clock takes about 100 ns
Call = Callable[[], object]


@dataclass(frozen=True)
class Timings:
    """What a contestant took.

    Attributes:
        trials: For each trial, ``(rounds,)`` seconds a call, each the mean over ``repeats`` calls.
        repeats: Calls a sample.
    """

    trials: tuple[NDArray[np.float64], ...]
    repeats: int

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Seconds a call, of all rounds of all trials."""
        return np.concatenate(self.trials)

    def quantile(self, fraction: float) -> float:
        """Seconds a call that this fraction of the samples does not exceed.

        >>> Timings((np.array([1.0, 9.0]), np.array([2.0])), repeats=1).quantile(0.5)
        2.0
        """
        return float(np.quantile(self.seconds, fraction))


class Ratio(NamedTuple):
    """How many times the reference's time a contestant takes, with an interval."""

    estimate: float
    low: float
    high: float


def ratio(samples: Timings, reference: Timings, *, confidence: float = 0.95) -> Ratio:
    """Geometric mean, over the trials, of the median ratio of a round, with a t interval.

    Raises:
        ValueError: If the two were not timed in the same rounds, or in one trial only.

    Twice as slow in one trial, 4.5 times in the other: sqrt(2 * 4.5) = 3. Two trials say little:

    >>> one = Timings((np.array([2.0, 4.0]), np.array([9.0])), repeats=1)
    >>> other = Timings((np.array([1.0, 2.0]), np.array([2.0])), repeats=5)
    >>> estimate, low, high = ratio(one, other)
    >>> round(estimate, 9), low < 1, high > 9
    (3.0, True, True)
    """
    pairs = list(zip(samples.trials, reference.trials, strict=True))
    if len(pairs) < 2 or any(len(one) != len(other) for one, other in pairs):
        raise ValueError(f"{len(pairs)} trials: wanted at least 2, of equally many rounds")
    logs = np.log([np.median(one / other) for one, other in pairs])
    error = logs.std(ddof=1) / len(logs) ** 0.5
    half = float(stdtrit(len(logs) - 1, (1 + confidence) / 2)) * error
    middle = logs.mean()
    return Ratio(*(float(np.exp(value)) for value in (middle, middle - half, middle + half)))


def nothing() -> None:
    """What is waited for on a device that works at once."""


def time_interleaved(
    contestants: Sequence[Callable[[], Call]],
    *,
    seconds: float,
    trials: int = TRIALS,
    synchronize: Callable[[], None] = nothing,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> list[Timings]:
    """Time contestants in rounds: each takes one sample a round, in an order drawn anew.

    Args:
        contestants: Each makes the call for a trial, at best in memory of its own.
        seconds: How long to go on, warm-up not counted; each trial has one round at least.
        trials: Number of trials, unless rounds are so long that only `MIN_TRIALS` are made.
        synchronize: Waits until a device has done all that it was told to do.
        clock: Nanoseconds since any moment.

    Returns:
        Their samples, in the order of ``contestants``; round r is entry r of each.
    """
    if not contestants:
        return []
    stopwatch, generator = _Stopwatch(synchronize, clock), random.Random(0)
    # Calls of former trials are kept: else the next copies would come to lie in their memory.
    kept: list[list[Call]] = []
    paces: list[_Pace] = []
    taken: list[list[NDArray[np.float64]]] = []
    start = clock()
    with no_garbage_collection():
        while len(kept) < trials:
            kept.append(_in_any_order(contestants, generator))
            if not paces:
                paces, start = stopwatch.paces(kept[0]), clock()
            taken.append(stopwatch.trial(kept[-1], paces, seconds / trials, generator))
            if len(kept) >= MIN_TRIALS and clock() - start >= seconds * 1e9:
                break
    rows = zip(*taken, strict=True)
    return [Timings(tuple(row), pace.repeats) for row, pace in zip(rows, paces, strict=True)]


def _in_any_order(
    contestants: Sequence[Callable[[], Call]], generator: random.Random
) -> list[Call]:
    """Make the calls of a trial; what is made first does not always lie first in memory."""
    order = generator.sample(range(len(contestants)), len(contestants))
    made = {index: contestants[index]() for index in order}
    return [made[index] for index in range(len(contestants))]


class _Pace(NamedTuple):
    """How a call is sampled: so often, and after an untimed call or at once."""

    repeats: int
    settles: bool


class _Stopwatch:
    """Takes samples with a clock; ``synchronize`` and ``clock`` as in `time_interleaved`."""

    def __init__(self, synchronize: Callable[[], None], clock: Callable[[], int]) -> None:
        self.synchronize = synchronize
        self.clock = clock

    def sample(self, call: Call, pace: _Pace) -> int:
        """Nanoseconds of so many calls."""
        if pace.settles:
            call()
        self.synchronize()
        start = self.clock()
        for _ in range(pace.repeats):
            call()
        self.synchronize()
        return self.clock() - start

    def paces(self, calls: list[Call]) -> list[_Pace]:
        """Warm up, and find out how often each call is to be repeated."""
        nanoseconds = [self._call(call) for call in calls]
        least = max(SAMPLE_NS, SHARE * max(nanoseconds))
        # No powers of two: calls that are nearly alike are to be repeated alike.
        repeats = [math.ceil(least / one) for one in nanoseconds]
        return [
            _Pace(count, settles=count * one < SETTLE_NS)
            for count, one in zip(repeats, nanoseconds, strict=True)
        ]

    def _call(self, call: Call) -> float:
        """Nanoseconds of one call, at its fastest in samples of at least `SAMPLE_NS`."""
        repeats = 1
        while True:
            taken: list[int] = []
            # Two at least: one sample is long as well when the system does something else.
            while len(taken) < 2 or (len(taken) < WARM_UPS and min(taken) < LONG_NS):
                taken.append(self.sample(call, _Pace(repeats, settles=False)))
            if min(taken) >= SAMPLE_NS:
                return min(taken) / repeats
            repeats *= 2

    def trial(
        self, calls: list[Call], paces: list[_Pace], seconds: float, generator: random.Random
    ) -> list[NDArray[np.float64]]:
        """Rounds for so many seconds: for each call, ``(rounds,)`` seconds a call."""
        taken: list[list[int]] = [[] for _ in calls]
        order = list(range(len(calls)))
        end = self.clock() + seconds * 1e9
        while not taken[0] or self.clock() < end:
            generator.shuffle(order)
            for index in order:
                taken[index].append(self.sample(calls[index], paces[index]))
        return [
            np.array(row) / (1e9 * pace.repeats) for row, pace in zip(taken, paces, strict=True)
        ]
