"""RED, USE and the golden signals of a service whose numbers are known."""

from __future__ import annotations

import pytest

from seawall.errors import ConfigError
from seawall.measure import Histogram
from seawall.observe import Distribution, Family, Matching, Recording, Sample, Selector, Snapshot
from seawall.observe.signals import Busy, Resource, Service, Share, golden, red, table, use

SHOP = Service(
    name="shop",
    requests="http_requests",
    errors=Selector("http_requests", code=Matching("5..")),
    duration=Selector("http_request_duration", outcome="ok"),
    failed_duration=Selector("http_request_duration", outcome="failed"),
    saturation="pool_used",
)


def labels(**values: str) -> tuple[tuple[str, str], ...]:
    """Labels of a sample."""
    return tuple(sorted(values.items()))


def minute(number: int, fast: Histogram, slow: Histogram) -> Snapshot:
    """The service after so many minutes: 540 good requests a minute to /a, 60 bad ones to /b."""
    fast.record_many([0.010] * 540 if number else [])
    slow.record_many([2.0] * 60 if number else [])
    requests = (
        Sample(labels(route="/a", code="200"), 540.0 * number),
        Sample(labels(route="/b", code="503"), 60.0 * number),
    )
    durations = (
        Sample(labels(outcome="ok"), Distribution.of(fast)),
        Sample(labels(outcome="failed"), Distribution.of(slow)),
    )
    pools = (Sample(labels(pool="x"), 0.1), Sample(labels(pool="y"), (0.2, 0.9, 0.4)[number]))
    families = (
        Family("http_requests", "counter", requests),
        Family("http_request_duration", "histogram", durations, unit="seconds"),
        Family("pool_used", "gauge", pools),
        Family("pool_size", "gauge", (Sample((), 20.0),)),
        Family("pool_taken", "gauge", (Sample((), 5.0 * number),)),
        Family("pool_waiting", "gauge", (Sample((), 3.0 * number),)),
        Family("pool_errors", "counter", (Sample((), 2.0 * number),)),
        Family("cpu", "counter", (Sample((), 30.0 * number * number),), unit="seconds"),
    )
    return Snapshot(60.0 * number, families)


@pytest.fixture
def recording() -> Recording:
    """Two minutes of the service."""
    made, fast, slow = Recording(), Histogram(), Histogram()
    for number in range(3):
        made.append(minute(number, fast, slow))
    return made


def test_red_is_rate_errors_and_duration(recording: Recording) -> None:
    """The readings are those of the requests that were made."""
    reading = red(recording.window(120), SHOP)
    assert (reading.seconds, reading.rate, reading.errors, reading.error_ratio) == (120.0, 10.0, 1.0, 0.1)
    assert reading.duration.count == 1080
    assert reading.duration.p50 == reading.duration.p99 == pytest.approx(0.010, rel=1e-3)
    assert reading.to_dict()["duration"]["mean"] == pytest.approx(0.010)


def test_golden_signals_keep_failures_apart(recording: Recording) -> None:
    """Failed requests have a latency of their own, and saturation is that of the fullest part."""
    reading = golden(recording.window(120), SHOP)
    assert (reading.traffic, reading.errors) == (10.0, 0.1)
    assert reading.latency.p99 == pytest.approx(0.010, rel=1e-3)
    assert reading.failed_latency is not None
    assert reading.failed_latency.p50 == pytest.approx(2.0, rel=1e-3)
    assert (reading.saturation, reading.peak_saturation) == (0.4, 0.9)


def test_a_service_is_read_route_by_route(recording: Recording) -> None:
    """The parts of a service add up to it."""
    window = recording.window(120)
    parts = [red(window, part) for part in SHOP.split(window, "route")]
    assert [(part.name, part.rate, part.error_ratio) for part in parts] == [("/a", 9.0, 0.0), ("/b", 1.0, 1.0)]
    with pytest.raises(ConfigError, match=r"^split needs the names of labels, such as split\(window, 'route'\)$"):
        SHOP.split(window)


def test_use_of_two_gauges(recording: Recording) -> None:
    """Utilisation is used to capacity, on average and at its peak; the snapshot before the window is not of it."""
    pool = Resource(
        name="pool", utilisation=Share("pool_taken", "pool_size"), saturation="pool_waiting", errors="pool_errors"
    )
    reading = use(recording.window(120), pool)
    assert (reading.utilisation, reading.peak_utilisation) == (0.375, 0.5)
    assert (reading.saturation, reading.peak_saturation, reading.errors) == (4.5, 6.0, 4.0)


def test_use_of_busy_time(recording: Recording) -> None:
    """Busy seconds a second, shared among the workers, are the utilisation."""
    reading = use(recording.window(120), Resource(name="cpu", utilisation=Busy("cpu", workers=2)))
    assert (reading.utilisation, reading.peak_utilisation) == (0.5, 0.75)
    assert (reading.saturation, reading.errors) == (None, None)
    with pytest.raises(ConfigError, match=r"^workers must be at least 1, got 0$"):
        Busy("cpu", workers=0)


def test_what_nothing_is_known_of_is_none() -> None:
    """An empty recording has no zeros to show."""
    window = Recording().window(60)
    reading = red(window, SHOP)
    assert (reading.rate, reading.errors, reading.error_ratio, reading.duration.count) == (None, None, None, 0)
    assert golden(window, SHOP).saturation is None
    assert use(window, Resource(name="cpu", utilisation="cpu_share", errors="cpu_errors")).errors is None


def test_no_failures_are_none_at_all_where_there_were_requests() -> None:
    """A counter of errors that never counted is 0 errors, not unknown ones."""
    recording = Recording()
    for at in (0.0, 10.0):
        recording.append(Snapshot(at, (Family("calls", "counter", (Sample((), at),)),)))
    reading = red(recording.window(10), Service(name="s", requests="calls", errors="failures"))
    assert (reading.rate, reading.errors, reading.error_ratio) == (1.0, 0.0, 0.0)


def test_tables_are_for_people(recording: Recording) -> None:
    """Each kind of reading has its table, and what is not known is a dash."""
    window = recording.window(120)
    assert table([red(window, SHOP), red(window, Service(name="idle", requests="none"))]).splitlines() == [
        "service  rate  errors  error ratio   mean    p50    p95    p99",
        "shop     10/s     1/s      10.00 %  10 ms  10 ms  10 ms  10 ms",
        "idle        -       -            -      -      -      -      -",
    ]
    assert table([golden(window, SHOP)]).splitlines() == [
        "service  traffic   errors    p50    p99  failed p99  saturation  at its peak",
        "shop        10/s  10.00 %  10 ms  10 ms         2 s     40.00 %      90.00 %",
    ]
    pool = Resource(name="pool", utilisation=Share("pool_taken", "pool_size"), errors="pool_errors")
    assert table([use(window, pool)]).splitlines() == [
        "resource  utilisation  at its peak  saturation  at its peak  errors",
        "pool          37.50 %      50.00 %           -            -       4",
    ]
    assert table([]) == ""
    with pytest.raises(ConfigError, match=r"^readings must be of one kind, got Golden, Red$"):
        table([red(window, SHOP), golden(window, SHOP)])
