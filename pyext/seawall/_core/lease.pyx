"""Calls taken ahead from a limit elsewhere. The public class is in seawall.distributed.limits."""

from libc.stdint cimport int64_t, uint64_t

from seawall._core.clock cimport now_ns
from seawall._core.policy cimport GO, WAIT, Call, Policy, Slot, Step


cdef class Lease(Policy):
    """Takes calls from what is here, and asks `_asked(cost)` when there is none. Lock-free, for any number of threads."""

    def try_acquire(self, cost=1) -> bool:
        """Admit a call of `cost` now, or not. Asks the engine when the lease is used up or has lapsed."""
        cdef Taken taken
        if cost is 1:
            taken = self.state.take(now_ns(self.source), 1)
            if taken == YES:
                return True
            if taken == NO and self.strict:
                self.state.refused.fetch_add(1)
                return False
        return self._asked(cost)

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        return GO if self.state.take(now_ns(self.source), 1) == YES else WAIT

    def _asked(self, cost) -> bool:
        """Admit a call of `cost` when there is more to be had, or not."""
        raise NotImplementedError

    def _take(self, cost: int) -> bool | None:
        """Whether `cost` could be taken from what is here; None when the engine must be asked."""
        cdef Taken taken = self.state.take(now_ns(self.source), <uint64_t>cost)
        return True if taken == YES else False if taken == NO else None

    def _be_strict(self, strict: bool) -> None:
        """Whether a refusal needs no second opinion."""
        self.strict = strict

    def _fill(self, calls: int, until_ns: int) -> int:
        """Hold so many until then; how many were left of those before. By one caller at a time."""
        return self.state.fill(<uint64_t>calls, <int64_t>until_ns)

    def _drain(self) -> int:
        """Hold nothing; how many that were."""
        return self.state.drain()

    def _shut(self, until_ns: int) -> None:
        """Do not ask before then."""
        self.state.shut(<int64_t>until_ns)

    def _count(self, passed: bool) -> None:
        """A call was decided elsewhere."""
        if passed:
            self.state.admitted.fetch_add(1)
        else:
            self.state.refused.fetch_add(1)

    def _counts(self) -> tuple:
        """(admitted, refused)."""
        return self.state.admitted.load(), self.state.refused.load()

    @property
    def held(self) -> int:
        """Calls that are here now, to be used until they lapse."""
        return self.state.held(now_ns(self.source))

    @property
    def until_ns(self) -> int:
        """When they lapse, in nanoseconds of the clock."""
        return self.state.until()

    @property
    def shut_until_ns(self) -> int:
        """Until when the engine need not be asked."""
        return self.state.shut_until()
