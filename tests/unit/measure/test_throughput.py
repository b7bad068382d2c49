"""What a throughput meter counts and answers."""

import json
import math
import re

import pytest

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.measure import Checkpoint, Rate, ThroughputMeter, ThroughputWindow


def made(**options):
    """A meter and the clock it reads, which stands at 100 s."""
    clock = ManualClock(100)
    return ThroughputMeter("uploads", clock=clock, **options), clock


def test_totals_and_mean():
    """Totals are what was recorded; the mean is that by the time since the meter was made."""
    meter, clock = made()
    meter.record()
    meter.record(3, bytes=100)
    clock.advance(0.5)
    meter.record(0, bytes=60)
    assert (meter.requests, meter.bytes, meter.mean) == (4, 160, Rate(8.0, 320.0))
    assert repr(meter) == "ThroughputMeter('uploads', requests=4, bytes=160)"


def test_the_series_is_of_whole_windows():
    """Windows follow each other from the start, empty ones included; the running one is not among them."""
    meter, clock = made(window=2)
    meter.record(5, bytes=50)
    clock.advance(2)
    meter.record(1)
    clock.advance(4.5)
    meter.record(7)
    assert meter.series() == [ThroughputWindow(0.0, 5, 50), ThroughputWindow(2.0, 1, 0), ThroughputWindow(4.0, 0, 0)]


@pytest.mark.parametrize("pause", [4, 5, 1000])
def test_the_ring_forgets_what_is_too_old(pause):
    """After a pause longer than the windows kept nothing old shows up in them; totals and peak stay."""
    meter, clock = made(keep=3)
    meter.record(5, bytes=9)
    clock.advance(pause)
    assert meter.series() == [ThroughputWindow(float(pause - back), 0, 0) for back in (3, 2, 1)]
    assert (meter.rate(), meter.requests, meter.peak) == (Rate(0.0, 0.0), 5, Rate(5.0, 9.0))


def test_the_rate_looks_back_to_where_a_window_begins():
    """The last second and what precedes it in its window are averaged over exactly that span."""
    meter, clock = made()
    for _ in range(4):
        meter.record(6, bytes=12)
        clock.advance(1)
    clock.advance(0.5)
    assert meter.rate(last=1) == Rate(6 / 1.5, 12 / 1.5)
    assert meter.rate(last=0.5) == Rate(0.0, 0.0)
    assert meter.rate() == meter.rate(last=60) == Rate(24 / 4.5, 48 / 4.5)


def test_a_rate_over_no_time_is_nan():
    """Before any time has passed there is no rate, and before a window is whole no peak."""
    meter, clock = made()
    meter.record()
    rates = (meter.rate(), meter.mean, meter.peak, meter.checkpoint("now").rate)
    assert all(math.isnan(rate.requests) for rate in rates)
    clock.advance(0.5)
    assert math.isnan(meter.peak.bytes)
    assert meter.series() == []


def test_the_peak_is_of_each_by_itself():
    """The peak of requests and that of bytes may be in different windows; a running window is no peak yet."""
    meter, clock = made(window=0.5)
    for requests, size in ((10, 1), (2, 800), (99, 9999)):
        meter.record(requests, bytes=size)
        clock.advance(0.4 if requests == 99 else 0.5)
    assert meter.peak == Rate(20.0, 1600.0)


def test_checkpoints_split_the_run():
    """The rate of a checkpoint is that since the one before."""
    meter, clock = made()
    meter.record(10, bytes=20)
    clock.advance(2)
    warm = meter.checkpoint("warm")
    meter.record(30)
    clock.advance(0.5)
    assert warm == Checkpoint("warm", 2.0, 10, 20, Rate(5.0, 10.0))
    assert meter.checkpoint("done") == Checkpoint("done", 2.5, 40, 20, Rate(60.0, 0.0))
    assert [point.name for point in meter.checkpoints] == ["warm", "done"]


def test_a_clock_that_steps_back_stands_still():
    """What is recorded while the clock is behind counts where the meter already was."""
    meter, clock = made()
    clock.advance(3)
    meter.record()
    clock.step_back(2)
    meter.record()
    assert (meter.mean, meter.series()[1].requests) == (Rate(2 / 3, 0.0), 0)


def test_a_report_holds_one_moment():
    """The report has totals, rates, series and checkpoints; its table, JSON and CSV show them."""
    meter, clock = made()
    meter.record(4, bytes=1000)
    clock.advance(2)
    meter.checkpoint("warm")
    report = meter.report()
    meter.record(99)
    assert str(report).splitlines() == [
        "uploads: 4 requests, 1000 bytes in 2.000 s",
        "  mean            2.0 /s            500.0 B/s",
        "  peak            4.0 /s           1000.0 B/s",
        "  warm            2.0 /s            500.0 B/s",
    ]
    assert report.to_csv() == "start,requests,bytes\n0.0,4,1000\n1.0,0,0\n"
    facts = json.loads(report.to_json())
    assert facts["series"][0] == {"start": 0.0, "requests": 4, "bytes": 1000}
    assert facts["checkpoints"][0]["rate"] == facts["mean"] == {"requests": 2.0, "bytes": 500.0}
    assert (facts["elapsed"], facts["window"], facts["peak"]) == (2.0, 1.0, {"requests": 4.0, "bytes": 1000.0})
    assert json.loads(meter.to_json())["requests"] == 103
    assert meter.to_csv() == report.to_csv()


def test_json_has_null_where_there_is_no_rate():
    """A meter just made exports null rates: JSON knows no nan."""
    assert json.loads(made()[0].to_json())["mean"] == {"requests": None, "bytes": None}


@pytest.mark.parametrize(
    ("counts", "error", "message"),
    [
        ({"requests": -1}, ValueError, "requests must not be negative, got -1; totals only rise"),
        ({"bytes": -5}, ValueError, "bytes must not be negative, got -5; totals only rise"),
        ({"requests": 1.5}, TypeError, "requests must be a whole number, got 1.5"),
        ({"bytes": True}, TypeError, "bytes must be a whole number, got True"),
    ],
)
def test_bad_counts_are_refused(counts, error, message):
    """What is no count is an error, and nothing is recorded."""
    meter, _ = made()
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        meter.record(**counts)
    assert (meter.requests, meter.bytes) == (0, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ThroughputMeter(name=3), "name must be a text that is not empty, got 3; reports and exports show it"),
        (lambda: ThroughputMeter(window=0), "window must be 1 ns to 2.8823e+08 s, got 0"),
        (
            lambda: ThroughputMeter(keep=0),
            "keep must be a whole number from 1, got 0; 60 windows of a second show the last minute",
        ),
        (lambda: ThroughputMeter(clock=1), "clock must be a seawall Clock (SystemClock or ManualClock), got 1"),
        (lambda: ThroughputMeter(keep=5).rate(last=6), "last must be 1 ns to 5 s, got 6"),
        (
            lambda: ThroughputMeter().checkpoint(""),
            "name must be a text that is not empty, got ''; reports and exports show it",
        ),
    ],
)
def test_bad_options_are_refused(call, message):
    """An option out of range is an error with the value and the range."""
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        call()


def test_a_checkpoint_has_a_name_of_its_own():
    """The same name twice is an error: which one would a reader mean."""
    meter, _ = made()
    meter.checkpoint("warm")
    message = "a checkpoint is named 'warm' already; give each its own name"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        meter.checkpoint("warm")
