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
from cpython.contextvars cimport PyContextVar_Set, get_value
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from seawall._core.clock cimport Clock, Source, WallSource, now_ns, read_wall, wall_ns
from seawall._core.policy cimport give_error, take_error

cdef extern from "Python.h":
    PyObject* PyObject_Vectorcall(PyObject*, PyObject* const*, size_t, PyObject*)
    object PyVectorcall_Call(object, object, object)
    int reset "PyContextVar_Reset"(object, object) noexcept
    void PyErr_Clear()
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

    def __reduce__(self):
        return Remote, (int(self.trace_id, 16), self.own, self.flags, self.tracestate)

    def __repr__(self):
        return f"<Remote {self.traceparent}>"


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

    def __reduce__(self):
        raise TypeError("a span stays in its process: send its position, with inject(headers) or Carrying(executor)")

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


cdef void give_back(token) noexcept:
    if reset(current, token) < 0:
        PyErr_Clear()  # left in another context than it was entered in: that one never had the span

# One module, for what they share: ids, the current span, and the generation of this process.
include "tracing_spans.pxi"
include "tracing_tracer.pxi"
include "tracing_calls.pxi"
