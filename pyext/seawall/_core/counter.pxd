from libc.stdint cimport uint64_t


cdef extern from "seawall/counter/stripes.hpp" namespace "seawall::counter" nogil:
    cdef cppclass Stripes:
        Stripes() except +
        void add(uint64_t) noexcept
        uint64_t value() noexcept


cdef extern from "seawall/counter/gauge.hpp" namespace "seawall::counter" nogil:
    cdef cppclass CppGauge "seawall::counter::Gauge":
        CppGauge() except +
        void set(double) noexcept
        double value() noexcept
        bint add(double) noexcept


cdef double checked_number(name, x) except? -1.0


cdef class Counter:
    cdef Stripes* state
    cdef bint owns         # False where the state lies in a segment
    cdef readonly object segment    # keeps the state mapped
    cdef object __weakref__


cdef class Gauge:
    cdef CppGauge* state
    cdef bint owns
    cdef object segment
    cdef object __weakref__
    cdef int move(self, double by) except -1
