# Functions each call of which is a span, and the ring of kept batches. Part of tracing.pyx.

ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*) noexcept


@cython.final
cdef class Traced:
    """A plain function each call of which is a span. `__wrapped__` is the function."""
    cdef vectorcallfunc vectorcall
    cdef Tracer tracer
    cdef object fn
    cdef str title
    cdef str kind
    cdef object attributes
    cdef dict __dict__
    cdef object __weakref__

    def __init__(self, tracer, fn, name: str, kind, attributes):
        self.tracer, self.fn, self.title, self.kind, self.attributes = tracer, fn, name, kind, attributes
        self.vectorcall = traced_call

    def __call__(self, *args, **kwargs):  # for those who ask for it by name; calls go by vectorcall
        return PyVectorcall_Call(self, args, kwargs)

    @property
    def __wrapped__(self):
        return self.fn

    def __get__(self, instance, owner):
        return self if instance is None else method(self, instance)

    def __reduce__(self) -> str:
        return self.__qualname__  # like a function: found again by its name

    def __repr__(self):
        return f"<{getattr(self.fn, '__qualname__', self.fn)!s} traced as {self.title!r}>"


enable_vectorcall(Traced, seawall_traced_offset)


cdef PyObject* traced_call(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names) noexcept:
    cdef Traced me = <Traced>self
    cdef Position span
    cdef PyObject* result
    cdef PyObject* error = NULL
    try:
        span = me.tracer.begin(me.title, me.attributes, me.kind, None, None)
        if type(span) is Span:
            (<Span>span).token = PyContextVar_Set(current, span)
        elif not (<Unrecorded>span).is_inner:
            (<Unrecorded>span).token = PyContextVar_Set(current, span)
    except BaseException as failed:
        Py_INCREF(failed)
        give_error(<PyObject*>failed)
        return NULL
    result = PyObject_Vectorcall(<PyObject*>me.fn, args, nargsf, names)
    if result == NULL:
        error = take_error()
    try:
        if type(span) is Span:
            (<Span>span).leave(None if error == NULL else <object>error)
        elif (<Unrecorded>span).token is not None:
            give_back((<Unrecorded>span).token)
            (<Unrecorded>span).token = None
    except BaseException:
        pass  # what was called has ended: its answer is not lost for the sake of a span
    if error != NULL:
        give_error(error)
    return result


@cython.final
cdef class Ring:
    """The latest batches, so many spans of them."""
    cdef object batches
    cdef Py_ssize_t most
    cdef Py_ssize_t spans
    cdef readonly uint64_t forgotten

    def __init__(self, most: int):
        self.batches, self.most = deque(), most

    def add(self, batch: Batch) -> None:
        """Keep it, and forget the oldest where there is no room."""
        self.batches.append(batch)
        self.spans += len(batch.spans)
        while self.spans > self.most and self.batches:
            oldest = <Batch>self.batches.popleft()
            self.spans -= len(oldest.spans)
            self.forgotten += 1

    def listing(self) -> list:
        """The oldest first."""
        while True:
            try:
                return list(self.batches)
            except RuntimeError:  # making the list collected garbage, and with it a trace that was added
                pass

    def __len__(self):
        return self.spans
