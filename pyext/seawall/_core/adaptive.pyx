"""A bulkhead whose number of places finds itself. The public class is in seawall.guard.adaptive."""

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libcpp cimport bool as cppbool

from seawall._core.bulkhead cimport Places, nobody_in, ring, waited_for
from seawall._core.clock cimport now_ns
from seawall._core.policy cimport CANCELLED, GO, PASS, RAISED, RETURNED, Call, Slot, Step, Turn, replace

from seawall.errors import ConfigError

cdef extern from "seawall/adaptive/adaptive.hpp" namespace "seawall::adaptive" nogil:
    cppclass Word "seawall::memory::Word":
        uint64_t load()

    cppclass Config "seawall::adaptive::AdaptiveConfig":
        uint64_t algorithm, min_limit, max_limit, initial, window_ns, min_samples, percentile, probe_ns, dropped_ratio
        uint64_t smoothing, tolerance, alpha, beta, increase, backoff, slow_ns

    cppclass Published "seawall::memory::Published<seawall::adaptive::AdaptiveConfig>":
        uint64_t read(Config&)

    cppclass Statistics:
        Word samples, dropped, ignored, late, decisions, discarded

    enum Outcome "seawall::adaptive::Outcome":
        SUCCESS "seawall::adaptive::Outcome::success"
        DROPPED "seawall::adaptive::Outcome::dropped"
        IGNORED "seawall::adaptive::Outcome::ignored"

    enum Phase "seawall::adaptive::Phase":
        pass

    enum Reason "seawall::adaptive::Reason":
        NONE "seawall::adaptive::Reason::none"

    cppclass KernelPermit "seawall::adaptive::Permit":
        uint64_t window
        int64_t start

    cppclass Settled:
        Reason reason
        double before
        double after

    cppclass State:
        double limit, baseline, level, before_latency, before_limit
        int64_t probed_at
        Phase phase

    cppclass Seen:
        double latency
        uint64_t samples, dropped, peak
        int64_t elapsed

    cppclass Kernel "seawall::adaptive::Adaptive":
        Kernel() except +
        Published control
        Statistics statistics
        void start(const Config&, int64_t)
        KernelPermit begin(int64_t)
        Settled settle(const KernelPermit&, Outcome, uint64_t, int64_t)
        uint32_t limit()
        State state()
        double latency()

    Reason kernel_decide "seawall::adaptive::decide"(const Config&, State&, const Seen&, int64_t)
    cppbool valid(const Config&)

cdef extern from *:
    """
    #include "seawall/memory/lock.hpp"
    namespace {
    struct AdaptiveChange {
      seawall::adaptive::Adaptive* kernel;
      seawall::adaptive::AdaptiveConfig config;
      void run_alone() {
        const seawall::memory::ProcessLock threads;
        kernel->control.publish(config);
      }
    };
    }  // namespace
    """
    cppclass AdaptiveChange:
        Kernel* kernel
        Config config
        void run_alone() except +

PHASES = ("starting", "steady", "probing", "doubting")
REASONS = ("none", "grown", "shrunk", "held", "idle", "dropped", "slow", "probing", "probed", "abandoned")


cdef Config config_of(tuple words) except *:
    cdef Config c
    (c.algorithm, c.min_limit, c.max_limit, c.initial, c.window_ns, c.min_samples, c.percentile, c.probe_ns,
     c.dropped_ratio, c.smoothing, c.tolerance, c.alpha, c.beta, c.increase, c.backoff, c.slow_ns) = words
    if not valid(c):
        raise ConfigError(f"the adaptive limit's kernel refuses the configuration {words}")
    return c


def decide(config: tuple, state: tuple, seen: tuple, now: int) -> tuple:
    """(reason, state) after a window; for tests, which compare it with the slow version."""
    cdef Config c = config_of(config)
    cdef State s
    cdef Seen w
    (s.limit, s.baseline, s.level, s.before_latency, s.before_limit, s.probed_at, phase) = state
    s.phase = <Phase><int>PHASES.index(phase)
    (w.latency, w.samples, w.dropped, w.peak, w.elapsed) = seen
    cdef Reason reason = kernel_decide(c, s, w, now)
    return REASONS[<int>reason], (s.limit, s.baseline, s.level, s.before_latency, s.before_limit, s.probed_at,
                                  PHASES[<int>s.phase])


@cython.no_gc_clear  # permits that die in the same cycle still give their places back
cdef class Adaptive(Places):
    """Places as many as the callee bears. Thread safe, lock-free while nobody waits and nothing is decided."""
    cdef Kernel* kernel         # on lines of its own, as Python's memory is not aligned
    cdef bint judges_results    # `_judge` wants to see results too
    cdef bint made

    def __cinit__(self):
        cdef Config unused
        self.kernel = new Kernel()
        self.kernel.start(unused, 0)

    def __dealloc__(self):
        del self.kernel

    cdef int opened(self) except -1:
        if not self.made:
            raise TypeError(f"{type(self).__name__}.__init__ was not called")
        return 0

    def _open(self, config: tuple, queue: int, judges_results: bool) -> None:
        """Begin. Arguments are validated by the face."""
        if self.made:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        self.kernel.start(config_of(config), now_ns(self.source))
        self.judges_results, self.made = judges_results, True
        self._resize(self.kernel.limit(), queue)

    def _reshape(self, config: tuple, queue: int, judges_results: bool) -> None:
        """Another configuration; the limit goes on from where it is, within the new bounds."""
        cdef AdaptiveChange change
        self.opened()
        change.kernel, change.config = self.kernel, config_of(config)
        change.run_alone()
        self.judges_results = judges_results
        self._resize(self.kernel.limit(), queue)

    cdef Step enter(self, Slot* slot, Call* call) noexcept:
        cdef Step step = Places.enter(self, slot, call)
        if step == GO:
            self.entered(slot, call)
        return step

    cdef void entered(self, Slot* slot, Call* call) noexcept:
        cdef KernelPermit permit = self.kernel.begin(now_ns(self.source))
        slot.a, slot.c = permit.start, permit.window

    cdef Turn leave(self, Slot* slot, Call* call) noexcept:
        cdef KernelPermit permit
        cdef Outcome outcome = SUCCESS
        permit.start, permit.window = slot.a, slot.c
        if call.end != RETURNED or (self.judges_results and not call.is_stream):
            outcome = self.judge(call)
        if outcome == SUCCESS and call.yielded:  # between the items ran the caller, and its time is not the callee's
            outcome = IGNORED
        try:
            self.settle(permit, outcome)
        except BaseException as error:
            replace(call, error)
        return PASS

    cdef Outcome judge(self, Call* call) noexcept:
        cdef bint raised = call.end == RAISED
        if call.end == CANCELLED or (raised and call.refused):
            return IGNORED
        try:
            dropped = self._judge(<object>call.value, raised)
        except BaseException as error:  # the user's predicate failed: its error is what happened to the call
            replace(call, error)
            return IGNORED
        return DROPPED if dropped else IGNORED if raised else SUCCESS

    cdef int settle(self, const KernelPermit& permit, Outcome outcome) except -1:
        """The call has ended: its place is given back, and what it teaches is learnt."""
        cdef uint32_t in_flight = self.gate.in_flight()
        cdef Settled settled
        try:
            if self.gate.try_leave() == waited_for:
                ring(self.gate.hand_over())
        finally:
            settled = self.kernel.settle(permit, outcome, in_flight, now_ns(self.source))
            if settled.reason != NONE:
                self.follow(settled)
        return 0

    cdef int follow(self, const Settled& settled) except -1:
        while self.gate.places() != self.kernel.limit():  # others may decide meanwhile
            ring(self.gate.resize(self.kernel.limit(), self.gate.queue()))
        if settled.before != settled.after:
            self._changed(settled.before, settled.after, REASONS[<int>settled.reason])
        return 0

    def _permit(self) -> Permit:
        """The permit of a place that was taken."""
        self.opened()
        cdef Permit permit = Permit.__new__(Permit)
        permit.limit, permit.pending = self, True
        permit.permit = self.kernel.begin(now_ns(self.source))
        return permit

    def _learned(self) -> tuple:
        """(phase, limit, baseline in s, last window's latency in s, samples, dropped, ignored, late, decisions, discarded)"""
        cdef State s = self.kernel.state()
        cdef Statistics* t = &self.kernel.statistics
        return (PHASES[<int>s.phase], s.limit, s.baseline / 1e9, self.kernel.latency() / 1e9, t.samples.load(),
                t.dropped.load(), t.ignored.load(), t.late.load(), t.decisions.load(), t.discarded.load())


@cython.no_gc_clear  # a place is given back even by a permit that dies in a cycle
cdef class Permit:
    """One call in flight: say what came of it, once. As a context manager it says so itself.

    A permit that is thrown away unanswered gives its place back. Not for use by two threads at once.
    """
    cdef Adaptive limit
    cdef KernelPermit permit
    cdef bint pending

    def __init__(self):
        raise TypeError("a Permit comes from AdaptiveLimit.enter() or try_enter()")

    def success(self) -> None:
        """The call was answered: what it took says something of the callee."""
        self.close(SUCCESS)

    def dropped(self) -> None:
        """The callee was too slow or refused for overload: the limit is too high."""
        self.close(DROPPED)

    def ignore(self) -> None:
        """The call says nothing about the callee's load: it was cancelled, or failed for another reason."""
        self.close(IGNORED)

    def error(self, error: BaseException) -> None:
        """The call raised `error`: dropped, or nothing the callee's load can be blamed for, as the limit judges."""
        if self.pending:
            self.close(self.verdict(error) if isinstance(error, Exception) else IGNORED)

    cdef Outcome verdict(self, error) except *:
        try:
            return DROPPED if self.limit._judge(error, True) else IGNORED
        except BaseException:
            self.close(IGNORED)
            raise

    cdef int close(self, Outcome outcome) except -1:
        if self.pending:
            self.pending = False
            self.limit.settle(self.permit, outcome)
        return 0

    def __enter__(self) -> Permit:
        return self

    def __exit__(self, kind, error, trace) -> None:
        if error is None:
            self.close(SUCCESS)
        else:
            self.error(error)

    def __dealloc__(self):
        if self.pending and self.limit is not None:
            try:
                self.limit.settle(self.permit, IGNORED)
            except BaseException:
                pass  # nobody is left to tell; the place was given back

    def __repr__(self):
        if self.limit is None:
            return "<Permit of nothing>"
        return f"<Permit of {self.limit.name!r}{'' if self.pending else ' answered'}>"
