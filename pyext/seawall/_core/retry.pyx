"""The way of a call through a retry. First attempts that succeed call no Python; what is to be done about a failure is decided
by the public class in seawall.guard.retry.

Another retry is seen in the calls around this one. Where no call is around (a task made by a retried callee), it is seen in a
context variable that is set only from the second attempt on, and looked at only while any is set.
"""

from contextvars import ContextVar

from cpython.contextvars cimport PyContextVar_Reset, PyContextVar_Set, get_value
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF, Py_XDECREF
from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libcpp.atomic cimport atomic

from seawall._core.budget cimport Budget
from seawall._core.clock cimport now_ns
from seawall._core.policy cimport (
    AGAIN, CANCELLED, GO, PASS, RAISED, RETURNED, Call, Policy, Slot, Step, Turn, replace,
)

cdef extern from *:
    """
    // Exact with and without the interpreter's lock.
    static inline void seawall_count(std::uint64_t& n) {
    #ifdef Py_GIL_DISABLED
      std::atomic_ref<std::uint64_t>(n).fetch_add(1, std::memory_order_relaxed);  // a statistic
    #else
      ++n;
    #endif
    }
    """
    void seawall_count(uint64_t&) noexcept nogil

# What the public class answers when there is no further attempt; a wait in nanoseconds otherwise.
ACCEPTED, GAVE_UP, OVER_BUDGET, RECOVERED = -1, -2, -3, -4

cdef object retrying = ContextVar("seawall_retrying", default=False)
cdef atomic[int64_t] underway  # how many calls have set it


cdef int announce(Slot* slot) except -1:
    """From now on, tasks made by the callee know that they are part of a retry."""
    cdef object token = PyContextVar_Set(retrying, True)
    Py_INCREF(token)
    slot.c = <uint64_t><uintptr_t><PyObject*>token
    underway.fetch_add(1)
    return 0


cdef void denounce(Slot* slot) noexcept:
    cdef object token = <object><PyObject*><uintptr_t>slot.c
    Py_DECREF(token)
    slot.c = 0
    underway.fetch_sub(1)
    try:
        PyContextVar_Reset(retrying, token)
    except (RuntimeError, ValueError):
        pass  # a call that was abandoned is cleaned up in whatever context collects it


cdef bint is_around() noexcept:
    return get_value(retrying) is True


cdef class Retry(Policy):
    """A call's further attempts. Per call it remembers: a, attempts made, 0 when it stands back; b, when it began; c, the
    token of the context variable; object, what the public class remembers of failed attempts."""
    cdef bint stands_back    # when there is a retry around
    cdef bint visible        # to retries inside
    cdef bint asks_results
    cdef Budget budget
    cdef uint64_t calls, retries, recovered, gave_up, over_budget, stood_back

    def _arrange(self, stands_back: bool, visible: bool, asks_results: bool, budget) -> None:
        """Set once, by the face."""
        if budget is not None:
            (<Budget?>budget).kernel()
        self.stands_back, self.visible, self.asks_results, self.budget = stands_back, visible, asks_results, budget

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        seawall_count(self.calls)
        slot.object = NULL
        slot.c = 0
        if self.stands_back and (call.retries > 0 or (underway.load() > 0 and is_around())):
            seawall_count(self.stood_back)
            slot.a = 0
            return GO
        slot.a = 1
        slot.b = now_ns(self.source)
        if self.budget is not None:
            self.budget.state.deposit(now_ns(self.budget.source))
        call.retries += self.visible
        return GO

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        if slot.a == 0:
            return PASS
        if call.end != RETURNED or slot.object != NULL or (self.asks_results and not call.is_stream):
            if self.goes_on(slot, call):
                return AGAIN
        call.retries -= self.visible
        return PASS

    cdef bint goes_on(self, Slot* slot, Call* call) noexcept:
        cdef object failures = None if slot.object == NULL else <object>slot.object
        cdef int64_t wait = ACCEPTED
        try:
            if call.end != CANCELLED:
                wait, failures = self._after(
                    failures, slot.a, slot.b, <object>call.value, call.end == RAISED, call.is_stream, call.yielded)
            if wait >= 0:
                if slot.c == 0 and self.visible and not call.is_stream:  # between a stream's items the caller runs
                    announce(slot)
                Py_XDECREF(slot.object)
                Py_INCREF(failures)
                slot.object = <PyObject*>failures
        except BaseException as error:  # of a predicate, a backoff or an option of the user
            replace(call, error)
            wait = ACCEPTED
        if wait >= 0:
            seawall_count(self.retries)
            slot.a += 1
            slot.delay = wait
            return True
        self.count_end(wait)
        Py_XDECREF(slot.object)
        slot.object = NULL
        if slot.c != 0:
            denounce(slot)
        return False

    cdef void count_end(self, int64_t how) noexcept:
        if how == RECOVERED:
            seawall_count(self.recovered)
        elif how != ACCEPTED:
            seawall_count(self.gave_up)
            if how == OVER_BUDGET:
                seawall_count(self.over_budget)

    def _after(self, failures, attempt: int, began_ns: int, outcome, raised: bool, is_stream: bool, yielded: bool) -> tuple:
        """What to do after an attempt: (wait in ns, or how the call ends; what to remember)."""
        raise NotImplementedError

    def _is_lenient(self) -> bool:
        """Whether a retry is only counted, not made: shadow, or outside the enforced share."""
        return self.lenient()

    def _counts(self) -> tuple:
        """(calls, retries, recovered, gave up, over budget, stood back)"""
        return self.calls, self.retries, self.recovered, self.gave_up, self.over_budget, self.stood_back
