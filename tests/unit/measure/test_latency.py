"""What a latency analyzer records, times and answers."""

import asyncio
import functools
import inspect
import math
import re

import pytest

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard.timeout import Timeout
from seawall.measure import Histogram, LatencyAnalyzer
from seawall.memory import Segment


def test_the_figures_are_those_of_a_histogram():
    """Percentiles, mean, deviation, extremes and buckets are what a histogram of the same values says."""
    values = [0.001 * i for i in range(1, 1001)]
    analyzer, histogram = LatencyAnalyzer(), Histogram()
    analyzer.record_many(values)
    histogram.record_many(values)
    levels = [50, 75, 90, 95, 99, 99.9]
    named = [analyzer.p50, analyzer.p75, analyzer.p90, analyzer.p95, analyzer.p99, analyzer.p999]
    assert named == histogram.percentiles(levels) == list(analyzer.percentiles().values())
    assert analyzer.percentiles([12.5]) == {12.5: histogram.percentile(12.5)}
    got = (analyzer.count, analyzer.mean, analyzer.stddev, analyzer.min, analyzer.max)
    assert got == (1000, histogram.mean, histogram.stddev, 0.001, 1.0)
    edges, counts = analyzer.buckets(7)
    assert (edges == histogram.buckets(7)[0]).all()
    assert (len(edges), counts.sum()) == (8, 1000)
    assert analyzer.snapshot() == histogram


def test_an_empty_analyzer_has_no_figures():
    """Where nothing was recorded figures are nan, and counts are 0."""
    analyzer = LatencyAnalyzer()
    figures = (analyzer.p50, analyzer.mean, analyzer.stddev, analyzer.min, analyzer.max, analyzer.apdex(1))
    assert all(math.isnan(figure) for figure in figures)
    assert repr(analyzer) == "LatencyAnalyzer('latency', count=0, errors=0)"


@pytest.mark.parametrize("many", [False, True])
def test_an_expected_interval_brings_back_the_calls_held_up(many):
    """A stall of a second where a call was due every 10 ms counts as the hundred calls it held up."""
    analyzer = LatencyAnalyzer(expected_interval=0.01)
    if many:
        analyzer.record_many([1.0])
    else:
        analyzer.record(1.0)
    assert analyzer.count == 100
    assert analyzer.p50 == pytest.approx(0.5, rel=1e-3)
    assert analyzer.window().count == 100


def test_one_record_can_be_corrected_by_itself():
    """record_corrected fills in for one record, whatever the analyzer's own option."""
    analyzer = LatencyAnalyzer()
    analyzer.record(1.0)
    analyzer.record_corrected(1.0, 0.5)
    assert analyzer.count == 3


@pytest.mark.parametrize("expected_interval", [None, 0.1])
def test_of_bad_values_nothing_is_recorded(expected_interval):
    """An array with a bad value, and a bad value alone, leave totals and interval as they were."""
    analyzer = LatencyAnalyzer(expected_interval=expected_interval)
    message = "values must be finite and not negative, got -1.0 at index 1; nothing was recorded"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        analyzer.record_many([0.5, -1.0])
    message = "seconds must be finite and not negative, got nan; count failures apart from durations"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        analyzer.record(math.nan)
    assert (analyzer.count, analyzer.window().count) == (0, 0)


def test_a_block_is_timed_by_the_clock():
    """`with` and `async with` record what the analyzer's clock says passed inside, also nested."""
    clock = ManualClock()
    analyzer = LatencyAnalyzer(clock=clock)

    async def work():
        async with analyzer.measure():
            clock.advance(2)
            with analyzer.measure():
                clock.advance(1)

    asyncio.run(work())
    assert (analyzer.min, analyzer.max, analyzer.count) == (1.0, 3.0, 2)


def test_a_clock_that_steps_back_counts_as_no_time():
    """A block during which the clock went backward took 0 seconds; it does not fail."""
    clock = ManualClock(10)
    analyzer = LatencyAnalyzer(clock=clock)
    with analyzer.measure():
        clock.step_back(5)
    assert (analyzer.count, analyzer.max) == (1, 0.0)


@pytest.mark.parametrize("record_errors", [False, True])
def test_failed_calls_are_counted_apart(record_errors):
    """An error passes through and counts in errors; its time is a latency only where the option says so."""
    clock = ManualClock()
    analyzer = LatencyAnalyzer(clock=clock, record_errors=record_errors)

    def fail():
        with analyzer.measure():
            clock.advance(1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    analyzer.record_error()
    assert (analyzer.errors, analyzer.count) == (2, int(record_errors))


async def test_it_decorates_functions_of_any_kind():
    """Functions, coroutine functions and methods keep name and signature, answer and raise, and are timed."""
    clock = ManualClock()
    analyzer = LatencyAnalyzer(clock=clock)

    @analyzer
    def plain(x: int, *, y: int = 2) -> int:
        """Add."""
        clock.advance(1)
        return x + y

    @analyzer
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        clock.advance(2)
        raise OSError(x)

    class Service:
        @analyzer
        def answer(self, x: int) -> tuple[object, int]:
            clock.advance(3)
            return self, x

        @staticmethod
        @analyzer
        def fixed() -> int:
            clock.advance(4)
            return 7

    service = Service()
    assert (plain(1, y=4), service.answer(5), Service.fixed()) == (5, (service, 5), 7)
    with pytest.raises(OSError, match=r"^9$"):
        await later(9)
    assert (analyzer.count, analyzer.errors, analyzer.min, analyzer.max) == (3, 1, 1.0, 4.0)
    assert (plain.__name__, plain.__doc__) == ("plain", "Add.")
    assert str(inspect.signature(plain)) == "(x: int, *, y: int = 2) -> int"
    assert inspect.iscoroutinefunction(later)


@pytest.mark.parametrize("wrap", [lambda handler: handler, functools.partial, Timeout(60)])
async def test_what_gives_a_coroutine_is_timed_until_it_returns(wrap):
    """An object whose __call__ is a coroutine function is awaited, also inside a partial or behind a policy."""
    clock = ManualClock()
    analyzer = LatencyAnalyzer(clock=clock)

    class Handler:
        async def __call__(self):
            await asyncio.sleep(0)
            clock.advance(3)

    await analyzer(wrap(Handler()))()
    assert analyzer.max == 3.0


def stream():
    """A generator function."""
    yield 1


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (3, "an analyzer decorates a function, got 3"),
        (int, "an analyzer decorates a function, got <class 'int'>"),
        (staticmethod(len), "put @staticmethod above the analyzer, not below it"),
        (stream, f"{stream!r} is a generator function: time the loop over it with analyzer.measure() instead"),
    ],
)
def test_what_it_cannot_decorate_is_refused(thing, message):
    """What is no function, or runs nothing when it is called, is an error that says what to do."""
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        LatencyAnalyzer()(thing)


def test_window_hands_over_what_came_since():
    """Each window has what was recorded since the one before it; the totals have all."""
    analyzer = LatencyAnalyzer()
    analyzer.record(1.0)
    first = analyzer.window()
    analyzer.record(2.0)
    assert (first.max, analyzer.window().max, analyzer.window().count, analyzer.count) == (1.0, 2.0, 0, 2)


def test_rolling_covers_the_last_intervals():
    """rolling() has the last two intervals and the running one, whatever the caller does to what it was handed."""
    analyzer = LatencyAnalyzer(window=2)
    for seconds in (1.0, 2.0, 3.0):
        analyzer.record(seconds)
        analyzer.window().record(9.0)
    analyzer.record(4.0)
    rolled = analyzer.rolling()
    assert (rolled.count, rolled.min, rolled.max, analyzer.count) == (3, 2.0, 4.0, 4)


def test_rolling_needs_its_option():
    """Without window= nothing was kept, and the error says so."""
    message = "rolling() needs window=, how many intervals to keep; LatencyAnalyzer(window=6) keeps 6"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        LatencyAnalyzer().rolling()


def test_apdex_weighs_tolerated_calls_half():
    """Two satisfied, one tolerated, one frustrated and one failed call make (2 + 1/2) / 5."""
    analyzer = LatencyAnalyzer()
    analyzer.record_many([0.1, 0.5, 2.0, 2.1])
    analyzer.record_error(0.1)
    assert analyzer.apdex(0.5) == 0.5


@pytest.mark.parametrize("threshold", [0, -1.0, math.nan, math.inf, True, "1"])
def test_apdex_needs_a_threshold(threshold):
    """A threshold that is no positive time is refused."""
    message = f"threshold must be positive and finite seconds, got {threshold!r}; 0.5 is usual"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        LatencyAnalyzer().apdex(threshold)


def test_processes_share_one_analyzer():
    """Two analyzers of one slot have the same totals and errors; windows are each its own."""
    segment = Segment("test-latency", size=1 << 20)
    try:
        ours, theirs = LatencyAnalyzer("api", shared=segment), LatencyAnalyzer("api", shared="test-latency")
        theirs.record(0.25)
        theirs.record_error()
        assert (ours.count, ours.errors, ours.max) == (1, 1, 0.25)
        assert (ours.window().count, theirs.window().count) == (0, 1)
    finally:
        Segment.remove("test-latency")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": ""}, "name must be a text that is not empty, got ''; reports and exports show it"),
        ({"clock": 3}, "clock must be a seawall Clock (SystemClock or ManualClock), got 3"),
        ({"record_errors": 1}, "record_errors must be True or False, got 1"),
        ({"window": 0}, "window must be a whole number from 1, got 0; it is how many intervals rolling() covers"),
        ({"window": 1.5}, "window must be a whole number from 1, got 1.5; it is how many intervals rolling() covers"),
        ({"expected_interval": 0}, "expected_interval must be 1 ns to 2.8823e+08 s, got 0"),
        ({"digits": 6}, "digits must be 1 to 5, got 6; 3 digits keep every percentile within 0.1 %"),
    ],
)
def test_bad_options_are_refused(options, message):
    """An option out of range is an error with the value, the range and the way out."""
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        LatencyAnalyzer(**options)
