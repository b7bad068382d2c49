# Spans, and the traces they are gathered in. Part of tracing.pyx.

cdef object told(error):
    """An exception as the attributes that OpenTelemetry names."""
    import traceback
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(error)
        trace = "".join(traceback.format_exception(error))
    except Exception:  # an error that cannot be shown is still told of
        message, trace = f"<{name} that cannot be shown>", ""
    return {"exception.type": name, "exception.message": message, "exception.stacktrace": trace[-8_000:]}


cdef object small(value, Py_ssize_t longest):
    """A value as it is kept: nothing that could change later, and nothing large."""
    if type(value) is str:
        return value if len(<str>value) <= longest else (<str>value)[:longest]
    if type(value) in (int, float, bool):
        return value
    if isinstance(value, (list, tuple)):
        return tuple([small(each, longest) for each in value[:64]])
    try:
        return str(value)[:longest]
    except Exception:
        return f"<{type(value).__qualname__} that cannot be shown>"


cdef enum Fate:
    OPEN
    KEPT
    DROPPED


@cython.no_gc_clear  # unlinks itself, for which it needs its tracer
cdef class Pending:
    """A trace whose local root has not ended, and afterwards what became of it."""
    cdef Tracer tracer
    cdef list spans
    cdef int64_t unix            # what makes unix time of the clock's
    cdef uint32_t generation
    cdef uint32_t overflow
    cdef Fate fate
    cdef bint sampled
    cdef bint failed
    cdef PyObject* before        # neighbours among the tracer's open traces; unowned
    cdef PyObject* after
    cdef bint linked

    def __del__(self):
        if self.linked and self.generation == generation:
            self.unlink()
            self.fate = KEPT if self.sampled else DROPPED
            self.tracer.abandoned += 1
            if self.sampled and self.spans:
                self.tracer.deliver(self, None, "sampled")

    def __dealloc__(self):
        self.unlink()

    cdef void link(self) noexcept:
        cdef Tracer tracer = self.tracer
        if tracer.generation != generation:  # what the parent of this process has open is not ours
            tracer.generation = generation
            tracer.first = NULL
        self.after = tracer.first
        if tracer.first != NULL:
            (<Pending>tracer.first).before = <PyObject*>self
        tracer.first = <PyObject*>self
        self.linked = True

    cdef void unlink(self) noexcept:
        if not self.linked or self.generation != generation:
            return
        self.linked = False
        if self.before != NULL:
            (<Pending>self.before).after = self.after
        else:
            self.tracer.first = self.after
        if self.after != NULL:
            (<Pending>self.after).before = self.before
        self.before = self.after = NULL

    cdef int ended(self, Span span) except -1:
        cdef Tracer tracer = self.tracer
        if span.status == 2:
            self.failed = True
        if self.fate == KEPT:
            self.spans.append(span)
            return tracer.deliver(self, None, "late")
        if self.fate == DROPPED:
            tracer.late += 1
            return 0
        if span.is_local_root:
            self.unlink()
            self.spans.append(span)
            reason = tracer.judge(self, span)
            self.fate = DROPPED if reason is None else KEPT
            if reason is None:
                tracer.dropped += 1
                self.spans = []
                return 0
            tracer.kept += 1
            return tracer.deliver(self, span, reason)
        if len(self.spans) < tracer.most_spans:
            self.spans.append(span)
            return 0
        if self.sampled:  # it will be kept anyway: make room
            self.spans.append(span)
            return tracer.deliver(self, None, "sampled")
        self.overflow += 1
        tracer.overflow += 1
        return 0


@cython.final
cdef class Span(Position):
    """One piece of work in a trace: when it began and ended, and what is worth knowing about it."""
    cdef Pending pending
    cdef uint64_t parent
    cdef int64_t start
    cdef int64_t finish
    cdef int64_t unix            # what makes unix time of these
    cdef bint is_open            # so that one made by nobody is harmless
    cdef readonly str name
    cdef int code                # of the kind
    cdef int status              # 0, or 2 for an error, as in OTLP
    cdef readonly str message
    cdef readonly tuple links
    cdef dict attached
    cdef list happened
    cdef readonly uint32_t dropped
    cdef bint is_local_root

    def __init__(self):
        raise TypeError("a span is begun by a tracer: tracer.span(name)")

    def __reduce__(self):
        raise TypeError("a span stays in its process: send its position, with inject(headers) or Carrying(executor)")

    @property
    def is_recording(self) -> bool:
        """Whether what is set here goes anywhere: until it ends."""
        return self.is_open

    @property
    def parent_id(self) -> str:
        """16 hexadecimal digits; "" for the first span of a trace."""
        return hex_of(0, self.parent, False) if self.parent else ""

    @property
    def kind(self) -> str:
        """Of KINDS."""
        return kinds[self.code]

    @property
    def failed(self) -> bool:
        """Whether it ended with an error."""
        return self.status == 2

    @property
    def start_ns(self) -> int:
        """Unix nanoseconds."""
        return self.start + self.unix

    @property
    def end_ns(self) -> int:
        """Unix nanoseconds; 0 while it is open."""
        return 0 if self.is_open else self.finish + self.unix

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return ((now_ns(self.pending.tracer.source) if self.is_open else self.finish) - self.start) / 1e9

    @property
    def attributes(self) -> dict:
        """A copy of what was set."""
        return {} if self.attached is None else dict(self.attached)

    @property
    def events(self) -> tuple:
        """(name, unix nanoseconds, attributes) of what happened."""
        if self.happened is None:
            return ()
        return tuple([(name, at + self.unix, attributes) for name, at, attributes in self.happened])

    def set(self, key: str, value: object) -> None:
        """Set an attribute: text, number, bool, a sequence of them; of anything else its text is kept."""
        if not self.is_open:
            return
        cdef Tracer tracer = self.pending.tracer
        kept = small(value, tracer.longest)
        if self.attached is None:
            self.attached = {}
        if len(self.attached) < tracer.most_attributes or key in self.attached:
            self.attached[key] = kept
        else:
            self.dropped += 1

    def event(self, name: str, attributes: object = None) -> None:
        """Tell what happened now."""
        if not self.is_open:
            return
        cdef Tracer tracer = self.pending.tracer
        if self.happened is None:
            self.happened = []
        if len(self.happened) >= tracer.most_events:
            self.dropped += 1
            return
        self.happened.append((name, now_ns(tracer.source), {} if not attributes else tracer.checked(attributes)))

    def record(self, error: object) -> None:
        """Tell of an exception, as an event; the span has not failed by that."""
        self.event("exception", told(error))

    def fail(self, message: str = "") -> None:
        """The work has failed."""
        if self.is_open:
            self.status, self.message = 2, message[:self.pending.tracer.longest]

    def rename(self, name: str) -> None:
        """A better name, once it is known."""
        if self.is_open:
            self.name = name

    def end(self) -> None:
        """The work is done; a second time does nothing, and so does everything that is set later."""
        self.close()

    cdef int close(self) except -1:
        if not self.is_open:
            return 0
        cdef Pending pending = self.pending
        self.is_open = False
        self.finish = max(now_ns(pending.tracer.source), self.start)
        if pending.generation != generation:
            return 0  # begun before a fork: the parent tells of it
        return pending.ended(self)

    cdef int fall(self, error) except -1:
        """What the block raised."""
        from seawall.errors import is_cancellation
        if is_cancellation(error):
            self.set("seawall.cancelled", True)
            return 0
        self.record(error)
        if self.status != 2:
            self.fail(f"{type(error).__qualname__}: {error}")
        return 0

    def __enter__(self):
        if self.token is not None:
            raise RuntimeError(f"span {self.name!r} is entered already; begin one for each block")
        self.token = PyContextVar_Set(current, self)
        return self

    def __exit__(self, kind, error, trace):
        self.leave(error)

    cdef int leave(self, error) except -1:
        token, self.token = self.token, None
        if token is not None:
            give_back(token)
        if error is not None:
            try:
                self.fall(error)
            except Exception:  # it could not be told; the span must end all the same
                self.status = 2
        return self.close()

    def __repr__(self):
        state = "open" if self.is_open else f"{self.seconds * 1e3:.3f} ms"
        return f"<Span {self.name!r} {self.span_id} of trace {self.trace_id}, {state}{', failed' if self.failed else ''}>"


@cython.final
cdef class Batch:
    """Ended spans of one trace: all that had ended when its local root did, or what came before or after that."""
    cdef readonly list spans
    cdef readonly Span root      # the local root, or None
    cdef readonly str reason     # why it is kept
    cdef readonly dict resource  # who made them
    cdef readonly uint32_t overflow

    def __init__(self):
        raise TypeError("batches are made by tracers")

    def __len__(self):
        return len(self.spans)

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return (<Span>self.spans[0]).trace_id
