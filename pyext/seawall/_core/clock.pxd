from libc.stdint cimport int64_t


cdef extern from "seawall/time/clock.hpp" namespace "seawall::time" nogil:
    cdef cppclass Hand:
        Hand() except +
        int64_t load()
        void store(int64_t)
    int64_t now_ns(const Hand*) noexcept


cdef class Clock:
    # NULL reads the machine's monotonic clock. Kernels of other modules keep this pointer beside a reference to the Clock.
    cdef Hand* hand


cdef class Hands(Clock):
    cdef Hand own
