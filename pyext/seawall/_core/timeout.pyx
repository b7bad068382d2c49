"""The time a call is given. The public class is in seawall.guard.timeout."""

cimport cython
from libc.stdint cimport int64_t, uint64_t
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF

from seawall._core.clock cimport now_ns
from seawall._core.deadline cimport Deadline, deadline_at, in_force, put_in_force, withdraw
from seawall._core.policy cimport (
    CANCELLED, GO, PASS, RAISED, REFUSE, RETURNED, Call, Policy, Slot, Step, Turn, refuse, replace,
)

from seawall._errors import DeadlineExceeded

cdef object cancelled_error = None, current_task = None, running_loop = None


cdef int know_asyncio() except -1:
    global cancelled_error, current_task, running_loop
    if current_task is None:
        from asyncio import CancelledError, current_task as current, get_running_loop
        cancelled_error, running_loop, current_task = CancelledError, get_running_loop, current
    return 0


cdef object loop_of(Call* call):
    """The event loop that runs here; None for a plain call."""
    if not call.is_async:
        return None
    know_asyncio()
    return running_loop()


@cython.auto_pickle(False)
cdef class Expiry:
    """The end of one call's time; called by the clock. While `task` is known the callee runs in it and can be cancelled."""
    cdef Timing policy
    cdef Deadline deadline
    cdef object task, timer, token
    cdef int cancelling
    cdef bint fired, over    # over: no step may begin any more
    cdef bint stopped        # it was this that ended the call

    def fire(self) -> None:
        """Time is up."""
        if self.task is None or self.over:
            return  # between the items of a generator: the next step looks at the clock
        if self.policy.lenient():
            self.deadline.pardoned = True
            return
        self.fired = True
        self.task.cancel()

    cdef int start(self, object loop) except -1:
        """The callee runs from here on; in a task of `loop`, unless that is None."""
        if loop is not None:
            self.task = current_task(loop)
            if self.task is None:
                raise RuntimeError("a Timeout cancels an asyncio task, and none runs here")
            self.cancelling = self.task.cancelling()
        self.token = put_in_force(self.deadline)
        return 0

    cdef bint stop(self) except -1:
        """The callee runs no more; whether somebody else, too, wants the task to be cancelled."""
        cdef bint others = False
        token, self.token = self.token, None
        task, self.task = self.task, None
        if token is not None:
            withdraw(token)
        if self.fired and task is not None:
            others = task.uncancel() > self.cancelling
        return others


cdef class Timing(Policy):
    """A bound on the time of each call."""
    cdef int64_t limit
    cdef readonly uint64_t expired
    cdef readonly int abandoned
    cdef int most_abandoned          # -1: nothing is ever abandoned

    def _limit(self, limit: int, most_abandoned: int) -> None:
        """Set once, by the face: nanoseconds, and how many callees may run on in threads."""
        self.limit, self.most_abandoned = limit, most_abandoned

    def _abandon(self, change: int) -> None:
        """So many more callees run in threads with nobody waiting."""
        self.abandoned += change

    # a: when time is up; b: when it began; c: whether somebody else's deadline comes first; object: a token, or an Expiry
    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        slot.object = NULL
        slot.b = now_ns(self.source)
        slot.a = slot.b + self.limit
        slot.c = False
        try:
            if self.most_abandoned >= 0 and self.abandoned >= self.most_abandoned and not (call.is_async or call.is_stream):
                refuse(call, self._too_many())
                return REFUSE
            if self.is_shadow:
                return GO
            return self.begin(slot, call)
        except BaseException as error:
            refuse(call, error)
            return REFUSE

    cdef Step begin(self, Slot* slot, Call* call) except *:
        cdef int64_t left
        cdef Expiry expiry
        outer = in_force()
        if outer is not None:
            left = (<Deadline>outer).left_ns()
            if left <= 0:
                refuse(call, DeadlineExceeded(f"{self.name}: the deadline had passed before the call was made",
                                              policy=self.name, state="passed"))
                return REFUSE
            if left < self.limit:
                slot.a, slot.c = slot.b + left, True
        cdef Deadline deadline = deadline_at(self.clock, slot.a)
        deadline.given_ns, deadline.borrowed = slot.a - slot.b, slot.c
        if not (call.is_async or call.is_stream):
            token = put_in_force(deadline)
            Py_INCREF(token)
            slot.object = <PyObject*>token
            return GO
        expiry = Expiry.__new__(Expiry)
        expiry.policy, expiry.deadline = self, deadline
        loop = loop_of(call)
        if loop is not None:
            expiry.timer = self.clock.call_at(slot.a, expiry.fire, loop)
        if not call.is_stream:
            try:
                expiry.start(loop)
            except BaseException:
                expiry.timer.cancel()
                raise
        Py_INCREF(expiry)
        slot.object = <PyObject*>expiry
        return GO

    cdef bint resume(self, Slot* slot, Call* call) noexcept:
        cdef Expiry expiry
        if slot.object == NULL:
            return True
        expiry = <Expiry>slot.object
        if now_ns(self.source) >= slot.a and not expiry.deadline.pardoned:
            if not self.lenient():
                expiry.over = True
                return False
            expiry.deadline.pardoned = True
        try:
            expiry.start(loop_of(call))
        except BaseException:
            expiry.over = True
        return not expiry.over

    cdef bint pause(self, Slot* slot, Call* call) noexcept:
        cdef Expiry expiry
        if slot.object == NULL:
            return True
        expiry = <Expiry>slot.object
        try:
            expiry.stop()
        except BaseException:
            expiry.over = True
        expiry.over |= expiry.fired
        if now_ns(self.source) >= slot.a and not expiry.deadline.pardoned and not expiry.over:
            if self.lenient():
                expiry.deadline.pardoned = True
            else:
                expiry.over = True
        return not expiry.over

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        cdef bint pardoned = False, stopped = False, others = False
        cdef Expiry expiry
        held = None
        try:
            if slot.object != NULL:
                held = <object>slot.object
                Py_DECREF(held)
                slot.object = NULL
                if isinstance(held, Expiry):
                    expiry = <Expiry>held
                    others = self.finish(expiry)
                    pardoned, stopped = expiry.deadline.pardoned, expiry.stopped
                else:
                    pardoned = (<Deadline>in_force()).pardoned if in_force() is not None else False
                    withdraw(held)
            self.judge(slot, call, pardoned, stopped, others)
        except BaseException as error:
            replace(call, error)
        return PASS

    cdef bint finish(self, Expiry expiry) except -1:
        """Nothing runs any more; whether somebody else, too, wants the task to be cancelled."""
        cdef bint others = expiry.stop()
        expiry.stopped = expiry.over or expiry.fired
        expiry.over = True
        if expiry.timer is not None:
            expiry.timer.cancel()
        return others

    cdef int judge(self, Slot* slot, Call* call, bint pardoned, bint stopped, bint others) except -1:
        """Whether the call ends as it ended, or by having run out of time."""
        cdef int64_t now = now_ns(self.source)
        cdef bint ours
        if call.end == CANCELLED:
            ours = stopped and not others and isinstance(<object>call.value, (GeneratorExit, cancelled_error or GeneratorExit))
        elif now < slot.a and not stopped:
            return 0
        elif call.end == RAISED:
            # A layer below that honoured this very deadline; any other error says more than that it came late.
            ours = isinstance(<object>call.value, DeadlineExceeded)
        else:
            ours = not pardoned
        if not ours:
            return 0
        if not stopped and (pardoned or self.lenient()):
            return 0
        self.expire(slot, call, now, stopped or call.end == RAISED)
        return 0

    cdef int expire(self, Slot* slot, Call* call, int64_t now, bint stopped) except -1:
        cause = None if call.end == RETURNED else <object>call.value
        error = self._expired((slot.a - slot.b) / 1e9, None if stopped else (now - slot.b) / 1e9, slot.c != 0)
        error.__cause__ = cause
        replace(call, error)
        return 0

    def _expired(self, after: float, took: float | None, by_deadline: bool) -> object:
        """The error of a call whose time is up, counted and told; `took`: it had ended by itself, too late."""
        self.expired += 1
        return self._exceeded(after, took, by_deadline)

    def _pardon(self) -> bool:
        """Whether time being up does not stand this once."""
        return self.lenient()

    def _too_many(self) -> object:
        raise NotImplementedError

    def _exceeded(self, after: float, took: float | None, by_deadline: bool) -> object:
        raise NotImplementedError
