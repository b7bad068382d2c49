"""A call through policies driven by Python, step by step. Used by seawall.guard for generators."""

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF

from seawall._core.guarded cimport Route, finish, route_of
from seawall._core.policy cimport (
    BLOCK, CALL, DONE, OTHER, Action, Call, Policy, Slot, abandon, begin, give_error, inward, settled, take_error,
)


cdef class Passage:
    """A call through policies in the hands of Python, for callees that are neither called nor awaited: generators.

    `start` and `after` say what to do next: ("call", None), ("other", function), ("block", policy), ("sleep", (clock, seconds)),
    or ("done", result); a call that has ended badly raises.
    """
    cdef Call call
    cdef tuple stages
    cdef Action doing
    cdef bint is_async

    def __init__(self, stages: tuple | Route, is_async: bool):
        self.stages, self.is_async, self.doing = route_of(stages).stages, is_async, DONE

    def __dealloc__(self):
        if self.stages is not None:  # a generator thrown away in the middle of a wait
            abandon(<PyObject*>self.stages, &self.call, self.doing)

    def start(self) -> tuple:
        """Go inward."""
        begin(self.call, <int>len(self.stages), self.is_async)
        self.call.outer = NULL
        self.call.retries = 0  # between its items the caller runs
        self.call.is_stream = True
        return self.todo(inward(<PyObject*>self.stages, &self.call))

    def after(self, result=None, error: BaseException | None = None) -> tuple:
        """Tell how what was to be done has ended."""
        cdef PyObject* value = NULL
        if error is not None:
            Py_INCREF(error)
            give_error(<PyObject*>error)
        else:
            Py_INCREF(result)
            value = <PyObject*>result
        return self.todo(settled(<PyObject*>self.stages, &self.call, self.doing, value))

    def resume(self) -> bool:
        """An item is about to be asked for; False when the generator must end instead."""
        return self.between(True)

    def pause(self) -> bool:
        """The caller is about to see an item, so the callee cannot be begun again; False when it must end instead."""
        self.call.yielded = True
        return self.between(False)

    cdef bint between(self, bint resuming):
        cdef bint go_on = True
        cdef Slot* slot
        cdef Policy policy
        for i in range(self.call.n):
            slot = &self.call.slots[i]
            if slot.held:
                policy = <Policy>self.stages[i]
                go_on &= policy.resume(slot, &self.call) if resuming else policy.pause(slot, &self.call)
        return go_on

    cdef object todo(self, Action doing):
        cdef PyObject* value
        self.doing = doing
        if doing == CALL:
            return "call", None
        if doing == DONE:
            value = finish(<PyObject*>self.stages, &self.call)
            if value == NULL:
                error = <object>take_error()
                Py_DECREF(error)
                raise error
            result = <object>value
            Py_DECREF(result)
            return "done", result
        if doing == OTHER:
            fn = <object>self.call.value
            Py_DECREF(fn)
            self.call.value = NULL
            return "other", fn
        policy = <Policy>self.stages[self.call.i]
        if doing == BLOCK:
            return "block", policy
        return "sleep", (policy.clock, self.call.slots[self.call.i].delay / 1e9)
