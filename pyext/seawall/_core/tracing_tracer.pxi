# What begins spans and judges traces. Part of tracing.pyx.

cdef class Tracer:
    """Begins spans and says which traces are kept."""
    cdef readonly Clock clock
    cdef Source source
    cdef WallSource wall
    cdef object wall_clock       # keeps what `wall` reads
    cdef readonly dict resource
    cdef Share share
    cdef object decide
    cdef bint follows
    cdef bint tail
    cdef bint keeps_errors
    cdef int64_t slower
    cdef object keep
    cdef tuple sinks
    cdef Py_ssize_t most_spans, most_attributes, most_events, longest
    cdef PyObject* first
    cdef uint32_t generation
    cdef uint64_t recorded, unrecorded, kept, dropped, late, overflow, abandoned, sink_failures

    def _arrange(
        self, resource: dict, clock, wall, share: float, decide, follows: bool, errors: bool, slower_ns: int, keep,
        bounds: tuple, sinks: tuple,
    ) -> None:
        """Set once, by the face, which has checked all."""
        self.resource, self.clock, self.wall_clock = resource, clock, wall
        self.source = self.clock.source
        read_wall(wall, &self.wall)
        self.share, self.decide, self.follows = Share(share), decide, follows
        self.keeps_errors, self.slower, self.keep = errors, slower_ns, keep
        self.tail = errors or slower_ns >= 0 or keep is not None
        self.most_spans, self.most_attributes, self.most_events, self.longest = bounds
        self.sinks = sinks
        self.generation = generation

    def span(self, name: str, attributes: object = None, *, kind: str = None, parent: object = None, links: object = None) -> object:
        """Begin a span; `with` makes it the current one and ends it."""
        return self.begin(name, attributes, kind, parent, links)

    cdef Position begin(self, str name, attributes, str kind, parent, links):
        cdef Position above = None
        if self.clock is None:
            raise TypeError(f"{type(self).__name__}.__init__ was not called")
        if parent is None:
            above = get_value(current)
        elif parent is not False:
            above = <Position?>parent
        if type(above) is Unrecorded:
            self.unrecorded += 1
            return (<Unrecorded>above).inner()
        cdef Pending pending = None
        if type(above) is Span:
            pending = (<Span>above).pending
            if pending.generation != generation or pending.tracer is not self:
                pending = None
            elif pending.fate == DROPPED:
                return self.outside(above, above.high, above.low, above.flags)
        if name is None:
            raise TypeError("a span has a name, got None")
        return self.root(name, attributes, kind, above, links) if pending is None else self.make(
            name, attributes, kind, above, links, pending, above.high, above.low, above.flags)

    cdef Position root(self, str name, attributes, str kind, Position above, links):
        cdef uint64_t high, low
        cdef int flags
        cdef bint sampled
        if above is None:
            high, low, flags = ids.next(), ids.next(), RANDOM
        else:
            high, low, flags = above.high, above.low, above.flags
        if above is not None and self.follows:
            sampled = flags & SAMPLED
        elif self.decide is not None:
            sampled = bool(self.decide(name))
        else:
            sampled = self.share.has(low)
        flags = flags & RANDOM | (SAMPLED if sampled else 0)
        if not sampled and not self.tail:
            return self.outside(above, high, low, flags)
        cdef Pending pending = Pending.__new__(Pending)
        cdef int64_t unix = wall_ns(self.wall) - now_ns(self.source)
        pending.tracer, pending.spans, pending.sampled = self, [], sampled
        pending.unix, pending.generation = unix, generation
        cdef Span made = self.make(name, attributes, kind, above, links, pending, high, low, flags)
        made.is_local_root = True
        pending.link()
        return made

    cdef Unrecorded outside(self, Position above, uint64_t high, uint64_t low, int flags):
        cdef Unrecorded made = Unrecorded.__new__(Unrecorded)
        self.unrecorded += 1
        made.high, made.low, made.own, made.flags = high, low, ids.next(), flags
        if above is not None:
            made.state = above.state
        return made

    cdef Span make(self, str name, attributes, str kind, Position above, links, Pending pending, uint64_t high, uint64_t low, int flags):
        cdef Span made = Span.__new__(Span)
        made.high, made.low, made.own, made.flags = high, low, ids.next(), flags
        if above is not None:
            made.parent, made.state = above.own, above.state
        made.pending, made.name = pending, name
        if kind is not None:
            if kind not in kinds:
                raise ValueError(f"kind must be one of {', '.join(kinds)}, got {kind!r}")
            made.code = kinds.index(kind)
        if attributes is not None:
            made.attached = self.checked(attributes)
        if links is not None:
            made.links = tuple([(<Position?>link) for link in links])[:self.most_events]
        self.recorded += 1
        made.unix, made.is_open = pending.unix, True
        made.start = now_ns(self.source)
        return made

    cdef dict checked(self, attributes):
        cdef dict kept = {}
        for key, value in attributes.items():
            if len(kept) >= self.most_attributes:
                break
            kept[key if type(key) is str else str(key)] = small(value, self.longest)
        return kept

    cdef str judge(self, Pending pending, Span root):
        """Why the trace is kept, None when it is not."""
        if self.keeps_errors and pending.failed:
            return "error"
        if 0 <= self.slower <= root.finish - root.start:
            return "slow"
        if pending.sampled:
            return "sampled"
        if self.keep is not None:
            try:
                if self.keep(root):
                    return "chosen"
            except Exception:
                self.sink_failures += 1
        return None

    cdef int deliver(self, Pending pending, Span root, str reason) except -1:
        cdef Batch batch = Batch.__new__(Batch)
        batch.spans, pending.spans = pending.spans, []
        batch.root, batch.reason, batch.resource, batch.overflow = root, reason, self.resource, pending.overflow
        for sink in self.sinks:
            try:
                sink(batch)
            except Exception:  # who keeps traces never fails who makes them
                self.sink_failures += 1
        return 0

    def _hand_over(self, final: bool) -> int:
        """What has ended of sampled traces that are still open goes to the sinks now; how many spans. At the end, also what
        has ended of traces that failed."""
        cdef int count = 0
        cdef list open_ones = []
        cdef PyObject* at = self.first if self.generation == generation else NULL
        while at != NULL:
            open_ones.append(<Pending>at)
            at = (<Pending>at).after
        for each in open_ones:
            failed = final and self.keeps_errors and (<Pending>each).failed
            if (failed or (<Pending>each).sampled) and (<Pending>each).spans:
                count += len((<Pending>each).spans)
                self.deliver(<Pending>each, None, "error" if failed else "sampled")
        return count

    def _counts(self) -> tuple:
        """(recorded, unrecorded, kept, dropped, late, overflow, abandoned, failures)"""
        return (self.recorded, self.unrecorded, self.kept, self.dropped, self.late, self.overflow, self.abandoned,
                self.sink_failures)
