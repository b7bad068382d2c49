"""The clocks the kernels read. The public classes are in seawall.clock."""

cdef extern from *:
    """
    #include "seawall/time/clock.hpp"
    static seawall::time::CounterClock seawall_counter(seawall::time::CounterClock::trustworthy());
    """
    CounterClock seawall_counter


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


def reads_counter() -> bool:
    """Whether the machine's clock is read through the processor's counter (else by the system call's fast path)."""
    return seawall_counter.trusted()
