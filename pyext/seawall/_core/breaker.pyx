"""The circuit breaker: permits for calls, and what came of them. The public class is in seawall.guard.breaker."""

cimport cython
from cpython.object cimport PyObject
from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy
from libcpp cimport bool as cppbool

from seawall._core.clock cimport now_ns
from seawall._core.policy cimport CANCELLED, GO, PASS, RAISED, REFUSE, RETURNED, Call, Policy, Slot, Step, Turn, refuse, replace
from seawall._core.segment cimport Segment

from seawall.errors import ConfigError

cdef extern from "seawall/breaker/breaker.hpp" namespace "seawall::breaker" nogil:
    cppclass Word:
        uint64_t load()

    cppclass Config "seawall::breaker::BreakerConfig":
        uint64_t window, calls, bucket_ns, min_calls, failure_ratio, slow_ratio, consecutive, slow_ns, combine
        uint64_t probes, lease_ns, ramp, ramp_ns, ramp_step, ramp_start, ramp_backoff

    cppclass Published "seawall::memory::Published<seawall::breaker::BreakerConfig>":
        uint64_t read(Config&)
        void start(const Config&)
        void publish(const Config&)

    cppclass Statistics:
        Word successes, failures, slow, ignored, refused, late, transitions, lost

    cppclass Kernel "seawall::breaker::Breaker":
        Published control
        Word state
        Statistics statistics

    cppclass KernelPermit "seawall::breaker::Permit":
        uint64_t era
        int64_t start_ns
        int32_t slot
        uint64_t lease

    cppclass Change:
        uint64_t before "from"
        uint64_t after "to"

    cppclass Entry:
        cppbool admitted
        KernelPermit permit
        int64_t at

    cppclass Settled:
        cppbool late
        cppbool wants_open

    cppclass Counts:
        uint64_t calls, failures, slow, consecutive

    enum Outcome "seawall::breaker::Outcome":
        SUCCESS "seawall::breaker::Outcome::success"
        FAILURE "seawall::breaker::Outcome::failure"
        IGNORED "seawall::breaker::Outcome::ignored"

    enum State "seawall::breaker::State":
        pass

    size_t sizeof_kernel "sizeof(seawall::breaker::Breaker)"
    Settled breaker_settle "seawall::breaker::settle"(Kernel&, const KernelPermit&, Outcome, int64_t)
    bint breaker_open "seawall::breaker::open"(Kernel&, uint64_t, int64_t)
    Change breaker_force "seawall::breaker::force"(Kernel&, State, int64_t)
    Change breaker_reset "seawall::breaker::reset"(Kernel&, int64_t)
    Counts breaker_counts "seawall::breaker::counts"(Kernel&, int64_t)
    uint64_t breaker_share "seawall::breaker::share"(Kernel&, int64_t)
    State state_of(uint64_t)
    uint64_t trips_of(uint64_t)
    int64_t time_of(uint64_t)
    bint valid(const Config&)

cdef extern from *:
    """
    #include <cstdlib>
    #include <cstring>
    #include "seawall/memory/lock.hpp"
    namespace {
    // On a line pair, zeroed.
    void* breaker_allocate() {
      const std::size_t size = (sizeof(seawall::breaker::Breaker) + 127) & ~std::size_t{127};
      void* at = std::aligned_alloc(128, size);
      if (at != nullptr) {
        std::memset(at, 0, size);
      }
      return at;
    }
    // Written where it is read: a copy of the answer, made at once and in wide words, waits for its narrow ones.
    inline void breaker_enter(seawall::breaker::Breaker& b, std::int64_t now, seawall::breaker::Entry& out) noexcept {
      out = seawall::breaker::enter(b, now);
    }
    struct BreakerChange {
      seawall::breaker::Breaker* breaker;
      seawall::breaker::BreakerConfig expected, config;
      bool done;
      static void run(void* at) noexcept {
        auto& c = *static_cast<BreakerChange*>(at);
        seawall::breaker::BreakerConfig found;
        c.breaker->control.read(found);
        c.done = found == c.expected;
        if (c.done && !(c.config == found)) {
          c.breaker->control.publish(c.config);
        }
      }
      void run_alone() {
        const seawall::memory::ProcessLock threads;
        run(this);
      }
    };
    }  // namespace
    """
    void* breaker_allocate() nogil
    void breaker_enter(Kernel&, int64_t, Entry&) noexcept nogil
    cppclass BreakerChange:
        Kernel* breaker
        Config expected, config
        cppbool done
        @staticmethod
        void run(void*) noexcept nogil
        void run_alone() except +

cdef uint64_t kSlotLayout = 1

STATES = ("closed", "open", "half_open", "recovering", "forced_open", "disabled", "metrics_only")


cdef str state_name(uint64_t era):
    return STATES[<int>state_of(era)]


cdef Config config_of(tuple words) except *:
    cdef Config c
    (c.window, c.calls, c.bucket_ns, c.min_calls, c.failure_ratio, c.slow_ratio, c.consecutive, c.slow_ns, c.combine,
     c.probes, c.lease_ns, c.ramp, c.ramp_ns, c.ramp_step, c.ramp_start, c.ramp_backoff) = words
    if not valid(c):
        raise ConfigError(f"the breaker's kernel refuses the configuration {words}")
    return c


cdef tuple config_in(Kernel* kernel):
    cdef Config c
    kernel.control.read(c)
    return (c.window, c.calls, c.bucket_ns, c.min_calls, c.failure_ratio, c.slow_ratio, c.consecutive, c.slow_ns,
            c.combine, c.probes, c.lease_ns, c.ramp, c.ramp_ns, c.ramp_step, c.ramp_start, c.ramp_backoff)


@cython.no_gc_clear  # a permit that dies in the same cycle still reads the clock and, in the segment, the state
cdef class Breaker(Policy):
    """Stops calling what fails. Thread safe, lock-free."""
    cdef Kernel* kernel
    cdef bint owned
    cdef readonly Segment segment
    cdef uint64_t seen          # the era that was last told of
    cdef bint judges_results    # `_judge` wants to see results too
    cdef int64_t in_doubt_ns    # how long to stay open when `_open_ns` fails
    cdef readonly object state_changed
    cdef readonly object call_refused

    def __dealloc__(self):
        if self.owned:
            free(<void*>self.kernel)

    cdef int opened(self) except -1:
        if self.kernel == NULL:
            raise TypeError(f"{type(self).__name__}.__init__ was not called")
        return 0

    def _open(self, config: tuple, segment, on_conflict: str) -> None:
        """Make or attach the state. Arguments are validated by the face."""
        cdef Config wanted = config_of(config)
        cdef Kernel* image
        self.segment = segment
        image = <Kernel*>breaker_allocate()
        if image == NULL:
            raise MemoryError("a breaker")
        image.control.start(wanted)
        if segment is None:
            self.kernel, self.owned = image, True
            return
        try:
            view = self.segment.slot(self.name, "circuit_breaker", kSlotLayout, sizeof_kernel, image, sizeof_kernel)
        finally:
            free(<void*>image)
        cdef Kernel* kernel = <Kernel*>view.state
        found = config_in(kernel)
        if not view.created and found != config and on_conflict == "error":
            raise ConfigError(
                f"circuit breaker {self.name!r} in segment {self.segment.path} is configured otherwise: {self._differences(found)}; "
                "give on_conflict='adopt' to follow the segment, 'replace' to change it for everybody, or another name")
        self.kernel, self.seen = kernel, kernel.state.load()
        while on_conflict == "replace" and not self._reshape(self._config(), config):
            pass

    def _tell(self, state_changed, call_refused) -> None:
        """The signals to tell of changes and refusals. Called once, by the face, first of all."""
        if self.kernel != NULL:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        self.state_changed, self.call_refused = state_changed, call_refused

    def _behave(self, judges_results: bool, in_doubt_ns: int) -> None:
        """Whether `_judge` wants to see results too, and how long to stay open when `_open_ns` fails."""
        self.judges_results, self.in_doubt_ns = judges_results, in_doubt_ns

    def _reshape(self, expected: tuple, config: tuple) -> bool:
        """Another configuration for everybody who uses this state; False, and nothing done, when it is not as expected."""
        cdef BreakerChange change
        self.opened()
        change.breaker, change.expected, change.config, change.done = self.kernel, config_of(expected), config_of(config), False
        if self.segment is None:
            change.run_alone()
        else:
            self.segment.exclusively(BreakerChange.run, &change)
        return change.done

    def _config(self) -> tuple:
        """The configuration in force, as the kernel's words."""
        self.opened()
        return config_in(self.kernel)

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        if self.kernel == NULL:
            return self.interrupt(call, TypeError(f"{type(self).__name__}.__init__ was not called"))
        cdef Entry entry
        breaker_enter(self.kernel[0], now_ns(self.source), entry)
        if entry.permit.era != self.seen:
            try:
                self.notice()
            except BaseException as error:
                if entry.admitted:
                    breaker_settle(self.kernel[0], entry.permit, IGNORED, entry.permit.start_ns)
                return self.interrupt(call, error)
        if not entry.admitted:
            try:
                refuse(call, self._refuse(wait_of(entry.at, entry.permit.start_ns), state_name(entry.permit.era)))
            except BaseException as error:
                return self.interrupt(call, error)
            return REFUSE
        slot.c, slot.a, slot.b, slot.delay = entry.permit.era, entry.permit.start_ns, entry.permit.slot, <int64_t>entry.permit.lease
        return GO

    cdef Step interrupt(self, Call* call, object error) noexcept:
        replace(call, error)
        return REFUSE

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        cdef KernelPermit permit
        cdef Outcome outcome = SUCCESS
        permit.era, permit.start_ns, permit.slot, permit.lease = slot.c, slot.a, <int32_t>slot.b, <uint64_t>slot.delay
        if call.yielded:  # between the items ran the caller, and its time is not the callee's
            permit.start_ns = INT64_MAX
        if call.end != RETURNED or (self.judges_results and not call.is_stream):
            outcome = self.judge(call)
        try:
            self.settle(permit, outcome, <object>call.value if outcome == FAILURE and call.end == RAISED else None)
        except BaseException as error:
            replace(call, error)
        return PASS

    cdef Outcome judge(self, Call* call) noexcept:
        cdef bint raised = call.end == RAISED
        if call.end == CANCELLED or (raised and call.refused):
            return IGNORED
        try:
            verdict = self._judge(<object>call.value, raised)
        except BaseException as error:  # the user's predicate failed: its error is what happened to the call
            replace(call, error)
            return IGNORED
        return IGNORED if verdict is None else FAILURE if verdict else SUCCESS

    cdef int settle(self, const KernelPermit& permit, Outcome outcome, object error) except -1:
        cdef int64_t now = now_ns(self.source)
        cdef Settled settled = breaker_settle(self.kernel[0], permit, outcome, now)
        try:
            if settled.wants_open:
                self.trip(permit.era, now, error)
        finally:
            if self.kernel.state.load() != self.seen:
                self.notice()
        return 0

    cdef int trip(self, uint64_t era, int64_t now, object error) except -1:
        cdef int64_t ns = self.in_doubt_ns
        try:
            ns = self._open_ns(trips_of(era) + 1, error)
        finally:  # a fault in deciding how long must not keep a failing callee open to calls
            if breaker_open(self.kernel[0], era, now + ns):
                self._opened_for(ns)
        return 0

    cdef int notice(self) except -1:
        """Tell of a change of state, whoever made it, once."""
        cdef uint64_t era = self.kernel.state.load()
        cdef uint64_t before = self.seen
        if era != before:
            self.seen = era
            if state_of(era) != state_of(before):
                self._state_changed(state_name(before), state_name(era), trips_of(era))
        return 0

    def try_enter(self) -> Permit | Refusal:
        """A permit to call, or a Refusal (false) that says when to try again."""
        self.opened()
        cdef Entry entry
        breaker_enter(self.kernel[0], now_ns(self.source), entry)
        cdef Permit permit
        cdef Refusal refusal
        if not entry.admitted:
            refusal = Refusal.__new__(Refusal)
            refusal.breaker, refusal.era = self, entry.permit.era
            refusal.wait = entry.at - entry.permit.start_ns if entry.at < INT64_MAX else -1
            return self.refused(refusal)
        permit = Permit.__new__(Permit)
        permit.breaker, permit.pending = self, True  # first: should what follows be interrupted, it gives its place back
        permit.permit.era, permit.permit.start_ns = entry.permit.era, entry.permit.start_ns
        permit.permit.slot, permit.permit.lease = entry.permit.slot, entry.permit.lease
        if entry.permit.era != self.seen:
            self.notice()
        return permit

    cdef object refused(self, Refusal refusal):
        if refusal.era != self.seen:
            self.notice()
        if self.call_refused._receivers:  # what its truth means, without a call
            self._call_refused(refusal.wait if refusal.wait >= 0 else None, state_name(refusal.era))
        cdef Permit permit
        if not self.lenient():
            return refusal
        permit = Permit.__new__(Permit)
        permit.breaker, permit.permit.slot = self, -1  # nothing is expected of it
        return permit

    def _force(self, state: str) -> bool:
        """Into a state by hand; whether that changed it."""
        self.opened()
        cdef Change change = breaker_force(self.kernel[0], <State><int>STATES.index(state), now_ns(self.source))
        self.notice()
        return change.before != change.after

    def reset(self) -> None:
        """As new: closed, nothing counted, statistics zero; for everybody who shares it."""
        self.opened()
        breaker_reset(self.kernel[0], now_ns(self.source))
        self.notice()

    @property
    def state(self) -> str:
        """closed, open, half_open, recovering, forced_open, disabled or metrics_only.

        An open breaker whose time is over stays "open" until a call asks.
        """
        self.opened()
        return state_name(self.kernel.state.load())

    def _statistics(self) -> tuple:
        """(successes, failures, slow, ignored, refused, late, transitions, lost) by all users of this state."""
        self.opened()
        cdef Statistics* s = &self.kernel.statistics
        return (s.successes.load(), s.failures.load(), s.slow.load(), s.ignored.load(), s.refused.load(), s.late.load(),
                s.transitions.load(), s.lost.load())

    def _window(self) -> tuple:
        """(calls, failures, slow, consecutive) that count now."""
        self.opened()
        cdef Counts counts = breaker_counts(self.kernel[0], now_ns(self.source))
        return counts.calls, counts.failures, counts.slow, counts.consecutive

    def _outlook(self) -> tuple:
        """(state, trips, share of calls admitted, seconds until an open breaker tries again or None)."""
        self.opened()
        cdef uint64_t era = self.kernel.state.load()
        cdef int64_t now = now_ns(self.source)
        left = max(time_of(era) - now, 0) / 1e9 if state_name(era) == "open" else None
        return state_name(era), trips_of(era), breaker_share(self.kernel[0], now) / 4294967296.0, left


cdef object wait_of(int64_t at, int64_t now):
    return at - now if at < INT64_MAX else None


cdef Breaker by(Refusal refusal):
    if refusal.breaker is None:
        raise TypeError("a Refusal comes from CircuitBreaker.try_enter()")
    return refusal.breaker


@cython.no_gc_clear  # a place is given back even by a permit that dies in a cycle
cdef class Permit:
    """One call that may pass: say what came of it, once. As a context manager it says so itself.

    A permit that is thrown away unanswered gives its place back; what is answered after the state has changed counts as
    late and changes nothing. Not for use by two threads at once.
    """
    cdef Breaker breaker
    cdef KernelPermit permit
    cdef bint pending

    def __init__(self):
        raise TypeError("a Permit comes from CircuitBreaker.enter() or try_enter()")

    def success(self) -> None:
        """The call went well."""
        self.close(SUCCESS, None)

    def failure(self, error: BaseException | None = None) -> None:
        """The call failed; `error` may say by Retry-After how long to stay away."""
        self.close(FAILURE, error)

    def ignore(self) -> None:
        """The call says nothing about the callee: it was cancelled, or refused by somebody else."""
        self.close(IGNORED, None)

    def result(self, result: object) -> None:
        """The call returned `result`: a failure where the breaker's `failure_if` says so."""
        if self.pending:
            self.close(self.verdict(result, False) if self.breaker.judges_results else SUCCESS, None)

    def error(self, error: BaseException) -> None:
        """The call raised `error`: a failure, or nothing the callee can be blamed for, as the breaker judges."""
        if self.pending:
            self.close(self.verdict(error, True) if isinstance(error, Exception) else IGNORED, error)

    cdef Outcome verdict(self, object value, bint raised) except *:
        try:
            verdict = self.breaker._judge(value, raised)
        except BaseException:
            self.close(IGNORED, None)
            raise
        return IGNORED if verdict is None else FAILURE if verdict else SUCCESS

    @property
    def is_probe(self) -> bool:
        """Whether this call decides if the breaker closes again."""
        return self.permit.slot >= 0

    cdef int close(self, Outcome outcome, object error) except -1:
        if self.pending:
            self.pending = False
            self.breaker.settle(self.permit, outcome, error)
        return 0

    def __enter__(self) -> Permit:
        return self

    def __exit__(self, kind, error, trace) -> None:
        if error is None:
            self.close(SUCCESS, None)
        else:
            self.error(error)

    def __dealloc__(self):
        if self.pending and self.breaker is not None:
            breaker_settle(self.breaker.kernel[0], self.permit, IGNORED, now_ns(self.breaker.source))

    def __repr__(self):
        if self.breaker is None:
            return "<Permit of nothing>"
        return f"<Permit of {self.breaker.name!r}{' probe' if self.is_probe else ''}{'' if self.pending else ' answered'}>"


cdef class Refusal:
    """A call that may not pass; false. `exception()` is the same as a CircuitOpen."""
    cdef Breaker breaker
    cdef uint64_t era
    cdef int64_t wait

    def __init__(self):
        raise TypeError("a Refusal comes from CircuitBreaker.try_enter()")

    def __bool__(self):
        return False

    @property
    def policy(self) -> str:
        """Name of the breaker."""
        return by(self).name

    @property
    def state(self) -> str:
        """The breaker's state at the refusal."""
        return state_name(self.era)

    @property
    def retry_after(self) -> float | None:
        """Seconds until a call may pass; None while forced open."""
        return None if self.wait < 0 else self.wait / 1e9

    def exception(self) -> Exception:
        """The refusal to be raised."""
        return by(self)._refusal(None if self.wait < 0 else self.wait, self.state)

    def __repr__(self):
        when = "" if self.wait < 0 else f", retry in {self.retry_after:.6g} s"
        return f"<Refusal by {self.policy!r}: {self.state}{when}>"
