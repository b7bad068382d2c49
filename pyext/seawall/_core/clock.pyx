"""The clocks the kernels read. The public classes are in seawall.clock."""



cdef class Clock:
    """The machine's monotonic clock. Thread safe."""

    def now_ns(self) -> int:
        """Nanoseconds since an arbitrary start that never changes while the machine is up."""
        return now_ns(self.hand)


cdef class Hands(Clock):
    """A clock that stands until it is set. Thread safe."""

    def __cinit__(self):
        self.hand = &self.own

    def set_ns(self, at: int) -> None:
        """Put the hands at `at` nanoseconds."""
        self.own.store(at)
