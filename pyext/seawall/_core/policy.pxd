from libc.stdint cimport int64_t, uint32_t, uint64_t
from cpython.object cimport PyObject

from seawall._core.clock cimport Clock, Source


cdef extern from "frame.hpp" namespace "seawall::binding" nogil:
    ctypedef enum Step "seawall::binding::Step":
        GO "seawall::binding::GO"
        WAIT "seawall::binding::WAIT"
        REFUSE "seawall::binding::REFUSE"
        TAKE "seawall::binding::TAKE"
    ctypedef enum Turn "seawall::binding::Turn":
        PASS "seawall::binding::PASS"
        AGAIN "seawall::binding::AGAIN"
        INSTEAD "seawall::binding::INSTEAD"
    ctypedef enum End "seawall::binding::End":
        RETURNED "seawall::binding::RETURNED"
        RAISED "seawall::binding::RAISED"
        CANCELLED "seawall::binding::CANCELLED"
    ctypedef enum Action "seawall::binding::Action":
        CALL "seawall::binding::CALL"
        BLOCK "seawall::binding::BLOCK"
        SLEEP "seawall::binding::SLEEP"
        OTHER "seawall::binding::OTHER"
        DONE "seawall::binding::DONE"

    const int kMostPolicies

    cppclass Slot:
        int64_t a
        int64_t b
        uint64_t c
        int64_t delay
        PyObject* object
        bint held

    cppclass Call:
        PyObject* value
        Call* outer
        End end
        bint is_async
        bint is_stream
        bint yielded
        bint refused
        int n
        int i
        int retries
        PyObject* fn
        PyObject** args
        PyObject* names
        Py_ssize_t nargs
        Slot slots[8]

    Call* current_call
    void begin(Call&, int, bint)
    void know(Call&, PyObject*, PyObject* const*, Py_ssize_t, PyObject*)


cdef extern from "frame.hpp" namespace "seawall::binding":
    PyObject* take_error()
    void give_error(PyObject*)
    void settle(Call&, PyObject*)


cdef class Policy:
    cdef Source source               # of `clock`
    cdef readonly Clock clock
    cdef readonly str name
    cdef bint is_shadow
    cdef uint32_t enforced           # share of refusals that stand, of 2^32; 0 for all
    cdef uint32_t credit
    cdef readonly uint64_t let_through

    # May the call pass? Called once a call (Retry: once for all attempts). REFUSE: `refuse(call, error)` was called.
    # TAKE: what `taken` gives is called in place of the policies inside and the callee.
    cdef Step enter(self, Slot* slot, Call* call) noexcept
    cdef object taken(self, tuple inside, Slot* slot, Call* call)
    # After the wait that WAIT asked for.
    cdef void entered(self, Slot* slot, Call* call) noexcept
    # How did it end? May change call.end and call.value, ask for another attempt, or for something else to be called.
    cdef Turn leave(self, Slot* slot, Call* call) noexcept
    # Of a generator: its next item is about to be asked for, and was given. False: the generator must end.
    cdef bint resume(self, Slot* slot, Call* call) noexcept
    cdef bint pause(self, Slot* slot, Call* call) noexcept
    cdef bint lenient(self) noexcept


cdef void refuse(Call* call, object error) noexcept
cdef void replace(Call* call, object error) noexcept
# (positional, keywords by name) of a call.
cdef tuple arguments(Call* call)
cdef Action inward(PyObject* stages, Call* call) noexcept
cdef Action outward(PyObject* stages, Call* call) noexcept
cdef void abandon(PyObject* stages, Call* call, Action doing) noexcept
# After the driver did what it was told: `result` is owned, NULL when that raised.
cdef Action settled(PyObject* stages, Call* call, Action doing, PyObject* result) noexcept
