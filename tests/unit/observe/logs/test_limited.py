"""Loggers that are limited or sampled, and tell what they withheld."""

import io
import json
import logging
import random
import threading

import pytest
import structlog

from seawall import TokenBucket
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.observe.logs import JsonFormatter, LimitedFilter, LimitedProcessor, SampledFilter
from seawall.observe.tracing import Tracer


class Kept(logging.Handler):
    """Keeps what it is given."""

    def __init__(self, *filters):
        super().__init__()
        self.records = []
        for each in filters:
            self.addFilter(each)

    def emit(self, record):
        self.records.append(record)

    @property
    def messages(self):
        return [record.getMessage() for record in self.records]


def logger(handler):
    """A logger of its own with that handler."""
    log = logging.Logger("shop")
    log.addHandler(handler)
    return log


@pytest.fixture
def clock():
    """A clock that the limits go by."""
    return ManualClock()


def limited(clock, **options):
    """Two of a kind a minute."""
    return LimitedFilter(TokenBucket(2, per=60, clock=clock), **options)


def test_so_many_of_a_kind_pass_and_the_next_says_how_many_did_not(clock):
    """Two a minute; a kind is what is written in the code, whatever its arguments are."""
    handler = Kept(limited(clock))
    log = logger(handler)
    for n in range(10):
        log.warning("no answer from %s", f"bank {n}")
        log.error("no answer from %s", f"bank {n}")
    clock.advance(30)
    log.warning("no answer from %s", "100%% bank")
    log.warning("another kind")
    assert handler.messages == [
        "no answer from bank 0", "no answer from bank 0", "no answer from bank 1", "no answer from bank 1",
        "no answer from 100%% bank (8 like this were suppressed)", "another kind",
    ]  # fmt: skip
    assert handler.records[4].suppressed == 8
    assert handler.filters[0].suppressed == 16
    told = json.loads(JsonFormatter().format(handler.records[4]))
    assert (told["suppressed"], told.get("extra")) == (8, None)


def test_no_record_is_uncounted_under_threads(clock):
    """What passed and what was told is everything that was written."""
    handler = Kept(limited(clock))
    log = logger(handler)
    threads = [threading.Thread(target=lambda: [log.warning("x") for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = handler.filters[0].tell(log)
    assert len(handler.records) == 3
    assert 2 + told == 2_000
    assert handler.messages[-1] == "1998 records were suppressed: x"


def test_what_is_never_followed_is_told_on_demand(clock):
    """A line a kind, once, past the limit."""
    handler = Kept(limited(clock))
    log = logger(handler)
    for _ in range(5):
        log.warning("a")
        log.error("b")
    assert handler.filters[0].tell(log) == 6
    assert handler.messages[-2:] == ["3 records were suppressed: a", "3 records were suppressed: b"]
    assert handler.filters[0].tell(log) == 0


def test_grave_records_always_pass(clock):
    """From `exempt` on; by default critical ones."""
    handler = Kept(limited(clock, exempt="ERROR"))
    log = logger(handler)
    for _ in range(5):
        log.error("x")
        log.warning("y")
    assert handler.messages.count("x") == 5
    assert handler.messages.count("y") == 2


def test_a_kind_may_be_anything(clock):
    """Such as the tenant."""
    handler = Kept(limited(clock, key=lambda record: record.tenant))
    log = logger(handler)
    for n in range(4):
        for tenant in "ab":
            log.warning("x %d", n, extra={"tenant": tenant})
    assert [(record.tenant, record.getMessage()) for record in handler.records] == [
        ("a", "x 0"), ("b", "x 0"), ("a", "x 1"), ("b", "x 1"),
    ]  # fmt: skip


def test_one_filter_on_two_handlers_counts_a_record_once(clock):
    """Both handlers see the same records."""
    one_filter = limited(clock)
    one, two = Kept(one_filter), Kept(one_filter)
    log = logger(one)
    log.addHandler(two)
    for _ in range(5):
        log.warning("x")
    assert len(one.records) == len(two.records) == 2
    assert one_filter.suppressed == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: LimitedFilter(5),
            "limit must be a limit such as TokenBucket(5, per=60), or a keyed one, got 5",
        ),
        (
            lambda: LimitedFilter(TokenBucket(5), exempt="LOUD"),
            "exempt must be a level such as 'ERROR' or logging.ERROR, got 'LOUD'",
        ),
        (lambda: SampledFilter(2), "share must be 0 to 1, got 2"),
    ],
)
def test_what_can_never_work_is_refused(make, message):
    """The option, the value and the way out are named."""
    with pytest.raises(ConfigError) as error:
        make()
    assert str(error.value) == message


def test_structlog_is_limited_too(clock):
    """Events over the limit are dropped; the next says how many."""
    written = io.StringIO()
    processor = LimitedProcessor(TokenBucket(1, per=60, clock=clock).keyed(100))
    log = structlog.wrap_logger(
        structlog.PrintLogger(written), processors=[processor, structlog.processors.JSONRenderer(sort_keys=True)]
    )
    for n in range(4):
        log.info("slow", n=n)
    clock.advance(60)
    log.info("slow", n=4)
    assert [json.loads(line) for line in written.getvalue().splitlines()] == [
        {"event": "slow", "n": 0},
        {"event": "slow", "n": 4, "suppressed": 3},
    ]
    assert processor.suppressed == 3


def test_a_share_of_records_passes_and_says_which_share():
    """By chance outside traces; warnings and worse always."""
    handler = Kept(SampledFilter(0.25, rng=random.Random(7)))
    log = logger(handler)
    for _ in range(4_000):
        log.info("x")
    log.warning("y")
    assert abs(len(handler.records) - 1_001) < 5 * 27.4
    assert handler.records[0].sample_rate == 0.25
    assert not hasattr(handler.records[-1], "sample_rate")


def test_in_a_trace_all_lines_pass_or_none():
    """With the tracer's share, the lines that pass are those of sampled traces."""
    handler = Kept(SampledFilter(0.5))
    log = logger(handler)
    tracer = Tracer("shop", sample=0.5, keep_errors=False)
    for _ in range(100):
        with tracer.span("s") as span:
            log.info("a")
            log.info("b")
            assert len(handler.records) == (2 if span.sampled else 0)
            handler.records.clear()
