# cython: annotation_typing=False
# Annotations are for the stubs: a typed argument would be converted before it could be refused with a message of ours.
"""Counters and gauges. The public classes are in seawall.measure."""

from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from libc.math cimport isfinite
from libc.stdint cimport uint64_t
from operator import index

from seawall._core.counter cimport Counter, CppGauge, Gauge, Stripes
from seawall._core.segment cimport Segment


cdef object ONE = 1  # the interpreter keeps a single 1, so the default is known by its address


cdef uint64_t checked_step(n) except? 0:
    cdef int beyond = 0
    cdef long long small
    if not PyLong_CheckExact(n):
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise TypeError(f"n must be an int from 0 to 2**63 - 1, got {n!r}; a Gauge counts in fractions")
        n = index(n)
    small = PyLong_AsLongLongAndOverflow(n, &beyond)
    if beyond > 0:
        raise ValueError(f"n must be 0 to 2**63 - 1, got {n}; split it into several calls")
    if small < 0:
        raise ValueError(f"n must be 0 to 2**63 - 1, got {n}; a counter only rises, a Gauge goes down too")
    return small


cdef double checked_number(name, x) except? -1.0:
    if PyFloat_CheckExact(x):
        number = PyFloat_AS_DOUBLE(x)
    elif isinstance(x, bool) or not (hasattr(x, "__float__") or hasattr(x, "__index__")):
        raise TypeError(f"{name} must be a finite number, got {x!r}; a flag is set as 1 or 0")
    else:
        try:
            number = float(x)
        except OverflowError:
            raise ValueError(f"{name} must be a finite number, got an int beyond the largest float, 1.8e308") from None
    if not isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {number}; a gauge keeps its last value instead")
    return number


cdef class Counter:
    """A total that many threads and processes add to."""

    def __cinit__(self, Segment segment = None, str name = "counter"):
        self.segment = segment
        self.owns = segment is None
        if segment is None:
            self.state = new Stripes()
        else:
            self.state = <Stripes*>segment.slot(name, "counter", 1, sizeof(Stripes), b"", 0).state

    def __dealloc__(self):
        if self.owns:
            del self.state

    def inc(self, n: int = 1, /) -> None:
        """Add `n`, by default one."""
        self.state.add(1 if n is ONE else checked_step(n))

    @property
    def value(self) -> int:
        """The total of all adds, modulo 2**64."""
        return self.state.value()


cdef class Gauge:
    """A number that goes up and down."""

    def __cinit__(self, Segment segment = None, str name = "gauge"):
        self.segment = segment
        self.owns = segment is None
        if segment is None:
            self.state = new CppGauge()
        else:
            self.state = <CppGauge*>segment.slot(name, "gauge", 1, sizeof(CppGauge), b"", 0).state

    def __dealloc__(self):
        if self.owns:
            del self.state

    def set(self, x: float) -> None:
        """Make the value `x`."""
        self.state.set(checked_number("x", x))

    def inc(self, n: float = 1.0, /) -> None:
        """Add `n`, by default one."""
        self.move(checked_number("n", n))

    def dec(self, n: float = 1.0, /) -> None:
        """Take off `n`, by default one."""
        self.move(-checked_number("n", n))

    cdef int move(self, double by) except -1:
        if not self.state.add(by):
            raise ValueError(f"{self.state.value()} + {by} is beyond the largest float, 1.8e308; the gauge keeps its value")
        return 0

    @property
    def value(self) -> float:
        """What was last set, with every move since."""
        return self.state.value()
