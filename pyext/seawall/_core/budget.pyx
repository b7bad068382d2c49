"""The budget of retries: one kernel, in an object or in a segment. The public class is in seawall.guard.retry."""

from seawall._core.clock cimport now_ns

from seawall.errors import ConfigError

cdef extern from *:
    """
    #include "seawall/memory/lock.hpp"

    // A reconfiguration, to be run while nobody else makes one.
    struct BudgetChange {
      seawall::retry::RetryBudget* state;
      seawall::retry::BudgetConfig config;

      static void run(void* at) noexcept {
        auto& change = *static_cast<BudgetChange*>(at);
        change.state->control.publish(change.config);
      }
      void run_alone() {
        const seawall::memory::ProcessLock threads;
        run(this);
      }
    };
    """
    cppclass BudgetChange:
        CppBudget* state
        BudgetConfig config
        @staticmethod
        void run(void*) noexcept nogil
        void run_alone() except +

cdef uint64_t LAYOUT = 1
MOST_RESERVE = kMostReserve


cdef int fill(BudgetConfig* config, tuple asked) except -1:
    config.bucket_ns, config.ratio, config.reserve = asked
    if not valid(config[0]):
        raise ConfigError(f"a retry budget of {describe(asked)} is beyond what it can count")
    return 0


cdef str describe(tuple config):
    bucket_ns, ratio, reserve = config
    window = bucket_ns / 1e8
    return f"ratio {ratio / 2**32:.6g}, {reserve / 2**32 / window:.6g} per second, in windows of {window:.6g} s"


def _attach(kind: type, state: tuple):
    return kind._from_pickle(*state)


cdef class Budget:
    """What retries may spend. Thread safe, lock-free, usable by any number of policies, threads and (shared) processes."""

    def __dealloc__(self):
        if self.owned:
            del self.state

    cdef CppBudget* kernel(self) except NULL:
        if self.state == NULL:
            raise TypeError(f"{type(self).__name__}.__init__ was not called")
        return self.state

    def _open(self, name: str, clock, config: tuple, segment, on_conflict: str) -> None:
        """Make or attach the state. Arguments are validated by the face; config: bucket in ns, ratio and reserve by 2^32."""
        cdef BudgetConfig filled
        if self.state != NULL:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        self.name, self.clock, self.segment = name, clock, segment
        self.source = self.clock.source
        fill(&filled, config)
        cdef CppBudget* made = new CppBudget()
        made.control.start(filled)
        if segment is None:
            self.state, self.owned = made, True
            return
        try:
            view = self.segment.slot(name, "retry_budget", LAYOUT, sizeof(CppBudget), made, sizeof(CppBudget))
        finally:
            del made
        self.state = <CppBudget*>view.state
        if not view.created and self.agree(config, on_conflict):
            self._reshape(config)

    cdef bint agree(self, tuple asked, str on_conflict) except -1:
        """What to do about a slot that exists with another configuration. True: replace it."""
        found = self._config()
        if found == asked or on_conflict == "adopt":
            return False
        if on_conflict == "replace":
            return True
        raise ConfigError(
            f"retry_budget {self.name!r} in segment {self.segment.path} is configured as {describe(found)}, this one asks for "
            f"{describe(asked)}; give on_conflict='adopt' to follow the segment, 'replace' to change it for everybody, or another name")

    def _reshape(self, config: tuple) -> None:
        """Another configuration for everybody who uses this state."""
        cdef BudgetChange change
        fill(&change.config, config)
        change.state = self.kernel()
        if self.segment is None:
            change.run_alone()
        else:
            self.segment.exclusively(BudgetChange.run, &change)

    def _config(self) -> tuple:
        """(bucket in ns, ratio by 2^32, reserve by 2^32) in force, for all workers of a shared budget."""
        cdef BudgetConfig config
        self.kernel().control.read(config)
        return config.bucket_ns, config.ratio, config.reserve

    def _settings(self) -> str:
        """The configuration in force, for people."""
        return describe(self._config())

    def deposit(self) -> None:
        """A first attempt is made: it pays its share of a retry."""
        self.kernel().deposit(now_ns(self.source))

    def withdraw(self) -> bool:
        """Whether a retry may be made; if so, it is paid for."""
        return self.kernel().withdraw(now_ns(self.source))

    @property
    def balance(self) -> int:
        """How many retries may be made at this instant."""
        return self.kernel().balance(now_ns(self.source))

    @property
    def refused(self) -> int:
        """How many withdrawals were refused, by all users of this state."""
        return self.kernel().refused.load()

    def __reduce__(self):
        if self.segment is None:
            raise TypeError(
                f"{type(self).__name__} {self.name!r} cannot be pickled: a copy in another process would be a second budget; "
                "give it shared='...' so that both use one")
        return _attach, (type(self), (self._config(), self.name, self.clock, self.segment))
