"""The deadline of a call, and the context variable that carries it. The public class is in seawall.clock."""

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF

from seawall._core.clock cimport Clock, now_ns

cdef extern from "Python.h":
    int PyContextVar_Get(object, PyObject*, PyObject**) except -1
    object PyContextVar_Set(object, object)
    int PyContextVar_Reset(object, object) except -1

from contextvars import ContextVar

IN_FORCE = ContextVar("seawall_deadline", default=None)
cdef object current = IN_FORCE
cdef type kind = None


def set_kind(cls) -> None:
    """Tell which class a deadline made by a policy is of."""
    global kind
    kind = cls


@cython.auto_pickle(False)
cdef class Deadline:
    """A moment of a clock."""

    def _set(self, clock, at_ns: int) -> None:
        """Set once, by the face."""
        self.clock, self.at_ns = clock, at_ns

    def _terms(self) -> tuple:
        """(seconds a policy gave, whether an outer deadline left no more); 0.0 when no policy made it."""
        return self.given_ns / 1e9, bool(self.borrowed)

    def _let_pass(self) -> None:
        """It has passed, and the call may go on all the same."""
        self.pardoned = True

    cdef int64_t left_ns(self) noexcept:
        return self.at_ns - now_ns(self.clock.source)

    def remaining(self) -> float:
        """Seconds left, 0.0 when it has passed."""
        return max(0, self.left_ns()) / 1e9


cdef object in_force():
    cdef PyObject* found = NULL
    PyContextVar_Get(current, NULL, &found)
    if found == NULL:
        return None
    deadline = <object>found
    Py_DECREF(deadline)
    return deadline


cdef object put_in_force(deadline):
    return PyContextVar_Set(current, deadline)


cdef int withdraw(token) except -1:
    try:
        PyContextVar_Reset(current, token)
    except ValueError:
        pass  # the call is ended from another context, which never had the deadline
    return 0


cdef Deadline deadline_at(Clock clock, int64_t at_ns):
    cdef Deadline made = kind.__new__(kind)
    made.clock, made.at_ns = clock, at_ns
    return made
