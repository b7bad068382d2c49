"""Trace context in and out of headers, by the cases of the standard and its test suite."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seawall.observe.tracing import Remote, Tracer, extract, inject

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (GOOD, "01"),
        (f"00-{TRACE}-{SPAN}-00", "00"),
        (f"00-{TRACE}-{SPAN}-03", "03"),
        (f"00-{TRACE}-{SPAN}-ff", "03"),  # only known flags are passed on
        (f"  {GOOD}\t", "01"),
        (f"cc-{TRACE}-{SPAN}-01", "01"),  # a later version, read as far as it is known
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", "01"),
    ],
)
def test_a_valid_traceparent_is_read(header, flags):
    """The ids are the caller's, and what is passed on has our version."""
    caller = extract({"traceparent": header})
    assert caller.traceparent == f"00-{TRACE}-{SPAN}-{flags}"
    assert (caller.trace_id, caller.span_id, caller.sampled) == (TRACE, SPAN, int(flags, 16) % 2 == 1)


@pytest.mark.parametrize(
    "header",
    [
        "", "00", "nonsense", f"00-{TRACE}-{SPAN}", f"{GOOD}-", f"{GOOD}-extra", f"ff-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01.what-the-future-will-be-like", f"0-{TRACE}-{SPAN}-01", f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN.upper()}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}0-{SPAN}-01", f"00-{TRACE}-{SPAN[1:]}-01", f"00-{TRACE}-{SPAN}-1", f"00-{TRACE}-{SPAN}-.0",
        f"00-{TRACE}-{SPAN}-0.", f".0-{TRACE}-{SPAN}-01", f"00_{TRACE}_{SPAN}_01", f"{GOOD}\n", f"\n{GOOD}",
        f"00-{TRACE[:-1]}٣-{SPAN}-01", f"{GOOD},{GOOD}", f"{GOOD}\x00",
    ],
)  # fmt: skip
def test_an_invalid_traceparent_begins_a_new_trace(header):
    """It is as if there were none."""
    assert extract({"traceparent": header}) is None
    with Tracer("shop").span("serve", parent=extract({"traceparent": header})) as span:
        assert span.parent_id == ""
        assert span.trace_id != TRACE


@pytest.mark.parametrize(
    "headers",
    [
        {"TraceParent": GOOD, "TRACESTATE": "a=1"},
        {b"traceparent": GOOD.encode(), b"tracestate": b"a=1"},
        [("x", "y"), ("traceparent", GOOD), ("tracestate", "a=1")],
        [(b"traceparent", GOOD.encode()), (b"tracestate", b"a=1")],
        {"HTTP_TRACEPARENT": GOOD, "HTTP_TRACESTATE": "a=1", "wsgi.input": object(), "SERVER_PORT": 80},
    ],
)
def test_headers_of_every_kind_are_read(headers):
    """Mappings and pairs, str and bytes, any case, WSGI and ASGI; what is no text is passed over."""
    caller = extract(headers)
    assert (caller.traceparent, caller.tracestate) == (GOOD, "a=1")


def test_two_traceparents_are_none():
    """Both cannot be right."""
    assert extract([("traceparent", GOOD), ("traceparent", GOOD)]) is None
    assert extract([]) is None


LONG = "a=" + "v" * 256


@pytest.mark.parametrize(
    ("given_state", "read"),
    [
        ("foo=1", "foo=1"),
        ("foo=1,bar=2", "foo=1,bar=2"),
        ("foo=1 \t , \t bar=2, ", "foo=1,bar=2"),
        (",,foo=1,,", "foo=1"),
        ("fw529a3039@dt=FfFSTqEcFE,0a-b_c/d*=~!", "fw529a3039@dt=FfFSTqEcFE,0a-b_c/d*=~!"),
        ("foo=bar=baz", ""),
        ("foo=", ""),
        ("=1", ""),
        ("foo", ""),
        ("FOO=1", ""),
        ("foo@=1", ""),
        ("@foo=1", ""),
        ("foo@@bar=1", ""),
        ("foo.bar=1", ""),
        ("foo=1,foo=2", ""),
        ("foo=\u00e9", ""),
        (f"{'z' * 257}=1", ""),
        (f"{'z' * 256}=1", f"{'z' * 256}=1"),
        (f"{'t' * 242}@v=1", ""),
        ("a=" + "v" * 257, ""),
        (LONG, LONG),
        (",".join(f"k{n}=1" for n in range(32)), ",".join(f"k{n}=1" for n in range(32))),
        (",".join(f"k{n}=1" for n in range(33)), ""),
        (f"{LONG},b={'v' * 256},c=3", "c=3"),  # too long together: the long ones go first
        (",".join(f"k{n:02}={'v' * 96}" for n in range(6)), ",".join(f"k{n:02}={'v' * 96}" for n in range(5))),
    ],
)
def test_a_tracestate_is_passed_on_or_dropped_alone(given_state, read):
    """An invalid one does not cost the caller's trace."""
    caller = extract({"traceparent": GOOD, "tracestate": given_state})
    assert caller.tracestate == read
    assert caller.trace_id == TRACE


def test_several_tracestates_are_one():
    """In the order they came."""
    assert extract([("tracestate", "a=1"), ("traceparent", GOOD), ("tracestate", "b=2")]).tracestate == "a=1,b=2"


def test_what_is_sent_on_is_read_again():
    """The next service is a child of the span that was current, in the same trace, with the same state and decision."""
    tracer = Tracer("shop")
    with tracer.span("serve", parent=extract({"traceparent": GOOD, "tracestate": "a=1"})) as span, tracer.span("call"):
        headers = inject({"accept": "*/*"})
        with tracer.span("below") as below:
            pass
    assert headers == {
        "accept": "*/*",
        "traceparent": f"00-{TRACE}-{below.parent_id}-01",
        "tracestate": "a=1",
    }
    assert extract(headers).span_id == below.parent_id
    assert span.parent_id == SPAN


def test_stale_headers_are_replaced():
    """Of whatever case, and a state that the present trace has not is removed."""
    with Tracer("shop").span("call") as span:
        headers = inject({"Traceparent": GOOD, "Tracestate": "a=1"})
    assert headers == {"traceparent": span.traceparent}


def test_without_a_trace_nothing_is_sent():
    """Headers stay as they are."""
    assert inject({"Traceparent": GOOD}) == {"Traceparent": GOOD}


text = st.text() | st.binary()


@given(st.dictionaries(text, text | st.none() | st.integers()) | st.lists(st.tuples(text, text)))
def test_no_headers_crash(headers):
    """Whatever comes over the wire is read or passed over."""
    caller = extract(headers)
    assert caller is None or isinstance(caller, Remote)


@given(st.text(alphabet="0123456789abcdef-", max_size=60) | st.text(max_size=60), st.text(max_size=40))
@example(GOOD, "a=1")
def test_what_is_read_is_passed_on_and_read_alike(traceparent, tracestate):
    """A valid position survives the next hop unchanged; an invalid one begins a trace of valid ids."""
    caller = extract({"traceparent": traceparent, "tracestate": tracestate})
    if caller is None:
        return
    again = extract({"traceparent": caller.traceparent, "tracestate": caller.tracestate})
    assert (again.traceparent, again.tracestate) == (caller.traceparent, caller.tracestate)


@given(
    st.integers(1, (1 << 128) - 1), st.integers(1, (1 << 64) - 1), st.integers(0, 255),
    st.lists(
        st.from_regex(r"[a-z][a-z0-9_]{0,9}=[!-+\--<>-~]{1,20}", fullmatch=True),
        max_size=10, unique_by=lambda member: member.partition("=")[0],
    ),
)  # fmt: skip
def test_every_valid_position_is_read(trace_id, span_id, flags, members):
    """All ids but 0, all flags, and states within the bounds come through whole."""
    state = ",".join(members)
    caller = extract({"traceparent": f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}", "tracestate": state})
    assert caller.traceparent == f"00-{trace_id:032x}-{span_id:016x}-{flags & 3:02x}"
    assert caller.tracestate == state
