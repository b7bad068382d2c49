"""Lines of logs: the ids they carry, and the forms they are written in."""

import io
import json
import logging
import logging.handlers
import queue

import pytest
import structlog

from seawall.errors import ConfigError, error_context
from seawall.observe.logs import IdsFilter, JsonFormatter, StoreHandler, add_ids
from seawall.observe.tracing import Tracer


def logger(name, *filters, formatter=None):
    """A logger of its own, and what it writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    for each in filters:
        handler.addFilter(each)
    handler.setFormatter(formatter)
    log = logging.Logger(name)
    log.addHandler(handler)
    return log, written


def record(message="paid %d", args=(3,), level=logging.INFO, **extra):
    """A record of a known time."""
    made = logging.LogRecord("shop.pay", level, "shop.py", 7, message, args, None)
    made.created = 1_700_000_000.25
    made.__dict__.update(extra)
    return made


@pytest.fixture
def tracer():
    """One that keeps everything."""
    return Tracer("shop")


def test_every_record_has_its_ids(tracer):
    """Those of the span and the request it is written in; none outside."""
    log, written = logger(
        "a", IdsFilter(), formatter=logging.Formatter("%(message)s [%(trace_id)s %(span_id)s %(correlation_id)s]")
    )
    log.warning("outside")
    with tracer.span("charge") as span, error_context(correlation_id="r-17"):
        log.warning("inside")
    assert written.getvalue().splitlines() == ["outside [  ]", f"inside [{span.trace_id} {span.span_id} r-17]"]


def test_unsampled_traces_have_ids_too():
    """Lines of one request belong together, whether it is traced or not."""
    log, written = logger("a", IdsFilter(), formatter=logging.Formatter("%(trace_id)s"))
    with Tracer("shop", sample=0, keep_errors=False).span("charge") as span:
        log.warning("x")
    assert written.getvalue() == f"{span.trace_id}\n"


def test_ids_pass_through_a_queue_into_another_thread(tracer):
    """Filtered where it is written, a record keeps its ids where it is handled."""
    records = queue.SimpleQueue()
    log = logging.Logger("a")
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(IdsFilter())
    log.addHandler(handler)
    with tracer.span("charge") as span:
        log.warning("x")
    assert json.loads(JsonFormatter().format(records.get()))["trace_id"] == span.trace_id


def test_a_plain_line_is_as_documented(tracer):
    """Golden: names, order, time and levels."""
    with tracer.span("charge") as span, error_context(correlation_id="r-17"):
        line = JsonFormatter(service="shop", fields={"env": "test"}).format(record(suppressed=2, order=7))
    assert line == (
        '{"time":"2023-11-14T22:13:20.250000Z","level":"info","logger":"shop.pay","message":"paid 3","service":"shop",'
        f'"env":"test","trace_id":"{span.trace_id}","span_id":"{span.span_id}","correlation_id":"r-17",'
        '"suppressed":2,"extra":{"order":7}}'
    )


def test_an_ecs_line_is_as_documented(tracer):
    """Golden: the field names of Elastic's schema."""
    with tracer.span("charge") as span, error_context(correlation_id="r-17"):
        line = JsonFormatter("ecs", service="shop").format(record(sample_rate=0.5, order=7, level=logging.ERROR))
    assert line == (
        '{"@timestamp":"2023-11-14T22:13:20.250000Z","log.level":"error","log.logger":"shop.pay","message":"paid 3",'
        f'"ecs.version":"8.11.0","service.name":"shop","trace.id":"{span.trace_id}","span.id":"{span.span_id}",'
        '"correlation.id":"r-17","labels.sample_rate":0.5,"labels":{"order":7}}'
    )


def test_an_exception_is_told_in_three_fields():
    """Its kind, what it says, and where it came from."""
    log, written = logger("a", formatter=JsonFormatter())
    try:
        int("no such card")
    except ValueError:
        log.exception("failed")
    told = json.loads(written.getvalue())
    assert (told["error_type"], told["error_message"][:15]) == ("ValueError", "invalid literal")
    assert told["error_stack"].endswith("with base 10: 'no such card'\n")


class Broken:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


ROUND = {}
ROUND["self"] = ROUND


@pytest.mark.parametrize(
    ("made", "field", "value"),
    [
        (record("two\nlines \u2028 🌊", ()), "message", "two\nlines \u2028 🌊"),
        (record("%d", ("x",)), "message", "%d ('x',)"),
        (record(object=Broken()), "extra", {"object": "<Broken that cannot be shown>"}),
        (record(kind=ValueError), "extra", {"kind": "<class 'ValueError'>"}),
        (record(number=float("nan")), "extra", "{'number': nan}"),
        (record(round=ROUND), "extra", "{'round': {'self': {...}}}"),
        (record(exc_info=(ValueError, ValueError("x"), None)), "error_message", "x"),
        (record(exc_info=(Exception, type("E", (Exception,), {"__str__": Broken.__str__})(), None)), "error_type", "E"),
        (record(exc_text="from a queue"), "error_stack", "from a queue"),
        (record(exc_info=(None, None, None)), "message", "paid 3"),
    ],
)
def test_whatever_is_logged_is_one_line_of_json(made, field, value):
    """What has no form in JSON is its text; nothing raises, and nothing breaks the line."""
    line = JsonFormatter().format(made)
    assert "\n" not in line
    assert json.loads(line)[field] == value


def test_an_unknown_style_is_refused():
    """With those there are."""
    with pytest.raises(ConfigError) as error:
        JsonFormatter("xml")
    assert str(error.value) == "style must be 'plain' or 'ecs', got 'xml'"


def test_structlog_events_have_their_ids(tracer):
    """Through a whole chain of processors; ids of the event's own stay."""
    written = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(written), processors=[add_ids, structlog.processors.JSONRenderer(sort_keys=True)]
    )
    log.info("outside")
    with tracer.span("charge") as span, error_context(correlation_id="r-17"):
        log.info("inside", order=7)
        log.info("own", trace_id="mine")
    outside, inside, own = map(json.loads, written.getvalue().splitlines())
    assert outside == {"event": "outside"}
    assert inside == {
        "event": "inside", "order": 7, "trace_id": span.trace_id, "span_id": span.span_id, "correlation_id": "r-17",
    }  # fmt: skip
    assert own["trace_id"] == "mine"


def test_lines_are_found_with_the_trace_they_were_written_in(tracer):
    """From a log line to its trace, and from a trace to its lines, also through another filter's ids."""
    log = logging.Logger("a")
    handler = StoreHandler(tracer.store, "WARNING")
    log.addHandler(handler)
    with tracer.span("charge") as span, error_context(correlation_id="r-17"):
        log.info("too low")
        log.warning("slow %s", "bank")
        with tracer.span("ask") as ask:
            log.error("no answer")
    log.warning("outside")
    trace = tracer.store.trace(span.trace_id)
    assert [(line.level, line.message, line.span_id, line.correlation_id) for line in trace.logs] == [
        ("WARNING", "slow bank", span.span_id, "r-17"),
        ("ERROR", "no answer", ask.span_id, "r-17"),
    ]
    (line,) = [line for line in tracer.store.logs(correlation_id="r-17") if line.level == "ERROR"]
    assert tracer.store.trace(line.trace_id).root.name == "charge"
    assert "| ERROR no answer" in trace.describe()


def test_a_line_that_cannot_be_kept_fails_nobody(tracer, capsys):
    """As every handler does, it says so on standard error."""
    log = logging.Logger("a")
    log.addHandler(StoreHandler(tracer.store))
    log.warning("%d", "x")
    assert tracer.store.logs() == []
    assert "--- Logging error ---" in capsys.readouterr().err
