"""Laws of the latency analyzer and the throughput meter, against plain lists."""

import math

from hypothesis import given
from hypothesis import strategies as st

from seawall.clock import ManualClock
from seawall.measure import Histogram, LatencyAnalyzer, ThroughputMeter

latencies = st.lists(st.one_of(st.just(0.0), st.floats(1e-9, 3600), st.floats(0.001, 1)), max_size=80)
# (nanoseconds that pass, requests, bytes)
events = st.lists(st.tuples(st.integers(0, 5 * 10**9), st.integers(0, 50), st.integers(0, 10**6)), max_size=60)


@given(latencies, st.integers(1, 4), st.lists(st.floats(0, 100), max_size=5))
def test_percentiles_are_the_histograms(values, digits, percents):
    """Whatever is recorded and asked, an analyzer answers as a histogram of the same options."""
    analyzer, histogram = LatencyAnalyzer(digits=digits), Histogram(digits=digits)
    for value in values:
        analyzer.record(value)
    histogram.record_many(values)
    pairs = zip(percents, histogram.percentiles(percents), strict=True)
    assert all(analyzer.percentile(p) == want or math.isnan(want) for p, want in pairs)
    assert analyzer.snapshot() == analyzer.window() == histogram


@given(latencies, st.floats(1e-3, 10))
def test_an_array_is_corrected_like_its_values(values, expected_interval):
    """record_many with an expected interval counts what record counts for each value."""
    one, many = (LatencyAnalyzer(digits=2, expected_interval=expected_interval) for _ in range(2))
    for value in values:
        one.record(value)
    many.record_many(values)
    assert one.snapshot() == many.snapshot()


@given(latencies, st.integers(1, 4), st.integers(2, 200))
def test_otlp_counts_every_latency_near_where_it_was(values, digits, max_buckets):
    """Counts sum to the count within the room; every value lies in a filled bucket, give or take the stated error."""
    analyzer = LatencyAnalyzer(digits=digits)
    analyzer.record_many(values)
    otlp = analyzer.to_otlp(max_buckets=max_buckets)
    filled, offset, base = otlp["positive"]["bucket_counts"], otlp["positive"]["offset"], 2.0 ** -otlp["scale"]
    assert otlp["zero_count"] + sum(filled) == otlp["count"] == len(values)
    assert len(filled) <= max_buckets
    bounds = [(2 ** ((offset + i) * base), 2 ** ((offset + i + 1) * base)) for i, n in enumerate(filled) if n]
    for value in values:
        error = max(1e-6, value / 10**digits) / 2 + 1e-9
        near = any(low - error <= value <= high + error for low, high in bounds)
        assert near or (otlp["zero_count"] and value <= otlp["zero_threshold"] + 1e-9)


@given(latencies, st.lists(st.floats(1e-6, 3600), unique=True, max_size=8))
def test_prometheus_bounds_are_right_but_for_a_bucket(values, bounds):
    """A bucket counts at least what does not exceed its bound, and at most what exceeds it by the stated error."""
    analyzer = LatencyAnalyzer()
    analyzer.record_many(values)
    lines = [line for line in analyzer.to_prometheus(sorted(bounds), labels={}).splitlines() if "_bucket" in line]
    counts = [int(line.rpartition(" ")[2]) for line in lines]
    assert counts[-1] == len(values)
    for bound, count in zip(sorted(bounds), counts, strict=False):
        far = bound + max(1e-6, bound / 1000) + 1e-9
        assert sum(v <= bound for v in values) <= count <= sum(v <= far for v in values)


@given(events, st.integers(1, 3 * 10**9), st.integers(1, 8))
def test_totals_windows_and_rates_are_those_of_a_list(happened, window_ns, keep):
    """Totals, kept windows, peak and rates are what a plain list of all records gives."""
    clock = ManualClock(5)
    meter = ThroughputMeter(window=window_ns / 1e9, keep=keep, clock=clock)
    now, seen = 0, []
    for passed, requests, size in happened:
        clock.advance(passed / 1e9)
        now += passed
        meter.record(requests, size)
        seen.append((now // window_ns, requests, size))
    running = now // window_ns
    assert (meter.requests, meter.bytes) == (sum(s[1] for s in seen), sum(s[2] for s in seen))
    kept = range(max(0, running - keep), running)
    want = [(sum(s[1] for s in seen if s[0] == i), sum(s[2] for s in seen if s[0] == i)) for i in kept]
    assert [(w.requests, w.bytes) for w in meter.series()] == want
    if running:
        per_window = [sum(s[1] for s in seen if s[0] == i) for i in {s[0] for s in seen if s[0] < running}]
        assert meter.peak.requests == max(per_window, default=0) * 1e9 / window_ns
    if now:
        recent = sum(s[1] for s in seen if s[0] >= running - keep)
        assert meter.rate().requests == recent * 1e9 / (now - max(0, running - keep) * window_ns)
