"""Places for calls in flight and the line for them. The public classes are in seawall.guard.bulkhead."""

from cpython.ref cimport Py_DECREF, Py_INCREF

from seawall._core.policy cimport GO, PASS, REFUSE, WAIT, Call, Policy, Slot, Step, Turn, refuse, replace


cdef class Waiter:
    """One who waits for a place; `bell` is rung when it has one."""
    def __init__(self, bell):
        self.bell = bell

    @property
    def admitted(self) -> bool:
        """Whether it holds a place."""
        return self.own.place.load() == admitted


cdef int ring(CWaiter* first) except -1:
    """Wake those who were admitted; each comes with the reference the line held."""
    cdef CWaiter* following
    while first != NULL:
        following = first.next
        waiter = <Waiter>first.owner
        Py_DECREF(waiter)
        try:
            waiter.bell.ring()
        except BaseException:  # an interrupt came in between: nobody else will ring for this one
            waiter.bell.ring()
            raise
        first = following
    return 0


cdef class Places(Policy):
    """A bounded number of calls in flight. Thread safe, lock-free while nobody waits."""
    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        if self.gate.try_enter():
            return GO
        if self.gate.queue() != 0:
            return WAIT
        self.gate.refuse()
        try:
            refuse(call, self._refusal("full"))
        except BaseException as error:
            refuse(call, error)
        return REFUSE

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        if self.gate.try_leave() == waited_for:
            try:
                ring(self.gate.hand_over())
            except BaseException as error:
                replace(call, error)
        return PASS

    def _refusal(self, state: str) -> object:
        raise NotImplementedError

    def _resize(self, places: int, queue: int) -> None:
        """New bounds, validated by the face; whoever finds a place now is admitted."""
        ring(self.gate.resize(places, queue))

    def _admit_now(self) -> bool:
        """A place if there is one; a refusal is not counted."""
        return self.gate.try_enter()

    def _note_refusal(self) -> None:
        """Count a refusal."""
        self.gate.refuse()

    def _count_refusal(self) -> bool:
        """Count a refusal; True when it does not stand, and a place was taken regardless."""
        self.gate.refuse()
        return self._pardon()

    def _pardon(self) -> bool:
        """True when a refusal does not stand, and a place was taken regardless."""
        if not self.lenient():
            return False
        self.gate.enter_regardless()
        return True

    def _hold(self) -> None:
        """One more in flight, whether there is a place or not."""
        self.gate.enter_regardless()

    def _join(self, waiter: Waiter) -> bool:
        """Stand in line, or take a place at once; False when both are full, which is counted."""
        cdef Waiter who = waiter
        who.own.owner = <void*>who
        Py_INCREF(who)  # the line's, handed to whoever takes the waiter out of it
        cdef Entry entry = self.gate.join(who.own)
        if entry != joined:
            Py_DECREF(who)
        return entry != full

    def _quit(self, waiter: Waiter) -> bool:
        """Leave the line; False when there is a place for it, which is then its own to give back."""
        cdef Waiter who = waiter
        if not self.gate.quit(who.own):
            return False
        Py_DECREF(who)
        return True

    def _give_back(self) -> None:
        """Give a place back, to the first in line if anybody waits.

        Raises RuntimeError when no place is taken.
        """
        cdef Exit done = self.gate.try_leave()
        if done == nobody_in:
            raise RuntimeError(f"{self.name} was released more often than acquired")
        if done == waited_for:
            ring(self.gate.hand_over())

    def _counts(self) -> tuple:
        """(places, queue, in flight, queued, admitted, refused)"""
        return (self.gate.places(), self.gate.queue(), self.gate.in_flight(), self.gate.queued(),
                self.gate.admitted(), self.gate.refused())
