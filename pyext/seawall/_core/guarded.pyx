"""The two drivers of a call through policies: one that blocks, one that is awaited. The public faces are in seawall.guard."""

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF, Py_XDECREF

from seawall._core.policy cimport (
    BLOCK, CALL, DONE, OTHER, RAISED, RETURNED, SLEEP, Action, Call, Policy, abandon, begin, current_call, give_error,
    inward, know, kMostPolicies, settled, take_error,
)

cdef extern from "Python.h":
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT
    ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*) noexcept
    PySendResult PyIter_Send(PyObject*, PyObject*, PyObject**)
    PyObject* PyObject_Vectorcall(PyObject*, PyObject* const*, size_t, PyObject*)
    PyObject* PyObject_CallNoArgs(PyObject*)
    PyObject* PyObject_CallMethodNoArgs(PyObject*, PyObject*)
    PyObject* PyObject_CallMethodOneArg(PyObject*, PyObject*, PyObject*)
    PyObject* borrowed_item "PyTuple_GET_ITEM"(PyObject*, Py_ssize_t)
    PyObject* Py_None
    Py_ssize_t PyVectorcall_NARGS(size_t)
    object PyVectorcall_Call(object, object, object)
    PyObject* PyErr_Occurred()

cdef extern from *:
    """
    #define seawall_vectorcall_offset offsetof(struct __pyx_obj_7seawall_5_core_7guarded_Guarded, vectorcall)
    """
    Py_ssize_t seawall_vectorcall_offset

cdef extern from "slots.hpp" namespace "seawall::binding":
    ctypedef PySendResult (*sendfunc)(PyObject*, PyObject*, PyObject**) noexcept
    ctypedef PyObject* (*iternextfunc)(PyObject*) noexcept
    void enable_vectorcall(object, Py_ssize_t)
    void enable_send(object, sendfunc, iternextfunc)
    void stop_with(PyObject*)
    PyObject* awaiting(PyObject*)
    void know_kept(Call&, PyObject*, PyObject*, PyObject*)
    PyObject* keep_arguments(PyObject* const*, size_t, PyObject*)
    PyObject* call_kept(PyObject*, PyObject*, PyObject*)

MOST_POLICIES = kMostPolicies

cdef object bound, warn
from types import MethodType as bound
from warnings import warn

cdef str WAIT_IN = "_wait_in", WAIT_IN_ASYNC = "_wait_in_async", SLEEP_SYNC = "sleep", SLEEP_ASYNC = "sleep_async"
cdef str THROW = "throw", CLOSE = "close"


cdef PyObject* wait(PyObject* stages, Call* call, Action doing, str block, str sleep) noexcept:
    """Start (async) or do (sync) the waiting that a policy asked for."""
    cdef Policy policy = <Policy>borrowed_item(stages, call.i)
    if doing == BLOCK:
        return PyObject_CallMethodNoArgs(<PyObject*>policy, <PyObject*>block)
    cdef object seconds = call.slots[call.i].delay / 1e9
    return PyObject_CallMethodOneArg(<PyObject*>policy.clock, <PyObject*>sleep, <PyObject*>seconds)


cdef PyObject* instead(Call* call) noexcept:
    cdef PyObject* fn = call.value
    call.value = NULL
    cdef PyObject* result = PyObject_CallNoArgs(fn)
    Py_XDECREF(fn)
    return result


cdef void annotate(PyObject* stages, Call* call) noexcept:
    """Say on the exception through which policies it came."""
    cdef object error = <object>call.value
    try:
        if call.n > 1:
            note = "through " + " > ".join([policy._title() for policy in <tuple>stages])
            if note not in getattr(error, "__notes__", ()):
                error.add_note(note)
    except Exception:  # a note is a courtesy: the error itself must get through
        pass


cdef PyObject* finish(PyObject* stages, Call* call) noexcept:
    """The owned result, or NULL with the error raised."""
    cdef PyObject* value = call.value
    call.value = NULL
    if call.end == RETURNED:
        return value
    if call.end == RAISED:
        call.value = value
        annotate(stages, call)
        call.value = NULL
    give_error(value)
    return NULL


cdef PyObject* run(PyObject* stages, int n, PyObject* fn, PyObject* const* args, size_t nargsf, PyObject* names) noexcept:
    """A plain call through the policies."""
    global current_call
    cdef Call call
    begin(call, n, False)
    know(call, fn, args, PyVectorcall_NARGS(nargsf), names)
    cdef PyObject* result
    cdef Action doing = inward(stages, &call)
    while doing != DONE:
        if doing == CALL:
            current_call = &call
            result = PyObject_Vectorcall(fn, args, nargsf, names)
            current_call = call.outer
        elif doing == OTHER:
            current_call = &call
            result = instead(&call)
            current_call = call.outer
        else:
            result = wait(stages, &call, doing, WAIT_IN, SLEEP_SYNC)
        doing = settled(stages, &call, doing, result)
    return finish(stages, &call)


cdef enum Phase:
    NEW
    FLYING
    LANDED


@cython.final
@cython.freelist(64)
@cython.no_gc_clear
cdef class Flight:
    """A coroutine function's call through policies; awaited once, like a coroutine."""
    cdef Call call
    cdef tuple stages
    cdef object fn
    cdef tuple args
    cdef object names
    cdef object inner      # what is awaited now
    cdef bint running      # it has been sent to, and has not answered yet
    cdef Action doing
    cdef Phase phase

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):  # replaced by enable_send
        return self.send(None)

    def send(self, value) -> object:
        """Go on until something is awaited or the call has ended."""
        cdef PyObject* out = NULL
        cdef PySendResult status = self.go(<PyObject*>value, &out)
        return self.answer(status, out)

    def throw(self, kind, value=None, trace=None) -> object:
        """Raise an exception where the call is waiting."""
        if self.phase == NEW:
            self.phase = LANDED
        thrown = as_error(kind, value, trace)
        if self.running:
            raise ValueError("coroutine already executing")
        if self.phase == LANDED or self.inner is None:
            raise thrown
        global current_call
        cdef Call* outer = current_call
        cdef PyObject* out = NULL
        current_call = &self.call
        self.running = True
        try:
            throw = getattr(self.inner, THROW, None)
            if throw is None:  # an iterator that only gives: the error is how it ended
                raise thrown
            return throw(thrown)
        except StopIteration as stop:
            value = stop.value
            Py_INCREF(value)
            out = <PyObject*>value
        except BaseException as error:
            Py_INCREF(error)
            give_error(<PyObject*>error)
        finally:
            current_call = outer
            self.running = False
        self.inner = None
        cdef Action doing = settled(<PyObject*>self.stages, &self.call, self.doing, out)
        out = NULL
        # Two statements: C++ may read an argument before another one's call has written it.
        cdef PySendResult status = self.perform(doing, &out)
        return self.answer(status, out)

    def close(self) -> None:
        """End the call where it is; its policies see a cancellation."""
        if self.running:
            raise ValueError("coroutine already executing")
        if self.phase == FLYING:
            self.abort()
        self.phase = LANDED

    cdef int abort(self) except -1:
        global current_call
        cdef Call* outer = current_call
        inner, self.inner = self.inner, None
        self.phase = LANDED
        current_call = &self.call
        try:
            if inner is not None and hasattr(inner, CLOSE):
                inner.close()
        finally:  # what the callee raises instead of ending does not keep its policies from being told
            current_call = outer
            abandon(<PyObject*>self.stages, &self.call, self.doing)
        return 0

    def __dealloc__(self):
        if self.phase == FLYING:
            try:
                self.abort()
            except BaseException:
                pass  # nobody is left to tell; the policies have been told
        elif self.phase == NEW and self.stages is not None:
            try:
                warn(f"coroutine {self.__qualname__!r} was never awaited", RuntimeWarning, 2)
            except BaseException:
                pass

    @property
    def __name__(self) -> str:
        return getattr(self.fn, "__name__", "guarded")

    @property
    def __qualname__(self) -> str:
        return getattr(self.fn, "__qualname__", "guarded")

    @property
    def cr_await(self):
        """What the call is waiting for."""
        return self.inner

    @property
    def cr_running(self) -> bool:
        return self.running

    cdef object answer(self, PySendResult status, PyObject* out):
        if status == PYGEN_ERROR:
            error = <object>take_error()
            Py_DECREF(error)
            raise error
        result = <object>out
        Py_DECREF(result)
        if status == PYGEN_RETURN:
            raise StopIteration(result)
        return result

    cdef PySendResult go(self, PyObject* sent, PyObject** out) noexcept:
        if self.running:
            error = ValueError("coroutine already executing")
            Py_INCREF(error)
            give_error(<PyObject*>error)
            return PYGEN_ERROR
        if self.phase == NEW:
            self.phase = FLYING
            begin(self.call, <int>len(self.stages), True)
            self.remember()
            return self.perform(inward(<PyObject*>self.stages, &self.call), out)
        if self.phase == LANDED or self.inner is None:
            error = RuntimeError("cannot reuse already awaited coroutine")
            Py_INCREF(error)
            give_error(<PyObject*>error)
            return PYGEN_ERROR
        return self.drive(sent, out)

    cdef void remember(self) noexcept:
        cdef PyObject* names = NULL
        if self.names is not None:
            names = <PyObject*>self.names
        know_kept(self.call, <PyObject*>self.fn, <PyObject*>self.args, names)

    cdef PySendResult drive(self, PyObject* sent, PyObject** out) noexcept:
        """Send to what is awaited; when that has ended, go on with the call."""
        global current_call
        cdef PyObject* result = NULL
        cdef Call* outer = current_call
        current_call = &self.call
        self.running = True
        cdef PySendResult status = PyIter_Send(<PyObject*>self.inner, sent, &result)
        self.running = False
        current_call = outer
        if status == PYGEN_NEXT:
            out[0] = result
            return status
        self.inner = None
        return self.perform(settled(<PyObject*>self.stages, &self.call, self.doing, result), out)

    cdef PySendResult perform(self, Action doing, PyObject** out) noexcept:
        """Do what the policies ask for until something is awaited or nothing is left."""
        global current_call
        cdef PyObject* stages = <PyObject*>self.stages
        cdef PyObject* names = NULL
        cdef PyObject* result
        cdef PyObject* inner
        cdef Call* outer = current_call
        cdef PySendResult status
        if self.names is not None:
            names = <PyObject*>self.names
        while doing != DONE:
            current_call = &self.call
            self.running = True
            if doing == CALL:
                result = call_kept(<PyObject*>self.fn, <PyObject*>self.args, names)
            elif doing == OTHER:
                result = instead(&self.call)
            else:
                result = wait(stages, &self.call, doing, WAIT_IN_ASYNC, SLEEP_ASYNC)
            current_call = outer
            if result != NULL:
                inner = awaiting(result)
                if inner != NULL:
                    Py_XDECREF(result)
                    result = NULL
                    current_call = &self.call
                    status = PyIter_Send(inner, Py_None, &result)
                    current_call = outer
                    self.running = False
                    if status == PYGEN_NEXT:
                        self.doing = doing
                        self.inner = <object>inner
                        Py_DECREF(self.inner)
                        out[0] = result
                        return PYGEN_NEXT
                    Py_XDECREF(inner)
                elif PyErr_Occurred() != NULL:
                    Py_XDECREF(result)
                    result = NULL
            self.running = False
            doing = settled(stages, &self.call, doing, result)
        self.phase = LANDED
        out[0] = finish(stages, &self.call)
        return PYGEN_ERROR if out[0] == NULL else PYGEN_RETURN


cdef object as_error(kind, value, trace):
    error = kind if isinstance(kind, BaseException) else value if isinstance(value, BaseException) else kind() if value is None else kind(value)
    return error if trace is None else error.with_traceback(trace)


cdef PySendResult flight_send(PyObject* self, PyObject* value, PyObject** out) noexcept:
    return (<Flight>self).go(value, out)


cdef PyObject* flight_next(PyObject* self) noexcept:
    cdef PyObject* out = NULL
    cdef PySendResult status = (<Flight>self).go(Py_None, &out)
    if status == PYGEN_RETURN:
        stop_with(out)
        return NULL
    return out


enable_send(Flight, flight_send, flight_next)


@cython.final
cdef class Route:
    """The policies of some guarded functions, outermost first; replaced as a whole while calls are under way."""

    def __init__(self, stages: tuple):
        self.lead(stages)

    def lead(self, stages: tuple) -> None:
        """Through these policies from the next call on; a call under way ends as it began."""
        if not 0 < len(stages) <= kMostPolicies:
            raise ValueError(f"1 to {kMostPolicies} policies, got {len(stages)}")
        for stage in stages:
            if not isinstance(stage, Policy):
                raise TypeError(f"a stage is a Policy, got {stage!r}")
            if (<Policy>stage).clock is None:
                raise TypeError(f"{type(stage).__name__}.__init__ was not called")
        self.stages = stages

    @property
    def policies(self) -> tuple:
        """Those of the next call, outermost first."""
        return self.stages


cdef Route route_of(stages):
    return <Route>stages if isinstance(stages, Route) else Route(stages)


@cython.final
cdef class Guarded:
    """A function behind policies; called like the function. `policy` is what guards it, `__wrapped__` the function."""
    cdef vectorcallfunc vectorcall
    cdef Route route
    cdef object fn
    cdef readonly object policy
    cdef dict __dict__
    cdef object __weakref__

    def __init__(self, fn, stages: tuple | Route, policy, is_async: bool):
        self.fn, self.route, self.policy = fn, route_of(stages), policy
        self.vectorcall = guarded_await if is_async else guarded_call

    def __call__(self, *args, **kwargs):  # for those who ask for it by name; calls go by vectorcall
        return PyVectorcall_Call(self, args, kwargs)

    @property
    def __wrapped__(self):
        return self.fn

    def __get__(self, instance, owner):
        return self if instance is None else bound(self, instance)

    def __reduce__(self) -> str:
        return self.__qualname__  # like a function: found again by its name

    def stats(self) -> object:
        """What the policies have done so far."""
        return self.policy.stats()

    def __repr__(self):
        return f"<{getattr(self.fn, '__qualname__', self.fn)!s} guarded by {self.policy!r}>"


enable_vectorcall(Guarded, seawall_vectorcall_offset)


cdef PyObject* guarded_call(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names) noexcept:
    cdef Guarded me = <Guarded>self
    cdef tuple stages = me.route.stages  # held: the route may lead elsewhere before the call ends
    return run(<PyObject*>stages, <int>len(stages), <PyObject*>me.fn, args, nargsf, names)


cdef PyObject* guarded_await(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names) noexcept:
    cdef Guarded me = <Guarded>self
    cdef Flight flight = Flight.__new__(Flight)
    flight.stages, flight.fn = me.route.stages, me.fn
    cdef PyObject* kept = keep_arguments(args, nargsf, names)
    if kept == NULL:
        return NULL
    flight.args = <tuple>kept
    Py_DECREF(flight.args)
    if names != NULL:
        flight.names = <object>names
    Py_INCREF(flight)
    return <PyObject*>flight


def call(stages: tuple | Route, fn, args: tuple, kwargs: dict) -> object:
    """fn(*args, **kwargs) through the policies."""
    return Guarded(fn, stages, None, False)(*args, **kwargs)


def call_async(stages: tuple | Route, fn, args: tuple, kwargs: dict) -> object:
    """What awaits fn(*args, **kwargs) through the policies; a plain function is called at once."""
    return Guarded(fn, stages, None, True)(*args, **kwargs)
