"""The clocks the kernels read. The public classes are in seawall.clock."""

cdef extern from *:
    """
    #include "seawall/time/clock.hpp"
    #include "seawall/time/wall.hpp"
    static seawall::time::CounterClock seawall_counter(seawall::time::CounterClock::trustworthy());
    static seawall::time::WallClock seawall_wall(seawall_counter);
    """
    CounterClock seawall_counter
    CppWall seawall_wall


cdef class Clock:
    """The machine's monotonic clock. Thread safe."""

    def __cinit__(self):
        self.source.counter = &seawall_counter

    cdef int64_t latest(self) noexcept:
        return now_ns(self.source)

    def now_ns(self) -> int:
        """Nanoseconds since an arbitrary start that never changes while the machine is up."""
        return now_ns(self.source)


cdef class Hands(Clock):
    """A clock that stands until it is set. Thread safe."""

    def __cinit__(self):
        self.source.hand = &self.own

    def set_ns(self, at: int) -> None:
        """Put the hands at `at` nanoseconds."""
        self.own.store(at)
        self.highest = max(self.highest, <int64_t>at)

    cdef int64_t latest(self) noexcept:
        return self.highest


cdef class Wall:
    """The machine's Unix time. Thread safe."""

    def __cinit__(self):
        self.source.wall = &seawall_wall

    def now_ns(self) -> int:
        """Nanoseconds since 1970, as the machine has it: it may go back."""
        return wall_ns(self.source)


cdef int read_wall(clock, WallSource* source) except -1:
    if isinstance(clock, Wall):
        source[0] = (<Wall>clock).source
    elif isinstance(clock, Hands):
        source.hand = (<Hands>clock).source.hand
    else:
        raise TypeError(f"{clock!r} tells no wall time")
    return 0


def reads_counter() -> bool:
    """Whether the machine's clock is read through the processor's counter (else by the system call's fast path)."""
    return seawall_counter.trusted()
