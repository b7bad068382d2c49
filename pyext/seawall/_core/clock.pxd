from libc.stdint cimport int64_t


cdef extern from "seawall/time/clock.hpp" namespace "seawall::time" nogil:
    cppclass Hand:
        Hand() except +
        int64_t load()
        void store(int64_t)

    cppclass CounterClock:
        bint trusted()

    cppclass Source:
        const Hand* hand
        CounterClock* counter

    int64_t now_ns(const Source&) noexcept


cdef class Clock:
    # Kernels of other modules copy this beside a reference to the Clock. All point to one counter clock: this module's.
    cdef Source source

    # The latest time this clock has shown: by it a cancel gives back, as what had passed then has passed.
    cdef int64_t latest(self) noexcept


cdef class Hands(Clock):
    cdef Hand own
    cdef int64_t highest
