"""The kernel of adaptive limits beside its slow version, and what holds whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles.adaptive import LONG_AGO, Adaptive, Config, Seen, State, decide

import seawall as sw
from seawall._core.adaptive import decide as kernel_decide
from seawall.clock import ManualClock
from seawall.guard.adaptive import AdaptiveOptions
from seawall.guard.adaptive._options import words_of

ALGORITHMS = st.one_of(
    st.builds(sw.Gradient, tolerance=st.floats(1, 4), smoothing=st.floats(0.01, 1)),
    st.builds(sw.Vegas, alpha=st.floats(0, 5), beta=st.floats(5, 10), smoothing=st.floats(0.01, 1)),
    st.builds(
        sw.AIMD, increase=st.floats(0.1, 10), backoff=st.floats(0.5, 0.99), slow_after=st.none() | st.floats(1e-4, 1)
    ),
)
OPTIONS = st.builds(
    lambda algorithm, low, initial, high, ratio: AdaptiveOptions(
        algorithm=algorithm, min_limit=low, initial=low + initial, max_limit=low + initial + high, dropped_ratio=ratio
    ),
    ALGORITHMS,
    st.integers(1, 10),
    st.integers(0, 100),
    st.integers(0, 500),
    st.floats(0, 0.99),
)
LATENCY = st.floats(512, 1e11)
WINDOWS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 20), st.floats(0, 1.2), LATENCY, st.integers(0, 10**10)).filter(
        lambda w: w[0] + w[1] > 0
    ),
    max_size=40,
)


@given(OPTIONS, WINDOWS)
def test_a_decision_is_that_of_the_slow_version(options: AdaptiveOptions, windows: list[tuple]) -> None:
    """To the last bit, window after window."""
    words = words_of(options)
    config, ours, now = Config(words), State(float(options.initial)), 0
    theirs = ours.words()
    for samples, dropped, used, latency, elapsed in windows:
        now += elapsed
        seen = Seen(latency if samples else 0.0, samples, dropped, int(used * ours.limit), elapsed)
        why, theirs = kernel_decide(words, theirs, tuple(vars(seen).values()), now)
        assert (decide(config, ours, seen, now), ours.words()) == (why, theirs)


@given(OPTIONS, WINDOWS)
def test_no_window_moves_the_limit_far(options: AdaptiveOptions, windows: list[tuple]) -> None:
    """It stays within its bounds; no window takes more than half of it, nor adds more than it or a rule's step."""
    words = words_of(options)
    state, now = State(float(options.initial)).words(), 0
    for samples, dropped, used, latency, elapsed in windows:
        now += elapsed
        before = state
        seen = (latency if samples else 0.0, samples, dropped, int(used * state[0]), elapsed)
        why, state = kernel_decide(words, state, seen, now)
        assert options.min_limit <= state[0] <= options.max_limit
        if before[6] not in ("probing", "doubting"):  # whose end takes back what they took
            assert state[0] >= before[0] / 2 - 1
            assert state[0] <= max(2 * before[0], before[0] + 30)
        if 2 * seen[3] < before[0] and before[6] not in ("probing", "doubting"):
            assert state[0] <= before[0], why


CALLS = st.lists(
    st.tuples(
        st.floats(0, 0.05),  # seconds until the next call begins
        st.floats(0, 0.5),  # and how long it takes
        st.sampled_from(["success"] * 8 + ["dropped", "ignore"]),
    ),
    max_size=300,
)


@given(ALGORITHMS, CALLS, st.sampled_from([10, 20]))
def test_calls_are_admitted_and_learnt_from_as_by_the_slow_version(
    algorithm: sw.Gradient, calls: list[tuple[float, float, str]], min_samples: int
) -> None:
    """Permits, windows, percentiles and decisions of a whole history."""
    clock = ManualClock()
    options = AdaptiveOptions(algorithm=algorithm, initial=8, window=0.05, min_samples=min_samples, probe_every=1.0)
    ours = sw.AdaptiveLimit(clock=clock, **options.as_dict())
    theirs = Adaptive(Config(words_of(options)), clock.now_ns())
    events: list[tuple[float, int, str]] = []
    at = 0.0
    for number, (gap, takes, outcome) in enumerate(calls):
        at += gap
        events += [(at, number, "enter"), (at + takes, number, outcome)]
    permits: dict[int, tuple] = {}
    for when, number, what in sorted(events, key=lambda event: event[0]):
        clock.set_ns(int(when * 1e9))
        if what == "enter":
            pair = (ours.try_enter(), theirs.try_enter(clock.now_ns()))
            assert (pair[0] is None) == (pair[1] is None)
            if pair[0] is not None:
                permits[number] = pair
        elif number in permits:
            mine, other = permits.pop(number)
            getattr(mine, what)()
            theirs.settle(other, what, clock.now_ns())
        assert ours.stats().in_flight == theirs.in_flight
        assert ours.limit == int(theirs.state.limit)
    phase, limit, baseline, *_ = ours._learned()
    assert (phase, limit, baseline) == pytest.approx(
        (theirs.state.phase, theirs.state.limit, theirs.state.baseline / 1e9)
    )
    assert ours.stats().decisions == len(theirs.decisions)


def test_the_beginning_of_a_probe_may_lie_before_all_time() -> None:
    """What asks for a probe at once is no time that can overflow."""
    assert -(2**62) < LONG_AGO < 0
