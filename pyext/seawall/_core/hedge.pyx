"""Which calls may be made twice, and what their latency teaches. The public class is in seawall.guard.hedge."""

from functools import partial

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int64_t, uint64_t

from seawall._core.budget cimport Budget
from seawall._core.clock cimport now_ns
from seawall._core.histogram cimport Histogram
from seawall._core.policy cimport (
    CANCELLED, GO, PASS, RAISED, REFUSE, RETURNED, TAKE, Call, Policy, Slot, Step, Turn, arguments, replace,
)

from seawall._core.guarded import Guarded
from seawall._errors import ConfigError, Rejected

# What `leave` has to do: time the call, nothing as it says nothing of others, nothing as the race has done it.
cdef uint64_t TIMED = 0, APART = 1, RACED = 2


cdef class Hedging(Policy):
    """Calls that may be made twice, and a histogram of how long they take. Of a call: b, when it began; c, what to
    do after; object, of a raced one, the policies inside."""
    cdef Budget budget
    cdef object idempotent, good     # predicates, or None
    cdef Histogram recent
    cdef int64_t after               # when a copy may be made, in nanoseconds; -1 while nobody knows
    cdef int64_t due, wanted         # when, and after how many calls, the latencies are looked at
    cdef readonly uint64_t calls, not_idempotent, unlearned

    def _arrange(self, budget, idempotent, good) -> None:
        """Set by the face: what pays, and which calls and which results are good; None takes all."""
        if budget is not None:
            (<Budget?>budget).kernel()
        self.budget, self.idempotent, self.good = budget, idempotent, good

    def _teach(self, recent, after: int, due: int, wanted: int) -> None:
        """Record into `recent`, hedge `after` so many nanoseconds, and ask again at `due` or after `wanted` calls."""
        self.recent, self.after, self.due, self.wanted = <Histogram?>recent, after, due, wanted

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        slot.c = APART
        try:
            return self.begin(slot, call)
        except BaseException as error:
            replace(call, error)
            return REFUSE

    cdef Step begin(self, Slot* slot, Call* call) except *:
        if call.is_stream:
            raise ConfigError(f"{self.name}: a generator cannot be hedged, as its caller has seen items of one copy")
        self.calls += 1
        if self.idempotent is not None:
            positional, named = arguments(call)
            if not self.idempotent(*positional, **named):
                self.not_idempotent += 1
                return GO
        if self.budget is not None:
            self.budget.state.deposit(now_ns(self.budget.source))
        slot.b = now_ns(self.source)
        slot.c = TIMED
        if self.after < 0:
            self.unlearned += 1
            return GO
        if self.is_shadow:
            return GO
        slot.c = RACED
        return TAKE

    cdef object taken(self, tuple inside, Slot* slot, Call* call):
        positional, named = arguments(call)
        fn = <object>call.fn
        if inside:
            fn = Guarded(fn, inside, None, call.is_async)
        race = self._race(partial(fn, *positional, **named), call.is_async, slot.b)
        Py_INCREF(inside)
        slot.object = <PyObject*>inside
        return race

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        cdef int64_t took, now
        if slot.c == RACED:
            inside = <object>slot.object
            Py_DECREF(inside)
            slot.object = NULL
            if inside and call.end == RAISED:
                self.mark(<tuple>inside, call)
        if slot.c != TIMED:
            return PASS
        now = now_ns(self.source)
        took = now - slot.b
        try:
            if self.after >= 0 and took >= self.after:
                self.let_through += self.is_shadow
                self.learn(took, now)
            elif call.end == RETURNED and (self.good is None or self.good(<object>call.value)):
                self.learn(took, now)
        except BaseException as error:
            replace(call, error)
        return PASS

    cdef void mark(self, tuple inside, Call* call) noexcept:
        """A refusal by a policy inside is one to those outside, too, though it came through a call of its own."""
        try:
            error = <object>call.value
            if isinstance(error, Rejected) and error.policy in [policy.name for policy in inside]:
                call.refused = True
        except Exception:
            pass

    cdef int learn(self, int64_t took, int64_t now) except -1:
        self.recent.view.record(<uint64_t>max(took, 0))
        self.wanted -= 1
        if self.wanted <= 0 or now >= self.due:
            self._look(now)
        return 0

    def _learn(self, took: int) -> None:
        """A call took so many nanoseconds, or at least so many and more than the time after which it was hedged."""
        self.learn(took, now_ns(self.source))

    def _pardon(self) -> bool:
        """Whether this copy is only counted, not made: outside the enforced share."""
        return self.lenient()

    def _look(self, now_ns: int) -> None:
        raise NotImplementedError

    def _race(self, start, is_async: bool, began_ns: int) -> object:
        raise NotImplementedError
