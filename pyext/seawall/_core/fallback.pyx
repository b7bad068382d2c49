"""Something else in place of a failure. The public class is in seawall.guard.fallback."""

cimport cython
from libc.stdint cimport uint64_t
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF, Py_XDECREF

from seawall._core.policy cimport (
    CANCELLED, GO, INSTEAD, PASS, RAISED, RETURNED, Call, Policy, Slot, Step, Turn, arguments, replace,
)

cdef extern from "Python.h":
    int PyContextVar_Get(object, PyObject*, PyObject**) except -1

from contextvars import ContextVar

USED = ContextVar("seawall_fallback_used", default=None)
cdef object used = USED
cdef bint ever_used = False


@cython.auto_pickle(False)
cdef class Attempt:
    """A call that fell back: the error, and what is tried in its place."""
    cdef readonly object error
    cdef readonly bint is_async, is_stream
    cdef readonly int step
    cdef readonly tuple failures
    cdef readonly object age          # of a remembered result, in seconds

    def _answered(self, step: int, age) -> None:
        """Which step answers, and how old a remembered result is."""
        self.step, self.age = step, age


cdef class Recovering(Policy):
    """Success passes; a failure is answered by something else."""
    cdef readonly uint64_t passed, answered, exhausted
    cdef bint remembers

    def _remembers(self, remembers: bool) -> None:
        """Set once, by the face: whether results are shown to `_remember`."""
        self.remembers = remembers

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        slot.object = NULL
        return GO

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        if slot.object == NULL:
            if call.end == RETURNED:
                self.passed += 1
                if not self.remembers and not ever_used:
                    return PASS
            try:
                return self.first_end(slot, call)
            except BaseException as error:
                replace(call, error)
                return PASS
        try:
            return self.later_end(slot, call)
        except BaseException as error:
            replace(call, error)
            self.forget(slot)
            return PASS

    cdef void forget(self, Slot* slot) noexcept:
        Py_XDECREF(slot.object)
        slot.object = NULL

    cdef Turn first_end(self, Slot* slot, Call* call) except *:
        """How the call itself ended."""
        cdef Attempt attempt
        if call.end == RETURNED:
            self.unmark()
            if self.remembers and not call.is_stream:
                self._remember(<object>call.fn, arguments(call), <object>call.value)
            return PASS
        if call.end == CANCELLED or call.yielded:
            return PASS
        error = <object>call.value
        if not self._concerns(error):
            return PASS
        if self.lenient():
            return PASS
        attempt = Attempt.__new__(Attempt)
        attempt.error, attempt.is_async, attempt.is_stream = error, call.is_async, call.is_stream
        attempt.failures = ()
        Py_INCREF(attempt)
        slot.object = <PyObject*>attempt
        return self.next_step(slot, call, attempt)

    cdef Turn later_end(self, Slot* slot, Call* call) except *:
        """How what was tried in its place ended."""
        cdef Attempt attempt = <Attempt>slot.object
        if call.end == CANCELLED or call.yielded and call.end == RAISED:
            self.forget(slot)
            return PASS
        if call.end == RETURNED:
            return self.done(slot, call, attempt)
        attempt.failures += (<object>call.value,)
        attempt.step += 1
        return self.next_step(slot, call, attempt)

    cdef Turn next_step(self, Slot* slot, Call* call, Attempt attempt) except *:
        global ever_used
        known = (<object>call.fn, arguments(call)) if self.remembers and not call.is_stream else None
        found = self._answer(attempt, known)
        if found is None:
            self.exhausted += 1
            replace(call, self._exhausted(attempt))
            self.forget(slot)
            return PASS
        is_function, answer = found
        if attempt.is_stream:  # its items are seen before it ends
            ever_used = True
            self._mark(attempt)
        Py_XDECREF(call.value)
        Py_INCREF(answer)
        call.value = <PyObject*>answer
        call.refused = False
        if is_function:
            return INSTEAD
        call.end = RETURNED
        return self.done(slot, call, attempt)

    cdef Turn done(self, Slot* slot, Call* call, Attempt attempt) except *:
        global ever_used
        ever_used = True
        self.answered += 1
        self._used(attempt)
        self.forget(slot)
        return PASS

    cdef int unmark(self) except -1:
        cdef PyObject* found = NULL
        if not ever_used:
            return 0
        PyContextVar_Get(used, NULL, &found)
        if found != NULL:
            mark = <object>found
            Py_DECREF(mark)
            if mark is not None:
                used.set(None)
        return 0

    def _concerns(self, error: BaseException) -> bool:
        raise NotImplementedError

    def _answer(self, attempt: Attempt, known) -> tuple:
        raise NotImplementedError

    def _exhausted(self, attempt: Attempt) -> BaseException:
        raise NotImplementedError

    def _mark(self, attempt: Attempt) -> None:
        raise NotImplementedError

    def _used(self, attempt: Attempt) -> None:
        raise NotImplementedError

    def _remember(self, fn, known: tuple, value) -> None:
        raise NotImplementedError
