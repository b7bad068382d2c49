"""Families and series: what is counted, what it is called, what is refused."""

import asyncio

import pytest

from seawall.clock import ManualClock
from seawall.errors import ConfigError, SegmentError
from seawall.memory import Segment
from seawall.observe import Exemplar, Sample
from seawall.observe.metrics import Metrics


def samples(metrics, name):
    """{label values: value} of a family."""
    family = metrics.snapshot().family(name)
    return {tuple(value for _, value in sample.labels): sample.value for sample in family.samples}


def test_a_counter_counts_whole_numbers_and_fractions_exactly():
    """A counter counts whole numbers and fractions exactly."""
    counter = Metrics().counter("cpu_seconds_total")
    counter.inc()
    counter.inc(41)
    for _ in range(10):
        counter.inc(0.1)
    assert counter.value == 43.0


def test_labels_by_position_by_name_and_as_numbers_are_one_series():
    """Labels by position by name and as numbers are one series."""
    requests = Metrics().counter("requests", "", ("method", "code"))
    requests.labels("GET", "200").inc()
    requests.labels(code="200", method="GET").inc()
    requests.labels("GET", 200).inc()
    assert requests.labels("GET", "200").value == 3


def test_values_that_are_equal_but_written_differently_are_series_of_their_own():
    """Values that are equal but written differently are series of their own."""
    flags = Metrics().counter("flags", "", ("value",))
    for value in (1, True, 1.0, "1"):
        flags.labels(value).inc()
    assert {value: flags.labels(value).value for value in ("1", "True", "1.0")} == {"1": 2, "True": 1, "1.0": 1}


def test_a_snapshot_has_families_and_labels_by_name_with_help_and_unit():
    """A snapshot has families and labels by name with help and unit."""
    metrics = Metrics(prefix="app_", labels={"version": "7"}, clock=ManualClock(5.0))
    metrics.gauge("b_bytes", "Taken.").set(2)
    metrics.counter("a_total", "Counted.", ("z", "c")).labels("1", "2").inc()
    snapshot = metrics.snapshot()
    assert snapshot.at == 5.0
    assert [(f.name, f.kind, f.help, f.unit, f.samples) for f in snapshot.families] == [
        ("app_a", "counter", "Counted.", "", (Sample((("c", "2"), ("version", "7"), ("z", "1")), 1.0),)),
        ("app_b_bytes", "gauge", "Taken.", "bytes", (Sample((("version", "7"),), 2.0),)),
    ]


def test_a_histogram_says_count_sum_and_quantiles_of_what_was_observed():
    """A histogram says count sum and quantiles of what was observed."""
    metrics = Metrics()
    latency = metrics.histogram("latency_seconds")
    for value in (0.25, 0.5, 1):
        latency.observe(value)
    seen = metrics.snapshot().family("latency_seconds").samples[0].value
    assert (seen.count, seen.sum) == (3, 1.75)
    assert seen.quantile(0.5) == pytest.approx(0.5, rel=0.01)


def test_the_latest_exemplar_of_a_series_is_kept():
    """The latest exemplar of a series is kept."""
    metrics = Metrics(clock=ManualClock(9.0))
    counter, latency = metrics.counter("served"), metrics.histogram("latency_seconds")
    counter.inc(2, {"trace_id": "old"})
    counter.inc(3, exemplar={"trace_id": 'né\n"w', "span_id": "1"})
    latency.observe(0.5, {"trace_id": "t"})
    snapshot = metrics.snapshot()
    assert snapshot.family("served").samples[0].exemplars == (
        Exemplar((("trace_id", 'né\n"w'), ("span_id", "1")), 3.0, 9.0),
    )
    assert snapshot.family("latency_seconds").samples[0].exemplars == (Exemplar((("trace_id", "t"),), 0.5, 9.0),)


def test_an_exemplar_too_long_to_keep_is_left_out_and_the_count_is_not():
    """An exemplar too long to keep is left out and the count is not."""
    metrics = Metrics()
    metrics.counter("served").inc(1, {"trace_id": "x" * 300})
    (sample,) = metrics.snapshot().family("served").samples
    assert (sample.value, sample.exemplars) == (1.0, ())


def test_beyond_max_series_everything_is_one_overflow_series_and_is_counted():
    """Beyond max series everything is one overflow series and is counted."""
    metrics = Metrics()
    users = metrics.counter("hits", "", ("user", "page"), max_series=2)
    for user in range(5):
        users.labels(user, "p").inc()
        users.labels(user, "p").inc()
    assert samples(metrics, "hits") == {("p", "0"): 2, ("p", "1"): 2, ("overflow", "overflow"): 6}
    assert samples(metrics, "seawall_metrics_dropped") == {("hits",): 6}


def test_where_memory_ends_series_overflow_and_nothing_raises():
    """Where memory ends series overflow and nothing raises."""
    metrics = Metrics(memory=128 * 1024)
    latency = metrics.histogram("latency_seconds", "", ("route",))
    for route in range(20):
        latency.labels(f"/{route}").observe(0.5)
    seen = {key: value.count for key, value in samples(metrics, "latency_seconds").items()}
    assert sum(seen.values()) == 20
    assert seen[("overflow",)] == samples(metrics, "seawall_metrics_dropped")["latency_seconds",] > 10


def test_a_label_value_beyond_two_kilobytes_overflows():
    """A label value beyond two kilobytes overflows."""
    metrics = Metrics()
    pages = metrics.counter("pages", "", ("url",))
    pages.labels("/" + "x" * 5000).inc()
    assert samples(metrics, "pages") == {("overflow",): 1}


def test_a_family_for_which_there_is_no_memory_is_an_error_that_says_how_much_there_is():
    """A family for which there is no memory is an error that says how much there is."""
    metrics = Metrics(memory=64 * 1024)
    with pytest.raises(SegmentError) as refused:
        metrics.histogram("latency_seconds", digits=4)
    assert str(refused.value) == (
        "there is no memory for the histogram latency_seconds: 1152 of 65536 bytes are used; "
        "make the metrics with more memory"
    )


def test_the_same_definition_again_is_the_same_object():
    """The same definition again is the same object."""
    metrics = Metrics()
    assert metrics.counter("a_total", "help") is metrics.counter("a", "other help")
    assert metrics.gauge("g", "", ("x",)) is metrics.gauge("g", labels=["x"])


@pytest.mark.parametrize(
    ("again", "message"),
    [
        (lambda m: m.gauge("a", "", ("x",)), "metric a has kind='counter', asked for was kind='gauge'; "),
        (lambda m: m.counter("a"), "metric a has labels=('x',), asked for was labels=(); "),
        (lambda m: m.gauge("g", across="max"), "metric g has across='sum', asked for was across='max'; "),
        (
            lambda m: m.histogram("h_seconds", highest=60),
            "metric h_seconds has lowest=1e-06, highest=3600, digits=2, asked for was lowest=1e-06, highest=60, "
            "digits=2; ",
        ),
        (
            lambda m: m.histogram("h_seconds", bounds=(1, 2)),
            "metric h_seconds has bounds=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0), "
            "asked for was bounds=(1.0, 2.0); ",
        ),
    ],
)
def test_another_definition_of_a_name_is_refused_with_both(again, message):
    """Another definition of a name is refused with both."""
    metrics = Metrics()
    metrics.counter("a", "", ("x",))
    metrics.gauge("g")
    metrics.histogram("h_seconds")
    with pytest.raises(ConfigError) as refused:
        again(metrics)
    assert str(refused.value) == message + "ask for the same or choose another name"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda m: m.counter("0a"),
            "name must be letters, digits, _ and :, start with no digit and have at most 200 characters, got '0a'; "
            "http_requests is one",
        ),
        (
            lambda m: m.counter("_total"),
            "name must say what is counted before _total, got '_total'; http_requests_total does",
        ),
        (lambda m: m.counter("a", "", "x"), "labels must be names in a tuple, got 'x'; labels=('x',) has one"),
        (
            lambda m: m.counter("a", "", ("é",)),
            "a label must be letters, digits and _, and start with no digit, got 'é'",
        ),
        (
            lambda m: m.counter("a", "", ("le",)),
            "a label must not be le or quantile nor start with __, which formats use, got 'le'",
        ),
        (
            lambda m: m.counter("a", "", ("__x",)),
            "a label must not be le or quantile nor start with __, which formats use, got '__x'",
        ),
        (lambda m: m.counter("a", "", ("x", "x")), "labels must be different names, at most 32, got ('x', 'x')"),
        (
            lambda m: m.counter("a", unit="seconds"),
            "unit must be what the name ends with, got 'seconds' for a; call it a_seconds",
        ),
        (
            lambda m: m.counter("a", max_series=0),
            "max_series must be 1 to 1,000,000, got 0; 1,000 is the default",
        ),
        (
            lambda m: m.gauge("a", across="mean"),
            "across must be 'sum', 'min', 'max' or 'last', got 'mean'; 'sum' is the default",
        ),
        (
            lambda m: m.histogram("a", bounds=(2, 1)),
            "bounds must be rising numbers above 0, at most 200, got (2, 1); +Inf is added by itself",
        ),
        (
            lambda m: m.histogram("a", bounds=(1, 7200)),
            "bounds must be 1e-9 to highest, 3600, got (1, 7200); raise highest",
        ),
        (
            lambda m: m.counter("a", "", ("job",)),
            "a must not have the label 'job', which is a constant label of these metrics",
        ),
        (lambda m: Metrics(prefix="7"), "prefix must be letters, digits, _ and :, and start with no digit, got '7'"),
        (lambda m: Metrics(workers=0), "workers must be 1 to 4,096 processes, got 0; 64 is the default"),
        (lambda m: Metrics(memory=1), "memory must be 65,536 to 68,719,476,736 bytes, got 1"),
    ],
)
def test_what_can_never_work_is_refused_with_the_way_out(make, message):
    """What can never work is refused with the way out."""
    with pytest.raises(ConfigError) as refused:
        make(Metrics(labels={"job": "web"}))
    assert str(refused.value) == message


def test_names_that_texts_would_mix_up_are_refused():
    """Names that texts would mix up are refused."""
    metrics = Metrics()
    metrics.histogram("queue")
    with pytest.raises(ConfigError) as refused:
        metrics.gauge("queue_count")
    assert str(refused.value) == "gauge queue_count would share names with queue in texts; choose another name"


@pytest.mark.parametrize("values", [(), ("a",), ("a", "b", "c")])
def test_other_labels_than_the_family_has_are_refused(values):
    """Other labels than the family has are refused."""
    requests = Metrics().counter("requests", "", ("method", "code"))
    with pytest.raises(ValueError, match=r"^requests has the labels \(method, code\), got "):
        requests.labels(*values)


def test_a_family_with_labels_says_that_it_has_them():
    """A family with labels says that it has them."""
    requests = Metrics().counter("requests", "", ("method", "code"))
    with pytest.raises(ConfigError) as refused:
        requests.inc()
    assert str(refused.value) == "requests has labels, so say which series: labels(method=..., code=...).inc()"


@pytest.mark.parametrize("n", [-1, -0.5, float("nan"), float("inf"), 1e19, 10**400])
def test_a_counter_refuses_what_it_cannot_add_and_keeps_its_total(n):
    """A counter refuses what it cannot add and keeps its total."""
    counter = Metrics().counter("a")
    with pytest.raises(ValueError, match=r"^n must "):
        counter.inc(n)
    assert counter.value == 0


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_histogram_refuses_what_it_cannot_count(value):
    """A histogram refuses what it cannot count."""
    metrics = Metrics()
    latency = metrics.histogram("a_seconds")
    with pytest.raises(ValueError, match=r"^value must be finite and not negative, got "):
        latency.observe(value)
    assert metrics.snapshot().family("a_seconds").samples[0].value.count == 0


def test_a_gauge_that_nobody_has_set_says_nothing():
    """A gauge that nobody has set says nothing."""
    metrics = Metrics()
    gauge = metrics.gauge("temperature")
    assert metrics.snapshot().family("temperature").samples == ()
    gauge.set(0)
    assert samples(metrics, "temperature") == {(): 0.0}


def test_a_gauge_of_the_last_value_moves_too():
    """A gauge of the last value moves too."""
    metrics = Metrics()
    gauge = metrics.gauge("level", across="last")
    gauge.set(-2.5)
    gauge.inc()
    gauge.dec(0.5)
    assert (gauge.value, samples(metrics, "level")) == (-2.0, {(): -2.0})


def test_a_timer_measures_blocks_functions_and_coroutines_even_when_they_raise():
    """A timer measures blocks functions and coroutines even when they raise."""
    clock = ManualClock()
    metrics = Metrics(clock=clock)
    latency = metrics.histogram("latency_seconds")
    with latency.time():
        clock.advance(2)

    @latency.time()
    def fail():
        clock.advance(3)
        raise LookupError

    @latency.time()
    async def wait():
        clock.advance(4)

    with pytest.raises(LookupError):
        fail()
    asyncio.run(wait())
    seen = metrics.snapshot().family("latency_seconds").samples[0].value
    assert (seen.count, seen.sum) == (3, 9.0)


def test_work_in_progress_is_counted_while_it_runs():
    """Work in progress is counted while it runs."""
    gauge = Metrics().gauge("inprogress")
    with gauge.track_inprogress():
        assert gauge.value == 1
    assert gauge.value == 0


def test_functions_are_asked_when_a_snapshot_is_taken_and_vanish_with_their_answers():
    """Functions are asked when a snapshot is taken and vanish with their answers."""
    metrics = Metrics()
    answers = {"pool": 3.0, "queue": 4.0}
    metrics.observe_gauge("size", lambda: answers, labels=("what",))
    metrics.observe_gauge("broken", lambda: 1 / 0)
    metrics.observe_gauge("absent", lambda: None)
    assert samples(metrics, "size") == {("pool",): 3.0, ("queue",): 4.0}
    del answers["pool"]
    assert samples(metrics, "size") == {("queue",): 4.0}
    assert samples(metrics, "broken") == samples(metrics, "absent") == {}
    assert samples(metrics, "seawall_metrics_failed")["broken",] == 5


def test_who_names_the_segment_counts_in_the_same_metrics(tmp_path):
    """Who names the segment counts in the same metrics."""
    segment = Segment(str(tmp_path / "metrics"), size=1 << 20)
    one, other = Metrics(segment), Metrics(segment)
    one.counter("a", "", ("x",)).labels("1").inc()
    other.counter("a", "", ("x",)).labels("1").inc()
    assert samples(one, "a") == samples(other, "a") == {("1",): 2}
    with pytest.raises(ConfigError, match=r"^metric a has kind='counter', asked for was kind='gauge'; "):
        other.gauge("a", "", ("x",))


def test_label_values_of_any_kind_are_written_as_texts():
    """Numbers, enumerations, None and lists; texts of a class of their own are what they hold."""

    class Colour(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "never asked"

    seen = Metrics().counter("seen", "", ("what",))
    for value in (200, None, [1], Colour("red")):
        seen.labels(value).inc()
    assert [seen.labels(what).value for what in ("200", "None", "[1]", "red")] == [1, 1, 1, 1]


def test_an_exemplar_that_is_no_mapping_is_refused():
    """With what one looks like."""
    counter = Metrics().counter("seen")
    with pytest.raises(TypeError) as refused:
        counter.inc(1, "4bf92f")
    assert str(refused.value) == "exemplar must be a mapping such as {'trace_id': ...}, got '4bf92f'"
