"""Limits: the five algorithms over one state word, alone and by key. The public classes are in seawall.guard.limits.

Everything here validates, reads the clock once and calls one kernel function.
"""

from libc.math cimport llround
from libc.stdint cimport INT64_MAX
from libc.stdlib cimport free
from libc.string cimport memcpy

from seawall._core.clock cimport now_ns
from seawall._core.policy cimport GO, WAIT, Call, Policy, Slot, Step
from seawall._core.segment cimport Segment

from seawall.errors import ConfigError, RateLimited

cdef extern from "seawall/limits/keyed.hpp" namespace "seawall::limits" nogil:
    size_t sizeof_single "sizeof(seawall::limits::Single)"


KINDS = ("token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log")

cdef object make_decision = None


def set_decision(factory) -> None:
    """Tell the kernels' binding which class answers `check` and `peek`."""
    global make_decision
    make_decision = factory


cdef double seconds(int64_t ns):
    return ns / 1e9 if ns < INT64_MAX else float("inf")


cdef int64_t horizon_ns(double wait):
    # Rounded: 0.1 s is not a nanosecond less because a float cannot say it.
    return INT64_MAX if wait >= 9.2e9 else llround(wait * 1e9)


cdef int fill(Kind kind, Config* config, uint64_t cells, object amount, object period, object limit, int64_t since) except -1:
    config.amount, config.period, config.limit, config.since = amount, period, limit, since
    if not derive(kind, config[0], cells):
        raise ConfigError(too_large(kind, config, cells))
    return 0


cdef str too_large(Kind kind, Config* config, uint64_t cells):
    if <int>kind <= 1:
        return (f"{config.limit} at {config.amount} per {config.period / 1e9:g} s would take more than nine years to refill; "
                "use a smaller limit or a higher rate")
    if <int>kind == 4:
        return (f"a limit of {config.limit} needs more room than was reserved: at most {(cells - 1) // 2}; "
                "create the log with max_limit=")
    # 61 bits hold the number of the window and the counts: the same arithmetic as the kernel's derive.
    bits = (61 - ((1 << 58) // config.period).bit_length()) // (1 if <int>kind == 2 else 2)
    return (f"a limit of {config.limit} in windows of {config.period / 1e9:g} s is too large: at most {(1 << bits) - 1}; "
            "use a longer window, count in larger units, or use a TokenBucket")


cdef class Base(Policy):
    """What single and keyed limits have in common."""

    cdef int settings(self, Config* out) except -1:
        raise NotImplementedError

    cdef bint give_back(self, Permit permit, bint newest_only) except -1:
        raise NotImplementedError

    cdef uint64_t cost_of(self, object cost) except 0:
        cdef Config config
        if type(cost) is not int:
            if isinstance(cost, (bool, float)) or not hasattr(cost, "__index__"):
                raise TypeError(f"cost must be a whole number, got {cost!r}")
            cost = cost.__index__()
        self.settings(&config)
        if cost < 1:
            raise ValueError(f"cost must be 1 to {config.limit}, got {cost}")
        if cost > config.limit:
            raise ValueError(f"cost {cost} can never be admitted: {self.name} holds at most {config.limit}; "
                             "raise its limit or split the call")
        return cost

    cdef int must_be_open(self, const void* state) except -1:
        if state == NULL:
            raise TypeError(f"{type(self).__name__}.__init__ was not called")
        return 0

    cdef int64_t horizon(self, double wait):
        # In shadow nobody is made to wait either: a place that is not due now is a refusal that is only counted.
        return 0 if self.is_shadow else horizon_ns(wait)

    cdef object decision(self, Verdict* v, int64_t now, object key, bint commit):
        admitted = v.admitted and v.at <= now
        wait = 0.0 if admitted else seconds(max(v.at - now, 0)) if v.at < INT64_MAX else float("inf")
        passed = admitted or (self.lenient() if commit else self.is_shadow)
        return make_decision((bool(passed), v.limit, v.remaining, wait,
                              seconds(max(v.reset_at - now, 0)), self.name, key))

    cdef Permit permit(self, Verdict* v, Permit made, int64_t now, object key, bint stands):
        made.limiter, made.pending = self, v.admitted
        if not v.admitted:
            if stands or not self.lenient():
                raise refusal(self.name, key, seconds(v.at - now) if v.at < INT64_MAX else None)
            made.ticket.at = now
        return made

    def _config(self) -> tuple:
        """(amount, period_ns, limit) in force, for all workers of a shared limit."""
        cdef Config config
        self.settings(&config)
        return config.amount, config.period, config.limit

    def _settings(self) -> str:
        """The configuration in force, for people."""
        return describe(self.kind, self._config())

    cdef object agree(self, object asked, str on_conflict):
        """Settles what to do about a slot that exists with another configuration. True: replace it."""
        found = self._config()
        if found == asked or on_conflict == "adopt":
            return False
        if on_conflict == "replace":
            return True
        raise ConfigError(
            f"{KINDS[<int>self.kind]} {self.name!r} in segment {self.segment.path} is configured as {describe(self.kind, found)}, "
            f"this one asks for {describe(self.kind, asked)}; give on_conflict='adopt' to follow the segment, 'replace' to change it "
            "for everybody, or another name")

    cdef object change(self, Single* single, Keyed* table, uint64_t cells, object amount, object period, object limit):
        cdef Change change
        cdef Config before
        self.settings(&before)
        cdef int64_t now = max(now_ns(self.source), <int64_t>before.since)
        change.kind, change.single, change.table = self.kind, single, table
        # Windows of an unchanged length go on where they are.
        change.config.origin = before.origin if before.period == <uint64_t>period else now
        fill(self.kind, &change.config, cells, amount, period, limit, now)
        if self.segment is None:
            change.run_alone()
        else:
            self.segment.exclusively(Change.run, &change)

    def __reduce__(self):
        if self.segment is None:
            raise TypeError(
                f"{type(self).__name__} {self.name!r} cannot be pickled: a copy in another process would be a second limit; "
                "give it shared='...' so that both use one")
        return _attach, (type(self), self._pickled())

    def _pickled(self) -> tuple:
        raise NotImplementedError


def _attach(kind: type, state: tuple):
    return kind._from_pickle(*state)


cdef str describe(Kind kind, object config):
    amount, period, limit = config
    if <int>kind <= 1:
        return f"{amount * 1e9 / period:.9g} per second, at most {limit}"
    return f"{limit} per {period / 1e9:.9g} s"


cdef class Limiter(Base):
    """One limit. Thread safe, lock-free, usable by any number of threads, loops and (shared) processes."""

    def __dealloc__(self):
        if self.owned:
            free(<void*>self.single)

    cdef int settings(self, Config* out) except -1:
        self.must_be_open(self.single)
        self.single.control.read(out[0])
        return 0

    def _open(self, kind: int, amount: int, period: int, limit: int, cells: int, segment, on_conflict: str) -> None:
        """Make or attach the state. Arguments are validated by the face; period in ns; cells: ring of a log."""
        cdef Config config
        cdef Draft draft
        if self.single != NULL:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        self.kind, self.segment = <Kind><int>kind, segment
        config.origin = 0
        fill(self.kind, &config, cells, amount, period, limit, 0)
        draft = Draft()
        draft.image.single.control.start(config)
        cdef uint64_t size = sizeof_single + <uint64_t>cells * 8
        if segment is None:
            self.single = <Single*>allocate(size)
            memcpy(<void*>self.single, <void*>&draft.image.single, sizeof_single)
            self.owned = True
            return
        view = self.segment.slot(self.name, KINDS[kind], kSlotLayout, size, &draft.image.single, sizeof_single)
        self.single = <Single*>view.state
        if not view.created and self.agree((amount, period, limit), on_conflict):
            self._reshape(amount, period, limit)

    def _reshape(self, amount: int, period: int, limit: int) -> None:
        """New limits for everybody who uses this state; what was admitted so far is not forgotten."""
        cdef Config config
        self.settings(&config)
        self.change(self.single, NULL, ring_mask(config) + 1, amount, period, limit)

    def try_acquire(self, cost=1) -> bool:
        """Admit a call of `cost` now, or not. Never waits, never allocates. Cost: about one clock reading and 15 ns."""
        self.must_be_open(self.single)
        cdef uint64_t units = 1 if cost is 1 else self.cost_of(cost)
        if try_acquire(self.kind, self.single[0], now_ns(self.source), units):
            return True
        return self.lenient()

    def _admit_now(self, cost=1) -> bool:
        """try_acquire for callers that will wait when refused: then a refusal is not counted. Nobody waits in shadow."""
        self.must_be_open(self.single)
        if self.is_shadow:
            return self.try_acquire(cost)
        cdef uint64_t units = 1 if cost is 1 else self.cost_of(cost)
        if admit_now(self.kind, self.single[0], now_ns(self.source), units):
            return True
        return self.lenient()

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        if self.is_shadow or self.enforced:  # then a refusal is told from a wait, and counted
            return GO if try_acquire(self.kind, self.single[0], now_ns(self.source), 1) else WAIT
        return GO if admit_now(self.kind, self.single[0], now_ns(self.source), 1) else WAIT

    def check(self, cost=1) -> Decision:
        """Admit a call of `cost` now, or say why not and when to try again."""
        return self.ask(cost, True)

    def peek(self, cost=1) -> Decision:
        """What `check` would answer, changing nothing."""
        return self.ask(cost, False)

    cdef object ask(self, object cost, bint commit):
        self.must_be_open(self.single)
        cdef Ask ask
        ask.cost = 1 if cost is 1 else self.cost_of(cost)
        ask.now, ask.horizon, ask.commit = now_ns(self.source), 0, commit
        cdef Verdict v = decide(self.kind, self.single[0], ask, NULL)
        return self.decision(&v, ask.now, None, commit)

    def _place(self, cost, wait: float, stands: bool = False) -> Permit:
        """A place for `cost`, now or at most `wait` seconds ahead; RateLimited when there is none.

        `stands`: it has been decided already that a refusal is not pardoned.
        """
        self.must_be_open(self.single)
        cdef Ask ask
        cdef Permit permit = Permit.__new__(Permit)
        ask.cost = 1 if cost is 1 else self.cost_of(cost)
        ask.now, ask.horizon, ask.commit = now_ns(self.source), self.horizon(wait), True
        cdef Verdict v = decide(self.kind, self.single[0], ask, &permit.ticket)
        return self.permit(&v, permit, ask.now, None, stands)

    def _counts(self) -> tuple:
        """(admitted, refused) by all users of this state."""
        self.must_be_open(self.single)
        return self.single.admitted.load(), self.single.refused.load()

    cdef bint give_back(self, Permit permit, bint newest_only) except -1:
        cdef int64_t now = self.clock.latest()
        if newest_only:
            return undo(self.kind, self.single[0], permit.ticket, now)
        return refund(self.kind, self.single[0], permit.ticket, now)


cdef class Draft:
    """The first bytes of a new state, built where nobody sees them."""


cdef void* allocate(uint64_t size) except NULL:
    cdef void* at = allocate_state(size)
    if at == NULL:
        raise MemoryError(f"{size} bytes for a limit")
    return at


cdef object refusal(str name, object key, object retry_after):
    when = "" if retry_after is None else f"; retry in {retry_after:.6g} s"
    whom = "" if key is None else f" for key {key!r}"
    return RateLimited(f"{name} is at its limit{whom}{when}", retry_after=retry_after, policy=name, key=key)


cdef class Permit:
    """A reserved place. Wait `wait` seconds, then go; or give it back. Not for use by two threads at once.

    Units: seconds.
    """

    @property
    def at_ns(self) -> int:
        """When the place is due, in nanoseconds of the limit's clock."""
        return self.ticket.at

    @property
    def wait(self) -> float:
        """Seconds from now until the place is due; 0.0 when it is."""
        if self.limiter is None:
            raise TypeError("a Permit is made by reserve()")
        cdef int64_t left = self.ticket.at - now_ns(self.limiter.source)
        return seconds(left) if left > 0 else 0.0

    def commit(self) -> None:
        """Keep the place for good; a later cancel gives nothing back."""
        self.pending = False

    def cancel(self) -> bool:
        """Give back what may be given back without ever admitting too much; whether anything was.

        All of it while nobody was placed behind; else only what time has not returned by itself, and nothing from in front
        of a place that is still waited for.
        """
        return self.close(False)

    def undo(self) -> bool:
        """Give the place back only if nobody was placed behind it."""
        return self.close(True)

    cdef bint close(self, bint newest_only) except -1:
        cdef bint done = False
        if self.pending:
            done = self.limiter.give_back(self, newest_only)
            self.pending = newest_only and not done
        return done

    def __repr__(self):
        wait = self.wait
        return f"<Permit of {self.limiter.name!r} cost={self.ticket.cost} wait={wait:.6g}>"
