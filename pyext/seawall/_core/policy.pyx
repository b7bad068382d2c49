"""What every policy is to a call, and the way of a call through several of them. The public classes are in seawall.guard.

A call goes inward through `enter` of each policy, reaches the callee, and goes outward through `leave` of each that it had
entered. What that needs done (call, wait, sleep) is told to a driver; there is one for plain calls and one for awaited ones.
"""

cimport cython
from cpython.ref cimport Py_INCREF, Py_XDECREF

cdef extern from "Python.h":
    PyObject* borrowed_item "PyTuple_GET_ITEM"(PyObject*, Py_ssize_t)


@cython.no_gc_clear  # calls and permits that die in the same cycle still ask it for the time
cdef class Policy:
    """The base of every policy. `shadow`: decide and count, refuse nobody. `enforce`: the share of refusals that stand."""

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        return GO

    cdef object taken(self, tuple inside, Slot* slot, Call* call):
        raise NotImplementedError

    cdef void entered(self, Slot* slot, Call* call) noexcept:
        pass

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        return PASS

    cdef bint resume(self, Slot* slot, Call* call) noexcept:
        return True

    cdef bint pause(self, Slot* slot, Call* call) noexcept:
        return True

    cdef bint lenient(self) noexcept:
        """Whether this refusal does not stand. An accumulator spreads the enforced share evenly, without chance."""
        cdef uint32_t before = self.credit
        if not self.is_shadow:
            if self.enforced == 0:
                return False
            self.credit += self.enforced
            if self.credit < before:
                return False
        self.let_through += 1
        return True

    def _lenience(self, shadow: bool, enforce: float) -> None:
        """Set once, by the face, which has checked both."""
        self.is_shadow = shadow
        self.enforced = 0 if enforce >= 1.0 else max(1, <uint32_t>(enforce * 4294967296.0))
        if enforce <= 0.0:
            self.is_shadow = True

    def _bind(self, name: str, clock) -> None:
        """Set once, by the face."""
        self.name, self.clock = name, clock
        self.source = self.clock.source

    def _title(self) -> str:
        """How the policy is called in a note on an exception."""
        return f"{type(self).__name__} {self.name!r}"

    @property
    def shadow(self) -> bool:
        """Decides and counts, but refuses nobody."""
        return self.is_shadow

    @property
    def enforce(self) -> float:
        """The share of refusals that stand."""
        return 0.0 if self.is_shadow else 1.0 if self.enforced == 0 else self.enforced / 4294967296.0


cdef class Waiting(Policy):
    """A policy written in Python that only waits: `_wait_in` and `_wait_in_async` admit, or raise a refusal.

    In shadow, or where not all refusals stand, `_try_in` says first whether there is anything to refuse.
    """

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        if not self.is_shadow and self.enforced == 0:
            return WAIT
        try:
            return GO if self._try_in() else WAIT
        except BaseException as error:
            refuse(call, error)
            return REFUSE

    def _try_in(self) -> bool:
        """Admit a call now, or not; a refusal is counted."""
        raise NotImplementedError

    def _pardon(self) -> bool:
        """Whether this refusal does not stand."""
        return self.lenient()


cdef class Custom(Policy):
    """A policy written in Python by `before()`, whose answer `after(token, result, error)` gets back."""

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        try:
            token = self.before()
        except BaseException as error:
            refuse(call, error)
            return REFUSE
        Py_INCREF(token)
        slot.object = <PyObject*>token
        return GO

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        token = <object>slot.object
        Py_XDECREF(slot.object)
        slot.object = NULL
        value = <object>call.value
        try:
            self.after(token, value if call.end == RETURNED else None, None if call.end == RETURNED else value)
        except BaseException as error:
            if call.end != RETURNED and error is not value and error.__context__ is None:
                error.__context__ = value  # what `after` was told of, as if raised while handling it
            replace(call, error)
        return PASS


cdef void refuse(Call* call, object error) noexcept:
    replace(call, error)
    call.refused = True


cdef void replace(Call* call, object error) noexcept:
    """The call ends with this exception instead."""
    Py_XDECREF(call.value)
    Py_INCREF(error)
    call.value = <PyObject*>error
    call.end = RAISED if isinstance(error, Exception) else CANCELLED
    call.refused = False


cdef tuple arguments(Call* call):
    """(positional, keywords by name) of a call."""
    cdef tuple names = () if call.names == NULL else <tuple>call.names
    cdef Py_ssize_t i, n = call.nargs
    positional = tuple([<object>call.args[i] for i in range(n)])
    return positional, {name: <object>call.args[n + i] for i, name in enumerate(names)}


cdef Action inward(PyObject* stages, Call* call) noexcept:
    cdef Step step
    cdef Slot* slot
    cdef Policy policy
    while call.i < call.n:
        slot = &call.slots[call.i]
        policy = <Policy>borrowed_item(stages, call.i)
        step = policy.enter(slot, call)
        slot.held = step == GO
        if step == TAKE:
            return take(stages, call, policy, slot)
        # An interrupt (Ctrl-C) that came while a policy refused is none of the refusals that may be let through.
        if step != GO and ((step == REFUSE and call.end == CANCELLED) or not policy.lenient()):
            return BLOCK if step == WAIT else outward(stages, call)
        if step == REFUSE:
            Py_XDECREF(call.value)
            call.value = NULL
            call.refused = False
        call.i += 1
    return CALL


cdef Action take(PyObject* stages, Call* call, Policy policy, Slot* slot) noexcept:
    """The policy calls what is inside it in its own way, and is left when that has ended."""
    try:
        inner = policy.taken((<tuple>stages)[call.i + 1:], slot, call)
    except BaseException as error:
        replace(call, error)
        return outward(stages, call)
    Py_INCREF(inner)
    call.value = <PyObject*>inner
    slot.held = True
    call.i += 1
    return OTHER


cdef Action outward(PyObject* stages, Call* call) noexcept:
    cdef Turn turn
    cdef Slot* slot
    while call.i > 0:
        call.i -= 1
        slot = &call.slots[call.i]
        if not slot.held:
            continue
        turn = (<Policy>borrowed_item(stages, call.i)).leave(slot, call)
        if turn == AGAIN:
            Py_XDECREF(call.value)
            call.value = NULL
            return SLEEP
        if turn == INSTEAD:
            call.i += 1  # the policy sees how that ended, too
            return OTHER
        slot.held = False
    return DONE


cdef Action settled(PyObject* stages, Call* call, Action doing, PyObject* result) noexcept:
    cdef Slot* slot
    if doing == CALL or doing == OTHER:
        settle(call[0], result)
        return outward(stages, call)
    if result == NULL:  # the wait or the sleep was refused or cancelled
        settle(call[0], NULL)
        call.refused = doing == BLOCK and call.end == RAISED
        call.i += doing == SLEEP  # the policy that slept has been entered, and is left
        return outward(stages, call)
    Py_XDECREF(result)
    if doing == BLOCK:
        slot = &call.slots[call.i]
        slot.held = True
        (<Policy>borrowed_item(stages, call.i)).entered(slot, call)
    call.i += 1
    return inward(stages, call)


cdef void abandon(PyObject* stages, Call* call, Action doing) noexcept:
    """The call ends where it is: its policies see a cancellation, and what they ask for is not done."""
    while doing != DONE:
        call.i += doing == SLEEP  # the policy that asked is told how that ended, and is left
        replace(call, GeneratorExit())
        doing = outward(stages, call)
    Py_XDECREF(call.value)
    call.value = NULL
