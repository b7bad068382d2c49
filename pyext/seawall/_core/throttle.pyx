"""How much of what is asked a service accepts, and by that how much is asked. The public class is in seawall.guard.throttle."""

cimport cython
from libc.stdint cimport int64_t, uint64_t

from seawall._core.clock cimport now_ns
from seawall._core.policy cimport CANCELLED, GO, PASS, REFUSE, RETURNED, Call, Policy, Slot, Step, Turn, refuse, replace

cdef enum:
    BUCKETS = 24
    CLASSES = 4
WINDOW_BUCKETS = BUCKETS


cdef class Throttling(Policy):
    """Requests and accepts of four criticalities in a window of buckets. Of a call: c, its criticality.

    A call is counted when its answer is known, so that those under way are no sign of trouble, and cancelled ones are none.
    """
    cdef int64_t bucket_ns, newest
    cdef uint64_t[BUCKETS][CLASSES] asked, taken_on
    cdef uint64_t[CLASSES] requests, accepts
    cdef double[CLASSES] k
    cdef object random, default_class
    cdef readonly uint64_t passed, refused, rejected

    def _arrange(self, bucket_ns: int, k: tuple, random, criticality) -> None:
        """Set by the face: nanoseconds of a bucket, K of each criticality from the lowest, chance, a fixed criticality or None."""
        cdef int c
        if bucket_ns != self.bucket_ns:
            self.bucket_ns, self.newest = bucket_ns, now_ns(self.source) // bucket_ns
            self._forget()
        for c in range(CLASSES):
            self.k[c] = k[c]
        self.random, self.default_class = random, criticality

    def _forget(self) -> None:
        """Begin with an empty window."""
        cdef int c, b
        for c in range(CLASSES):
            self.requests[c] = self.accepts[c] = 0
            for b in range(BUCKETS):
                self.asked[b][c] = self.taken_on[b][c] = 0

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        cdef double chance
        cdef int c
        try:
            c = self._criticality() if self.default_class is None else self.default_class
            slot.c = c
            chance = self.chance(c)
            if chance <= 0.0 or self.random() >= chance or Policy.lenient(self):
                return GO
            with cython.critical_section(self):
                self.refused += 1
                self.count(c, False)
            refuse(call, self._refusal(c, chance, self.until_next()))
        except BaseException as error:
            replace(call, error)
        return REFUSE

    cdef bint lenient(self) noexcept:
        """No more: `enter` has asked, as a call that is let pass must be counted when it ends."""
        return False

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        cdef bint rejected
        if call.end == CANCELLED or call.refused:
            return PASS  # nobody's answer, or that of a policy inside: the service was not asked
        try:
            rejected = self._is_rejection(<object>call.value, call.end != RETURNED)
            with cython.critical_section(self):
                self.passed += 1
                self.rejected += rejected
                self.count(<int>slot.c, not rejected)
        except BaseException as error:
            replace(call, error)
        return PASS

    cdef double chance(self, int c) noexcept:
        cdef double chance
        with cython.critical_section(self):
            self.turn(now_ns(self.source))
            chance = (<double>self.requests[c] - self.k[c] * <double>self.accepts[c]) / (<double>self.requests[c] + 1.0)
        return chance if chance > 0.0 else 0.0

    cdef void count(self, int c, bint accepted) noexcept:
        cdef int64_t b
        self.turn(now_ns(self.source))
        b = self.newest % BUCKETS
        self.asked[b][c] += 1
        self.requests[c] += 1
        self.taken_on[b][c] += accepted
        self.accepts[c] += accepted

    cdef void turn(self, int64_t now) noexcept:
        """Forget the buckets that have left the window. Time that steps back stays in the newest."""
        cdef int64_t number = now // self.bucket_ns
        cdef int64_t gone, b
        cdef int c
        if number <= self.newest:
            return
        for gone in range(max(self.newest + 1, number - BUCKETS + 1), number + 1):
            b = gone % BUCKETS
            for c in range(CLASSES):
                self.requests[c] -= self.asked[b][c]
                self.accepts[c] -= self.taken_on[b][c]
                self.asked[b][c] = self.taken_on[b][c] = 0
        self.newest = number

    cdef double until_next(self) noexcept:
        return max((self.newest + 1) * self.bucket_ns - now_ns(self.source), 0) / 1e9

    def _figures(self) -> tuple:
        """Of each criticality from the lowest: requests and accepts in the window, and the chance of a refusal."""
        cdef list found = []
        cdef int c
        for c in range(CLASSES):
            chance = self.chance(c)
            found.append((self.requests[c], self.accepts[c], chance))
        return tuple(found)

    def _criticality(self) -> int:
        raise NotImplementedError

    def _is_rejection(self, outcome, raised: bool) -> bool:
        raise NotImplementedError

    def _refusal(self, criticality: int, chance: float, retry_after: float) -> object:
        raise NotImplementedError
