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


cdef extern from "seawall/time/wall.hpp" namespace "seawall::time" nogil:
    cppclass CppWall "seawall::time::WallClock":
        pass

    cppclass WallSource:
        const Hand* hand
        CppWall* wall

    int64_t wall_ns(const WallSource&) noexcept


cdef class Wall:
    cdef WallSource source


cdef class Clock:
    # Kernels of other modules copy this beside a reference to the Clock. All point to one counter clock: this module's.
    cdef Source source

    # The latest time this clock has shown: by it a cancel gives back, as what had passed then has passed.
    cdef int64_t latest(self) noexcept


cdef class Hands(Clock):
    cdef Hand own
    cdef int64_t highest


# Where an object that takes wall time reads it: from a Wall, or from a clock with hands. Raises TypeError for others.
cdef int read_wall(clock, WallSource* source) except -1
