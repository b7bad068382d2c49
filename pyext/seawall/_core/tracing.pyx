"""Spans, from their beginning to the traces that are kept of them. The public classes are in seawall.observe.tracing.

A trace has one local root in each process it passes. What ends below the root is gathered until the root ends; then the trace
is kept or not. Everything here relies on the interpreter's lock and takes none of its own: no method calls Python code between
reading and writing what it changes.
"""

cimport cython
from collections import deque
from contextvars import ContextVar
import os

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.contextvars cimport PyContextVar_Reset, PyContextVar_Set, get_value
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from seawall._core.clock cimport Clock, Source, WallSource, now_ns, read_wall, wall_ns
from seawall._core.policy cimport give_error, take_error

cdef extern from "Python.h":
    PyObject* PyObject_Vectorcall(PyObject*, PyObject* const*, size_t, PyObject*)
    object PyVectorcall_Call(object, object, object)
    object PyUnicode_FromKindAndData(int, const void*, Py_ssize_t)

cdef extern from *:
    """
    #define seawall_traced_offset offsetof(struct __pyx_obj_7seawall_5_core_7tracing_Traced, vectorcall)
    """
    Py_ssize_t seawall_traced_offset

cdef extern from "slots.hpp" namespace "seawall::binding":
    void enable_vectorcall(object, Py_ssize_t)

cdef extern from "seawall/tracing/ids.hpp" namespace "seawall::tracing" nogil:
    cppclass Ids:
        void seed(uint64_t, uint64_t, uint64_t, uint64_t)
        uint64_t next()

    cppclass Share:
        Share()
        Share(double)
        bint has(uint64_t)

    void write_hex(char*, uint64_t)

SPAN = ContextVar("seawall_span", default=None)
KINDS = ("internal", "server", "client", "producer", "consumer")
cdef object current = SPAN
cdef tuple kinds = KINDS
cdef object method
from types import MethodType as method

cdef enum:
    SAMPLED = 1
    RANDOM = 2

cdef Ids ids
cdef uint32_t generation = 0    # one more in each forked child


cdef int reseed() except -1:
    cdef bytes seed = os.urandom(32)
    cdef uint64_t words[4]
    memcpy(words, PyBytes_AS_STRING(seed), 32)
    ids.seed(words[0], words[1], words[2], words[3])
    return 0


def _after_fork() -> None:
    """In a forked child: other ids than the parent's, and what the parent has begun is the parent's to end."""
    global generation
    generation += 1
    reseed()


reseed()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


cdef str hex_of(uint64_t high, uint64_t low, bint both):
    cdef char text[32]
    write_hex(&text[0], high)
    write_hex(&text[16], low)
    return PyUnicode_FromKindAndData(1, &text[0 if both else 16], 32 if both else 16)


@cython.no_gc
@cython.freelist(128)
cdef class Position:
    """Where in a trace something is: what travels to other processes."""
    cdef uint64_t high
    cdef uint64_t low
    cdef uint64_t own
    cdef int flags
    cdef bint is_inner           # the rest is Unrecorded's: kinds without fields of their own share the freelist
    cdef str state
    cdef object token            # while it is the current one
    cdef Unrecorded below

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return hex_of(self.high, self.low, True)

    @property
    def span_id(self) -> str:
        """16 hexadecimal digits."""
        return hex_of(0, self.own, False)

    @property
    def sampled(self) -> bool:
        """Whether the trace is among the share that all services record."""
        return self.flags & SAMPLED != 0

    @property
    def tracestate(self) -> str:
        """What vendors have added; passed on as it came."""
        return self.state or ""

    @property
    def traceparent(self) -> str:
        """The header of that name, as in W3C Trace Context."""
        return f"00-{hex_of(self.high, self.low, True)}-{hex_of(0, self.own, False)}-{self.flags:02x}"


cdef class Remote(Position):
    """A position in another process."""

    def __init__(self, trace_id: int, span_id: int, flags: int, tracestate: str):
        self.high, self.low = trace_id >> 64, trace_id & 0xFFFFFFFFFFFFFFFF
        self.own, self.flags, self.state = span_id, flags & (SAMPLED | RANDOM), tracestate


@cython.final
cdef class Unrecorded(Position):
    """A span of which nothing is kept but its place; what is begun inside is not recorded either."""

    cdef Unrecorded inner(self):
        if self.is_inner:
            return self
        if self.below is None:
            self.below = Unrecorded.__new__(Unrecorded)
            self.below.high, self.below.low, self.below.own = self.high, self.low, self.own
            self.below.flags, self.below.state, self.below.is_inner = self.flags, self.state, True
        return self.below

    @property
    def is_recording(self) -> bool:
        """Whether what is set here goes anywhere."""
        return False

    @property
    def name(self) -> str:
        return ""

    def set(self, key: str, value: object) -> None:
        """Nothing is kept."""

    def event(self, name: str, attributes: object = None) -> None:
        """Nothing is kept."""

    def record(self, error: object) -> None:
        """Nothing is kept."""

    def fail(self, message: str = "") -> None:
        """Nothing is kept."""

    def rename(self, name: str) -> None:
        """Nothing is kept."""

    def end(self) -> None:
        """Nothing is kept."""

    def __enter__(self):
        if not self.is_inner:
            self.token = PyContextVar_Set(current, self)
        return self

    def __exit__(self, kind, error, trace):
        if self.token is not None:
            token, self.token = self.token, None
            give_back(token)

    def __repr__(self):
        return f"<Unrecorded span of trace {self.trace_id}>"


cdef int give_back(token) except -1:
    try:
        PyContextVar_Reset(current, token)
    except (ValueError, RuntimeError):
        pass  # left in another context than it was entered in: that one never had the span
    return 0


cdef object told(error):
    """An exception as the attributes that OpenTelemetry names."""
    import traceback
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(error)
        trace = "".join(traceback.format_exception(error))
    except Exception:  # an error that cannot be shown is still told of
        message, trace = f"<{name} that cannot be shown>", ""
    return {"exception.type": name, "exception.message": message, "exception.stacktrace": trace[-8_000:]}


cdef object small(value, Py_ssize_t longest):
    """A value as it is kept: nothing that could change later, and nothing large."""
    if type(value) is str:
        return value if len(<str>value) <= longest else (<str>value)[:longest]
    if type(value) in (int, float, bool):
        return value
    if isinstance(value, (list, tuple)):
        return tuple([small(each, longest) for each in value[:64]])
    try:
        return str(value)[:longest]
    except Exception:
        return f"<{type(value).__qualname__} that cannot be shown>"


cdef enum Fate:
    OPEN
    KEPT
    DROPPED


@cython.no_gc_clear  # unlinks itself, for which it needs its tracer
cdef class Pending:
    """A trace whose local root has not ended, and afterwards what became of it."""
    cdef Tracer tracer
    cdef list spans
    cdef int64_t unix            # what makes unix time of the clock's
    cdef uint32_t generation
    cdef uint32_t overflow
    cdef Fate fate
    cdef bint sampled
    cdef bint failed
    cdef PyObject* before        # neighbours among the tracer's open traces; unowned
    cdef PyObject* after
    cdef bint linked

    def __del__(self):
        if self.fate == OPEN and self.generation == generation:
            self.unlink()
            self.fate = KEPT if self.sampled else DROPPED
            self.tracer.abandoned += 1
            if self.sampled and self.spans:
                self.tracer.deliver(self, None, "sampled")

    def __dealloc__(self):
        self.unlink()

    cdef void link(self) noexcept:
        cdef Tracer tracer = self.tracer
        if tracer.generation != generation:  # what the parent of this process has open is not ours
            tracer.generation = generation
            tracer.first = NULL
        self.after = tracer.first
        if tracer.first != NULL:
            (<Pending>tracer.first).before = <PyObject*>self
        tracer.first = <PyObject*>self
        self.linked = True

    cdef void unlink(self) noexcept:
        if not self.linked or self.generation != generation:
            return
        self.linked = False
        if self.before != NULL:
            (<Pending>self.before).after = self.after
        else:
            self.tracer.first = self.after
        if self.after != NULL:
            (<Pending>self.after).before = self.before
        self.before = self.after = NULL

    cdef int ended(self, Span span) except -1:
        cdef Tracer tracer = self.tracer
        if span.status == 2:
            self.failed = True
        if self.fate == KEPT:
            self.spans.append(span)
            return tracer.deliver(self, None, "late")
        if self.fate == DROPPED:
            tracer.late += 1
            return 0
        if span.is_local_root:
            self.unlink()
            self.spans.append(span)
            reason = tracer.judge(self, span)
            self.fate = DROPPED if reason is None else KEPT
            if reason is None:
                tracer.dropped += 1
                self.spans = []
                return 0
            tracer.kept += 1
            return tracer.deliver(self, span, reason)
        if len(self.spans) < tracer.most_spans:
            self.spans.append(span)
            return 0
        if self.sampled:  # it will be kept anyway: make room
            self.spans.append(span)
            return tracer.deliver(self, None, "sampled")
        self.overflow += 1
        tracer.overflow += 1
        return 0


@cython.final
cdef class Span(Position):
    """One piece of work in a trace: when it began and ended, and what is worth knowing about it."""
    cdef Pending pending
    cdef uint64_t parent
    cdef int64_t start
    cdef int64_t finish          # 0 while it is open
    cdef readonly str name
    cdef int code                # of the kind
    cdef int status              # 0, or 2 for an error, as in OTLP
    cdef readonly str message
    cdef readonly tuple links
    cdef dict attached
    cdef list happened
    cdef readonly uint32_t dropped
    cdef bint is_local_root

    @property
    def is_recording(self) -> bool:
        """Whether what is set here goes anywhere: until it ends."""
        return self.finish == 0

    @property
    def parent_id(self) -> str:
        """16 hexadecimal digits; "" for the first span of a trace."""
        return hex_of(0, self.parent, False) if self.parent else ""

    @property
    def kind(self) -> str:
        """Of KINDS."""
        return kinds[self.code]

    @property
    def failed(self) -> bool:
        """Whether it ended with an error."""
        return self.status == 2

    @property
    def start_ns(self) -> int:
        """Unix nanoseconds."""
        return self.start + self.pending.unix

    @property
    def end_ns(self) -> int:
        """Unix nanoseconds; 0 while it is open."""
        return self.finish + self.pending.unix if self.finish else 0

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return ((self.finish or now_ns(self.pending.tracer.source)) - self.start) / 1e9

    @property
    def attributes(self) -> dict:
        """A copy of what was set."""
        return {} if self.attached is None else dict(self.attached)

    @property
    def events(self) -> tuple:
        """(name, unix nanoseconds, attributes) of what happened."""
        if self.happened is None:
            return ()
        return tuple([(name, at + self.pending.unix, attributes) for name, at, attributes in self.happened])

    def set(self, key: str, value: object) -> None:
        """Set an attribute: text, number, bool, a sequence of them; of anything else its text is kept."""
        cdef Tracer tracer = self.pending.tracer
        if self.finish:
            return
        kept = small(value, tracer.longest)
        if self.attached is None:
            self.attached = {}
        if len(self.attached) < tracer.most_attributes or key in self.attached:
            self.attached[key] = kept
        else:
            self.dropped += 1

    def event(self, name: str, attributes: object = None) -> None:
        """Tell what happened now."""
        cdef Tracer tracer = self.pending.tracer
        if self.finish:
            return
        if self.happened is None:
            self.happened = []
        if len(self.happened) >= tracer.most_events:
            self.dropped += 1
            return
        self.happened.append((name, now_ns(tracer.source), {} if not attributes else tracer.checked(attributes)))

    def record(self, error: object) -> None:
        """Tell of an exception, as an event; the span has not failed by that."""
        self.event("exception", told(error))

    def fail(self, message: str = "") -> None:
        """The work has failed."""
        if not self.finish:
            self.status, self.message = 2, message[:self.pending.tracer.longest]

    def rename(self, name: str) -> None:
        """A better name, once it is known."""
        if not self.finish:
            self.name = name

    def end(self) -> None:
        """The work is done; a second time does nothing, and so does everything that is set later."""
        self.close()

    cdef int close(self) except -1:
        cdef Pending pending = self.pending
        if self.finish:
            return 0
        self.finish = max(now_ns(pending.tracer.source), self.start, 1)
        if pending.generation != generation:
            return 0  # begun before a fork: the parent tells of it
        return pending.ended(self)

    cdef int fall(self, error) except -1:
        """What the block raised."""
        from seawall.errors import is_cancellation
        if is_cancellation(error):
            self.set("seawall.cancelled", True)
            return 0
        self.record(error)
        if self.status != 2:
            self.fail(f"{type(error).__qualname__}: {error}")
        return 0

    def __enter__(self):
        if self.token is not None:
            raise RuntimeError(f"span {self.name!r} is entered already; begin one for each block")
        self.token = PyContextVar_Set(current, self)
        return self

    def __exit__(self, kind, error, trace):
        self.leave(error)

    cdef int leave(self, error) except -1:
        token, self.token = self.token, None
        if token is not None:
            give_back(token)
        if error is not None:
            try:
                self.fall(error)
            except Exception:  # it could not be told; the span must end all the same
                self.status = 2
        return self.close()

    def __repr__(self):
        state = "open" if self.finish == 0 else f"{self.seconds * 1e3:.3f} ms"
        return f"<Span {self.name!r} {self.span_id} of trace {self.trace_id}, {state}{', failed' if self.failed else ''}>"


@cython.final
cdef class Batch:
    """Ended spans of one trace: all that had ended when its local root did, or what came before or after that."""
    cdef readonly list spans
    cdef readonly Span root      # the local root, or None
    cdef readonly str reason     # why it is kept
    cdef readonly dict resource  # who made them
    cdef readonly uint32_t overflow

    def __len__(self):
        return len(self.spans)

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return (<Span>self.spans[0]).trace_id


cdef class Tracer:
    """Begins spans and says which traces are kept."""
    cdef readonly Clock clock
    cdef Source source
    cdef WallSource wall
    cdef object wall_clock       # keeps what `wall` reads
    cdef readonly dict resource
    cdef Share share
    cdef object decide
    cdef bint follows
    cdef bint tail
    cdef bint keeps_errors
    cdef int64_t slower
    cdef object keep
    cdef tuple sinks
    cdef Py_ssize_t most_spans, most_attributes, most_events, longest
    cdef PyObject* first
    cdef uint32_t generation
    cdef uint64_t recorded, unrecorded, kept, dropped, late, overflow, abandoned, sink_failures

    def _arrange(
        self, resource: dict, clock, wall, share: float, decide, follows: bool, errors: bool, slower_ns: int, keep,
        bounds: tuple, sinks: tuple,
    ) -> None:
        """Set once, by the face, which has checked all."""
        self.resource, self.clock, self.wall_clock = resource, clock, wall
        self.source = self.clock.source
        read_wall(wall, &self.wall)
        self.share, self.decide, self.follows = Share(share), decide, follows
        self.keeps_errors, self.slower, self.keep = errors, slower_ns, keep
        self.tail = errors or slower_ns >= 0 or keep is not None
        self.most_spans, self.most_attributes, self.most_events, self.longest = bounds
        self.sinks = sinks
        self.generation = generation

    def span(self, name: str, attributes: object = None, *, kind: str = None, parent: object = None, links: object = None) -> object:
        """Begin a span; `with` makes it the current one and ends it."""
        return self.begin(name, attributes, kind, parent, links)

    cdef Position begin(self, str name, attributes, str kind, parent, links):
        cdef Position above = None
        if parent is None:
            above = get_value(current)
        elif parent is not False:
            above = <Position?>parent
        if type(above) is Unrecorded:
            self.unrecorded += 1
            return (<Unrecorded>above).inner()
        cdef Pending pending = None
        if type(above) is Span:
            pending = (<Span>above).pending
            if pending.generation != generation or pending.tracer is not self:
                pending = None
            elif pending.fate == DROPPED:
                return self.outside(above, above.high, above.low, above.flags)
        if name is None:
            raise TypeError("a span has a name, got None")
        return self.root(name, attributes, kind, above, links) if pending is None else self.make(
            name, attributes, kind, above, links, pending, above.high, above.low, above.flags)

    cdef Position root(self, str name, attributes, str kind, Position above, links):
        cdef uint64_t high, low
        cdef int flags
        cdef bint sampled
        if above is None:
            high, low, flags = ids.next(), ids.next(), RANDOM
        else:
            high, low, flags = above.high, above.low, above.flags
        if above is not None and self.follows:
            sampled = flags & SAMPLED
        elif self.decide is not None:
            sampled = bool(self.decide(name))
        else:
            sampled = self.share.has(low)
        flags = flags & RANDOM | (SAMPLED if sampled else 0)
        if not sampled and not self.tail:
            return self.outside(above, high, low, flags)
        cdef Pending pending = Pending.__new__(Pending)
        cdef int64_t unix = wall_ns(self.wall) - now_ns(self.source)
        pending.tracer, pending.spans, pending.sampled = self, [], sampled
        pending.unix, pending.generation = unix, generation
        cdef Span made = self.make(name, attributes, kind, above, links, pending, high, low, flags)
        made.is_local_root = True
        pending.link()
        return made

    cdef Unrecorded outside(self, Position above, uint64_t high, uint64_t low, int flags):
        cdef Unrecorded made = Unrecorded.__new__(Unrecorded)
        self.unrecorded += 1
        made.high, made.low, made.own, made.flags = high, low, ids.next(), flags
        if above is not None:
            made.state = above.state
        return made

    cdef Span make(self, str name, attributes, str kind, Position above, links, Pending pending, uint64_t high, uint64_t low, int flags):
        cdef Span made = Span.__new__(Span)
        made.high, made.low, made.own, made.flags = high, low, ids.next(), flags
        if above is not None:
            made.parent, made.state = above.own, above.state
        made.pending, made.name = pending, name
        if kind is not None:
            if kind not in kinds:
                raise ValueError(f"kind must be one of {', '.join(kinds)}, got {kind!r}")
            made.code = kinds.index(kind)
        if attributes is not None:
            made.attached = self.checked(attributes)
        if links is not None:
            made.links = tuple([(<Position?>link) for link in links])[:self.most_events]
        self.recorded += 1
        made.start = now_ns(self.source)
        return made

    cdef dict checked(self, attributes):
        cdef dict kept = {}
        for key, value in attributes.items():
            if len(kept) >= self.most_attributes:
                break
            kept[key if type(key) is str else str(key)] = small(value, self.longest)
        return kept

    cdef str judge(self, Pending pending, Span root):
        """Why the trace is kept, None when it is not."""
        if self.keeps_errors and pending.failed:
            return "error"
        if 0 <= self.slower <= root.finish - root.start:
            return "slow"
        if pending.sampled:
            return "sampled"
        if self.keep is not None:
            try:
                if self.keep(root):
                    return "chosen"
            except Exception:
                self.sink_failures += 1
        return None

    cdef int deliver(self, Pending pending, Span root, str reason) except -1:
        cdef Batch batch = Batch.__new__(Batch)
        batch.spans, pending.spans = pending.spans, []
        batch.root, batch.reason, batch.resource, batch.overflow = root, reason, self.resource, pending.overflow
        for sink in self.sinks:
            try:
                sink(batch)
            except Exception:  # who keeps traces never fails who makes them
                self.sink_failures += 1
        return 0

    def _hand_over(self, final: bool) -> int:
        """What has ended of sampled traces that are still open goes to the sinks now; how many spans. At the end, also what
        has ended of traces that failed."""
        cdef int count = 0
        cdef list open_ones = []
        cdef PyObject* at = self.first if self.generation == generation else NULL
        while at != NULL:
            open_ones.append(<Pending>at)
            at = (<Pending>at).after
        for each in open_ones:
            failed = final and self.keeps_errors and (<Pending>each).failed
            if (failed or (<Pending>each).sampled) and (<Pending>each).spans:
                count += len((<Pending>each).spans)
                self.deliver(<Pending>each, None, "error" if failed else "sampled")
        return count

    def _counts(self) -> tuple:
        """(recorded, unrecorded, kept, dropped, late, overflow, abandoned, failures)"""
        return (self.recorded, self.unrecorded, self.kept, self.dropped, self.late, self.overflow, self.abandoned,
                self.sink_failures)


ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*) noexcept


@cython.final
cdef class Traced:
    """A plain function each call of which is a span. `__wrapped__` is the function."""
    cdef vectorcallfunc vectorcall
    cdef Tracer tracer
    cdef object fn
    cdef str title
    cdef str kind
    cdef object attributes
    cdef dict __dict__
    cdef object __weakref__

    def __init__(self, tracer, fn, name: str, kind, attributes):
        self.tracer, self.fn, self.title, self.kind, self.attributes = tracer, fn, name, kind, attributes
        self.vectorcall = traced_call

    def __call__(self, *args, **kwargs):  # for those who ask for it by name; calls go by vectorcall
        return PyVectorcall_Call(self, args, kwargs)

    @property
    def __wrapped__(self):
        return self.fn

    def __get__(self, instance, owner):
        return self if instance is None else method(self, instance)

    def __reduce__(self) -> str:
        return self.__qualname__  # like a function: found again by its name

    def __repr__(self):
        return f"<{getattr(self.fn, '__qualname__', self.fn)!s} traced as {self.title!r}>"


enable_vectorcall(Traced, seawall_traced_offset)


cdef PyObject* traced_call(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names) noexcept:
    cdef Traced me = <Traced>self
    cdef Position span
    cdef PyObject* result
    cdef PyObject* error = NULL
    try:
        span = me.tracer.begin(me.title, me.attributes, me.kind, None, None)
        if type(span) is Span:
            (<Span>span).token = PyContextVar_Set(current, span)
        elif not (<Unrecorded>span).is_inner:
            (<Unrecorded>span).token = PyContextVar_Set(current, span)
    except BaseException as failed:
        Py_INCREF(failed)
        give_error(<PyObject*>failed)
        return NULL
    result = PyObject_Vectorcall(<PyObject*>me.fn, args, nargsf, names)
    if result == NULL:
        error = take_error()
    try:
        if type(span) is Span:
            (<Span>span).leave(None if error == NULL else <object>error)
        elif (<Unrecorded>span).token is not None:
            give_back((<Unrecorded>span).token)
            (<Unrecorded>span).token = None
    except BaseException:
        pass  # what was called has ended: its answer is not lost for the sake of a span
    if error != NULL:
        give_error(error)
    return result


@cython.final
cdef class Ring:
    """The latest batches, so many spans of them."""
    cdef object batches
    cdef Py_ssize_t most
    cdef Py_ssize_t spans
    cdef readonly uint64_t forgotten

    def __init__(self, most: int):
        self.batches, self.most = deque(), most

    def add(self, batch: Batch) -> None:
        """Keep it, and forget the oldest where there is no room."""
        self.batches.append(batch)
        self.spans += len(batch.spans)
        while self.spans > self.most and self.batches:
            oldest = <Batch>self.batches.popleft()
            self.spans -= len(oldest.spans)
            self.forgotten += 1

    def listing(self) -> list:
        """The oldest first."""
        return list(self.batches)

    def __len__(self):
        return self.spans
