"""Guards and measures that publish themselves."""

import gc
import os

import pytest

import seawall as sw
from seawall.errors import ConfigError
from seawall.guard import Pipeline, made
from seawall.guard.retry import RetryBudget
from seawall.measure import Counter, Gauge, Histogram, ThroughputMeter
from seawall.memory import Segment
from seawall.observe.metrics import Metrics


def values(metrics, name):
    """{(name, pipeline): value} of a family; {} where there is none."""
    family = metrics.snapshot().family(name)
    return {} if family is None else {tuple(v for _, v in s.labels): s.value for s in family.samples}


def test_a_guard_publishes_its_counts_and_levels():
    """A limit, a breaker and a bulkhead, each by its name."""
    metrics = Metrics(prefix="app_")
    limit, breaker = sw.TokenBucket(2, name="api"), sw.CircuitBreaker("pay", consecutive=1)
    metrics.instrument(limit, breaker, sw.Bulkhead(3, name="pool"))
    for _ in range(3):
        limit.try_acquire()
    breaker.enter().success()
    breaker.enter().failure()
    assert values(metrics, "seawall_limit_admitted") == {("api", ""): 2.0}
    assert values(metrics, "seawall_limit_refused") == {("api", ""): 1.0}
    assert values(metrics, "seawall_breaker_successes") == {("pay", ""): 1.0}
    assert values(metrics, "seawall_breaker_transitions") == {("pay", ""): 1.0}
    states = values(metrics, "seawall_breaker_state")
    assert {state for (_, _, state), value in states.items() if value} == {"open"}
    assert values(metrics, "seawall_bulkhead_max_concurrent") == {("pool", ""): 3.0}


def test_counts_are_published_once_however_often_somebody_looks():
    """Snapshots, texts and flushes in between change nothing."""
    metrics = Metrics()
    limit = sw.TokenBucket(100, name="api")
    metrics.instrument(limit)
    metrics.instrument(limit)
    for _ in range(3):
        limit.try_acquire()
        metrics.flush()
        metrics.to_prometheus()
    assert values(metrics, "seawall_limit_admitted") == {("api", ""): 3.0}


def test_the_policies_of_a_pipeline_carry_its_name():
    """So that the retry of one pipeline is told from that of another."""
    metrics = Metrics()
    calls = Pipeline(sw.TokenBucket(9), sw.Retry(attempts=2), name="calls")
    mails = Pipeline(sw.Retry(attempts=2), name="mails")
    metrics.instrument(calls, mails)
    for _ in range(2):
        calls(lambda: None)()
    mails(lambda: None)()
    assert values(metrics, "seawall_retry_calls") == {("retry", "calls"): 2.0, ("retry", "mails"): 1.0}
    assert values(metrics, "seawall_limit_admitted") == {("token_bucket", "calls"): 2.0}


def test_objects_of_one_name_add_up():
    """Two limits called alike are one series: their counts together, the least that is left."""
    metrics = Metrics()
    few, many = sw.TokenBucket(2, name="api"), sw.TokenBucket(50, name="api")
    metrics.instrument(few, many)
    few.try_acquire()
    many.try_acquire()
    assert values(metrics, "seawall_limit_admitted") == {("api", ""): 2.0}
    assert values(metrics, "seawall_limit_remaining") == {("api", ""): 1.0}


def test_everything_that_is_and_will_be_made_is_published():
    """Guards made before and after, budgets and keyed limits, as long as they live."""
    before = sw.TokenBucket(9, name="before")
    metrics = Metrics()
    metrics.instrument_all()
    after = Pipeline(sw.Timeout(1, name="slow"), name="after")
    keyed, budget = before.keyed(100, name="by_key"), RetryBudget(name="spent")
    before.try_acquire()
    keyed.try_acquire("a")
    admitted = values(metrics, "seawall_limit_admitted")
    assert admitted["before", ""] == 1.0
    assert values(metrics, "seawall_keyed_limit_admitted")["by_key", ""] == 1.0
    assert values(metrics, "seawall_timeout_timed_out")["slow", "after"] == 0.0
    assert ("spent", "") in values(metrics, "seawall_retry_budget_refused")
    del after, keyed, budget


def test_a_guard_that_is_gone_has_no_levels_and_keeps_its_counts():
    """What it counted was true; what it would admit now is not."""
    metrics = Metrics()
    metrics.instrument_all()
    limit = sw.TokenBucket(5, name="short-lived")
    limit.try_acquire()
    assert values(metrics, "seawall_limit_remaining")["short-lived", ""] == 4.0
    del limit
    gc.collect()
    assert ("short-lived", "") not in values(metrics, "seawall_limit_remaining")
    assert values(metrics, "seawall_limit_admitted")["short-lived", ""] == 1.0


def test_who_listens_no_more_costs_nothing_more():
    """Metrics that are gone leave nobody who listens for new guards."""
    gc.collect()  # what other tests left behind
    listening = made.receivers
    metrics = Metrics()
    metrics.instrument_all()
    assert made.receivers == listening + 1
    del metrics
    gc.collect()
    assert made.receivers == listening


def test_a_limit_in_a_segment_is_counted_once_for_all_who_use_it(tmp_path):
    """Its counts are those of all workers, so they are not added up by each."""
    segment = Segment(str(tmp_path / "shared"), size=4 << 20)
    workers = [(Metrics(segment), sw.TokenBucket(100, name="api", shared=segment)) for _ in range(3)]
    for metrics, limit in workers:
        metrics.instrument(limit)
        limit.try_acquire()
    for metrics, _ in workers:
        metrics.flush()
    assert values(workers[0][0], "seawall_limit_admitted") == {("api", ""): 3.0}


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # 3.12 and later: it is what is tested
def test_workers_fold_what_their_own_guards_count_into_shared_metrics(tmp_path):
    """Children of a preloading parent publish their own counts, and the parent's only once."""
    metrics = Metrics(Segment(str(tmp_path / "shared"), size=4 << 20))
    limit, served = sw.TokenBucket(1000, name="api"), Counter()
    metrics.instrument(limit, served=served)
    for _ in range(5):
        limit.try_acquire()
        served.inc()
    for _ in range(3):
        child = os.fork()
        if child == 0:
            for _ in range(10):
                limit.try_acquire()
                served.inc()
            metrics.flush()
            os._exit(0)
        os.waitpid(child, 0)
    assert values(metrics, "seawall_limit_admitted") == {("api", ""): 35.0}
    assert values(metrics, "served") == {(): 35.0}


def test_measures_are_published_by_the_names_they_are_given():
    """A counter, a gauge, a histogram and a meter."""
    metrics = Metrics()
    served, level, spread = Counter(), Gauge(), Histogram(digits=2)
    meter = ThroughputMeter("uploads")
    metrics.instrument(meter, served=served, level=level, spread_seconds=spread)
    served.inc(3)
    level.set(-1)
    spread.record_many([0.25, 0.5])
    meter.record(2, bytes=100)
    metrics.flush()
    spread.record(0.5)
    seen = metrics.snapshot().family("spread_seconds").samples[0].value
    assert (seen.count, seen.sum) == (3, 1.25)
    assert values(metrics, "served") == {(): 3.0}
    assert values(metrics, "level") == {(): -1.0}
    assert values(metrics, "seawall_throughput_requests") == {("uploads", ""): 2.0}
    assert values(metrics, "seawall_throughput_bytes") == {("uploads", ""): 100.0}


def test_what_tells_nothing_is_refused():
    """An object without statistics, a counter without a name, and a name without a measure."""
    metrics = Metrics()
    with pytest.raises(ConfigError) as refused:
        metrics.instrument(3)
    assert str(refused.value) == ("3 has no statistics to publish; give counters and histograms a name: name=object")
    with pytest.raises(ConfigError) as refused:
        metrics.instrument(served=3)
    assert str(refused.value) == "served must be a Counter, Gauge or Histogram of seawall.measure, got 3"


def test_a_flusher_publishes_without_anybody_looking(tmp_path):
    """A thread flushes until it is closed, and then a last time."""
    segment = Segment(str(tmp_path / "shared"), size=4 << 20)
    metrics, reader = Metrics(segment), Metrics(segment)
    served = Counter()
    metrics.instrument(served=served)
    with metrics.flush_every(3600):
        served.inc(2)
    assert values(reader, "served") == {(): 2.0}
