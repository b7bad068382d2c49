"""Limits: the five algorithms over one state word, alone and by key. The public classes are in seawall.guard.limits.

Everything here validates, reads the clock once and calls one kernel function.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport INT64_MAX, uint8_t
from libc.stdlib cimport free, malloc
from libcpp cimport bool as cppbool

from seawall._core.clock cimport Clock, Hand, now_ns
from seawall._core.segment cimport Segment

from seawall.errors import ConfigError, RateLimited

import os

cdef extern from *:
    """
    #include <sys/mman.h>

    #include <cstdlib>
    #include <cstring>
    #include <new>

    #include "seawall/limits/keyed.hpp"
    #include "seawall/memory/lock.hpp"

    namespace {
    using namespace seawall::limits;

    constexpr std::uint64_t kSlotLayout = 1;

    // PyDescr_NewMethod gives a subclass its own descriptor of an inherited method: the interpreter specialises a call only
    // when the descriptor belongs to the very type of the object (7 ns of 40).
    PyObject* own_descriptor(PyObject* type, PyObject* method) {
      return PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type),
                               reinterpret_cast<PyMethodDescrObject*>(method)->d_method);
    }

    // Zeroed, on a line pair. Large tables ask for large pages: half of a random look-up is the walk of small ones.
    void* allocate_zeroed(std::size_t size) {
      constexpr std::size_t kLarge = std::size_t{1} << 21;
      const bool large = size >= kLarge / 2;
      void* at = std::aligned_alloc(large ? kLarge : 128, (size + 127) & ~std::size_t{127});
      if (at != nullptr) {
    #ifdef MADV_HUGEPAGE
        if (large) {
          ::madvise(at, (size + 4095) & ~std::size_t{4095}, MADV_HUGEPAGE);
        }
    #endif
        std::memset(at, 0, size);
      }
      return at;
    }


    struct Image {
      Single single;
      Keyed keyed;
    };

    struct Change {
      Kind kind;
      Single* single;
      Keyed* table;
      Config config;
      static void run(void* at) noexcept {
        auto& c = *static_cast<Change*>(at);
        c.single != nullptr ? reconfigure(c.kind, *c.single, c.config) : keyed_reconfigure(c.kind, *c.table, c.config);
      }
      void run_alone() { const seawall::memory::ProcessLock threads; run(this); }
    };
    }  // namespace
    """
    const uint64_t kSlotLayout
    object own_descriptor(object, object)
    void* allocate_zeroed(size_t) nogil
    cppclass Image:
        Single single
        Keyed keyed
    cppclass Change:
        Kind kind
        Single* single
        Keyed* table
        Config config
        @staticmethod
        void run(void*) noexcept nogil
        void run_alone() except + nogil

cdef extern from "seawall/limits/keyed.hpp" namespace "seawall::limits" nogil:
    size_t sizeof_single "sizeof(seawall::limits::Single)"
    size_t sizeof_keyed "sizeof(seawall::limits::Keyed)"
    uint64_t buckets_for "seawall::limits::Keyed::buckets_for"(uint64_t)
    uint64_t keyed_bytes "seawall::limits::Keyed::bytes"(uint64_t, uint64_t)
    uint64_t ring "seawall::limits::Log::ring"(uint64_t)

cdef extern from "seawall/hashing/siphash.hpp" namespace "seawall::hashing" nogil:
    cppclass Seed:
        uint64_t k0
        uint64_t k1
    uint64_t hash_bytes(Seed, uint8_t, const void*, size_t)
    uint64_t hash_int(Seed, uint8_t, int64_t)

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1

cdef enum:
    DOMAIN_STR = 1
    DOMAIN_BYTES = 2
    DOMAIN_INT = 3
    DOMAIN_BIG_INT = 4
    DOMAIN_TUPLE = 5

KINDS = ("token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log")

cdef object make_decision = None


def set_decision(factory) -> None:
    """Tell the kernels' binding which class answers `check` and `peek`."""
    global make_decision
    make_decision = factory


def own_methods(kind: type, names: tuple) -> None:
    """Give a subclass descriptors of its own for the methods that must be as fast as on the base."""
    for name in names:
        setattr(kind, name, own_descriptor(kind, getattr(kind, name)))


cdef double seconds(int64_t ns):
    return ns / 1e9 if ns < INT64_MAX else float("inf")


cdef int64_t horizon_ns(double wait):
    return INT64_MAX if wait >= 9.2e9 else <int64_t>(wait * 1e9)


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
        return (f"a limit of {config.limit} needs more room than was reserved: at most {cells // 2}; "
                "create the log with max_limit=")
    # 61 bits hold the number of the window and the counts: the same arithmetic as the kernel's derive.
    bits = (61 - ((1 << 58) // config.period).bit_length()) // (1 if <int>kind == 2 else 2)
    return (f"a limit of {config.limit} in windows of {config.period / 1e9:g} s is too large: at most {(1 << bits) - 1}; "
            "use a longer window, count in larger units, or use a TokenBucket")


cdef class _Base:
    """What single and keyed limits have in common."""
    cdef Kind kind
    cdef Hand* hand            # of `clock`; NULL for the machine's
    cdef bint owned            # the state is ours to free; else it lies in `segment`
    cdef bint is_shadow
    cdef readonly Clock clock
    cdef readonly Segment segment
    cdef readonly str name

    cdef int settings(self, Config* out) except -1:
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

    cdef object decision(self, Verdict* v, int64_t now, object key):
        admitted = v.admitted and v.at <= now
        wait = 0.0 if admitted else seconds(max(v.at - now, 0)) if v.at < INT64_MAX else float("inf")
        return make_decision((bool(admitted) or bool(self.is_shadow), v.limit, v.remaining, wait,
                              seconds(max(v.reset_at - now, 0)), self.name, key))

    def _config(self) -> tuple:
        """(amount, period_ns, limit) in force, for all workers of a shared limit."""
        cdef Config config
        self.settings(&config)
        return config.amount, config.period, config.limit

    def _settings(self) -> str:
        """The configuration in force, for people."""
        return describe(self.kind, self._config())

    @property
    def shadow(self) -> bool:
        """Decides and counts, but refuses nobody."""
        return self.is_shadow

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
        cdef int64_t now = max(now_ns(self.hand), <int64_t>before.since)
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


cdef class Limiter(_Base):
    """One limit. Thread safe, lock-free, usable by any number of threads, loops and (shared) processes."""
    cdef Single* single

    def __dealloc__(self):
        if self.owned:
            free(<void*>self.single)

    cdef int settings(self, Config* out) except -1:
        if self.single == NULL:
            raise TypeError(f"{type(self).__name__}.__init__ was not called")
        self.single.control.read(out[0])
        return 0

    def _open(self, kind: int, amount: int, period: int, limit: int, cells: int, name: str, clock, segment,
             on_conflict: str, shadow: bool) -> None:
        """Make or attach the state. Arguments are validated by the face; period in ns; cells: ring of a log."""
        cdef Config config
        cdef Image* image
        cdef SlotHolder at
        if self.single != NULL:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        self.kind, self.clock, self.segment, self.name, self.is_shadow = <Kind><int>kind, clock, segment, name, shadow
        self.hand = self.clock.hand
        config.origin = 0
        fill(self.kind, &config, cells, amount, period, limit, 0)
        at = SlotHolder()
        at.image.single.control.start(config)
        cdef uint64_t size = sizeof_single + <uint64_t>cells * 8
        if segment is None:
            self.single = <Single*>allocate(size)
            at.copy_to(self.single, &at.image.single, sizeof_single)
            self.owned = True
            return
        view = self.segment.slot(name, KINDS[kind], kSlotLayout, size, &at.image.single, sizeof_single)
        self.single = <Single*>view.state
        if not view.created and self.agree((amount, period, limit), on_conflict):
            self._reshape(amount, period, limit)

    cdef uint64_t cells(self) except? 0:
        return log_cells(self.single)

    def _reshape(self, amount: int, period: int, limit: int) -> None:
        """New limits for everybody who uses this state; what was admitted so far is not forgotten."""
        self.change(self.single, NULL, self.cells(), amount, period, limit)

    def try_acquire(self, cost=1) -> bool:
        """Admit a call of `cost` now, or not. Never waits, never allocates. Cost: about one clock reading and 15 ns."""
        cdef uint64_t units = 1 if cost is 1 else self.cost_of(cost)
        if try_acquire(self.kind, self.single[0], now_ns(self.hand), units):
            return True
        return self.is_shadow

    def _admit_now(self, cost=1) -> bool:
        """try_acquire for callers that will wait when refused: a refusal is not counted."""
        cdef uint64_t units = 1 if cost is 1 else self.cost_of(cost)
        if admit_now(self.kind, self.single[0], now_ns(self.hand), units):
            return True
        return self.is_shadow

    def check(self, cost=1) -> Decision:
        """Admit a call of `cost` now, or say why not and when to try again."""
        return self.ask(cost, True)

    def peek(self, cost=1) -> Decision:
        """What `check` would answer, changing nothing."""
        return self.ask(cost, False)

    cdef object ask(self, object cost, bint commit):
        cdef Ask ask
        ask.cost = 1 if cost is 1 else self.cost_of(cost)
        ask.now, ask.horizon, ask.commit = now_ns(self.hand), 0, commit
        cdef Verdict v = decide(self.kind, self.single[0], ask, NULL)
        return self.decision(&v, ask.now, None)

    def _place(self, cost, wait: float) -> Permit:
        """A place for `cost`, now or at most `wait` seconds ahead; RateLimited when there is none."""
        cdef Ask ask
        cdef Permit permit = Permit.__new__(Permit)
        ask.cost = 1 if cost is 1 else self.cost_of(cost)
        ask.now, ask.horizon, ask.commit = now_ns(self.hand), horizon_ns(wait), True
        cdef Verdict v = decide(self.kind, self.single[0], ask, &permit.ticket)
        permit.limiter, permit.pending = self, v.admitted
        if not v.admitted:
            if not self.is_shadow:
                raise refusal(self.name, None, seconds(v.at - ask.now) if v.at < INT64_MAX else None)
            permit.ticket.at = ask.now
        return permit

    def _counts(self) -> tuple:
        """(admitted, refused) by all users of this state."""
        return self.single.admitted.load(), self.single.refused.load()

    cdef bint give_back(self, Permit permit, bint newest_only) except -1:
        cdef int64_t now = now_ns(self.hand)
        if newest_only:
            return undo(self.kind, self.single[0], permit.ticket, now)
        return refund(self.kind, self.single[0], permit.ticket, now)


cdef class SlotHolder:
    """The first bytes of a new state, built where nobody sees them."""
    cdef Image image

    cdef void copy_to(self, void* to, const void* begin, size_t size) noexcept:
        from_bytes = <const char*>begin
        cdef size_t i
        for i in range(size):
            (<char*>to)[i] = from_bytes[i]


cdef void* allocate(uint64_t size) except NULL:
    cdef void* at = allocate_zeroed(size)
    if at == NULL:
        raise MemoryError(f"{size} bytes for a limit")
    return at


cdef uint64_t log_cells(Single* single):
    cdef Config config
    single.control.read(config)
    return config_mask(config) + 1


cdef extern from *:
    """
    inline std::uint64_t config_mask(const seawall::limits::Config& c) { return c.token; }
    """
    uint64_t config_mask(const Config&)


cdef object refusal(str name, object key, object retry_after):
    when = "" if retry_after is None else f"; retry in {retry_after:.6g} s"
    whom = "" if key is None else f" for key {key!r}"
    return RateLimited(f"{name} is at its limit{whom}{when}", retry_after=retry_after, policy=name, key=key)


cdef class Permit:
    """A reserved place. Wait `wait` seconds, then go; or give it back. Not for use by two threads at once.

    Units: seconds.
    """
    cdef Ticket ticket
    cdef object limiter      # Limiter or KeyedLimiter
    cdef uint64_t hash
    cdef bint pending

    @property
    def at_ns(self) -> int:
        """When the place is due, in nanoseconds of the limit's clock."""
        return self.ticket.at

    @property
    def wait(self) -> float:
        """Seconds from now until the place is due; 0.0 when it is."""
        cdef int64_t left = self.ticket.at - now_ns((<_Base>self.limiter).hand)
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
            if isinstance(self.limiter, Limiter):
                done = (<Limiter>self.limiter).give_back(self, newest_only)
            else:
                done = (<KeyedLimiter>self.limiter).give_back(self, newest_only)
            self.pending = newest_only and not done
        return done

    def __repr__(self):
        return f"<Permit of {(<_Base>self.limiter).name!r} cost={self.ticket.cost} wait={self.wait:.6g}>"


cdef class KeyedLimiter(_Base):
    """The same limit for each of many keys, in a bounded table. Thread safe, lock-free look-ups."""
    cdef Keyed* table
    cdef readonly int max_keys
    cdef readonly uint64_t table_bytes

    def __dealloc__(self):
        if self.owned:
            free(<void*>self.table)

    cdef int settings(self, Config* out) except -1:
        if self.table == NULL:
            raise TypeError(f"{type(self).__name__}.__init__ was not called")
        self.table.control.read(out[0])
        return 0

    def _open(self, limiter: Limiter, amount: int, period: int, limit: int, cells: int, max_keys: int, name: str,
             on_conflict: str) -> None:
        """Make or attach the table. Arguments are validated by the face."""
        cdef Config config
        cdef SlotHolder at
        if self.table != NULL:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        self.kind, self.clock, self.segment = limiter.kind, limiter.clock, limiter.segment
        self.hand, self.name, self.is_shadow = limiter.hand, name, limiter.is_shadow
        self.max_keys = max_keys
        config.origin = 0
        fill(self.kind, &config, cells, amount, period, limit, 0)
        at = SlotHolder()
        at.image.keyed.control.start(config)
        secret = os.urandom(16)
        at.image.keyed.k0 = int.from_bytes(secret[:8], "little")
        at.image.keyed.k1 = int.from_bytes(secret[8:], "little")
        at.image.keyed.buckets = buckets_for(max_keys)
        at.image.keyed.cells = cells
        self.table_bytes = keyed_bytes(at.image.keyed.buckets, cells)
        if self.segment is None:
            self.table = <Keyed*>allocate(self.table_bytes)
            at.copy_to(self.table, &at.image.keyed, sizeof_keyed)
            self.owned = True
            return
        view = self.segment.slot(name, KINDS[<int>self.kind] + "/keyed", kSlotLayout, self.table_bytes,
                                 &at.image.keyed, sizeof_keyed)
        self.table = <Keyed*>view.state
        if view.created:
            return
        self.table_bytes = view.bytes
        if (self.table.buckets != at.image.keyed.buckets or self.table.cells != <uint64_t>cells) and on_conflict != "adopt":
            raise ConfigError(
                f"keyed {KINDS[<int>self.kind]} {name!r} in segment {self.segment.path} has room for {self.table.buckets * 16 // 3} "
                f"keys, this one asks for {max_keys}; give on_conflict='adopt' to follow the segment, or another name")
        if self.agree((amount, period, limit), on_conflict):
            self._reshape(amount, period, limit)

    def _reshape(self, amount: int, period: int, limit: int) -> None:
        """New limits for every key and everybody who uses this table; what was admitted so far is not forgotten."""
        self.change(NULL, self.table, self.table.cells, amount, period, limit)

    cdef int hash_of(self, object key, uint64_t* out) except -1:
        cdef Seed seed
        cdef Py_ssize_t size
        cdef const char* text
        cdef int overflow = 0
        seed.k0, seed.k1 = self.table.k0, self.table.k1
        if isinstance(key, str):
            text = PyUnicode_AsUTF8AndSize(key, &size)
            out[0] = hash_bytes(seed, DOMAIN_STR, text, size)
        elif isinstance(key, bytes):
            out[0] = hash_bytes(seed, DOMAIN_BYTES, PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        elif isinstance(key, int) and not isinstance(key, bool):
            number = PyLong_AsLongLongAndOverflow(key, &overflow)
            if overflow == 0:
                out[0] = hash_int(seed, DOMAIN_INT, number)
            else:
                raw = key.to_bytes(key.bit_length() // 8 + 1, "little", signed=True)
                out[0] = hash_bytes(seed, DOMAIN_BIG_INT, PyBytes_AS_STRING(raw), PyBytes_GET_SIZE(raw))
        elif isinstance(key, tuple):
            self.hash_tuple(key, out)
        else:
            raise TypeError(f"a key is a str, bytes, int or a tuple of these, got {key!r}")
        return 0

    cdef int hash_tuple(self, tuple key, uint64_t* out) except -1:
        cdef Seed seed
        cdef uint64_t part
        parts = bytearray()
        for item in key:
            self.hash_of(item, &part)
            parts += int(part).to_bytes(8, "little")
        seed.k0, seed.k1 = self.table.k0, self.table.k1
        raw = bytes(parts)
        out[0] = hash_bytes(seed, DOMAIN_TUPLE, PyBytes_AS_STRING(raw), PyBytes_GET_SIZE(raw))
        return 0

    def try_acquire(self, key, cost=1) -> bool:
        """Admit a call of `cost` for `key` now, or not. Never waits. Cost: about 60 ns and one to three cache misses."""
        cdef Ask ask
        cdef uint64_t hash
        ask.cost = 1 if cost is 1 else self.cost_of(cost)
        self.hash_of(key, &hash)
        ask.now, ask.horizon, ask.commit = now_ns(self.hand), 0, True
        if keyed_try(self.kind, self.table[0], hash, ask):
            return True
        return self.is_shadow

    def check(self, key, cost=1) -> Decision:
        """Admit a call of `cost` for `key` now, or say why not and when to try again."""
        return self.ask(key, cost, True)

    def peek(self, key, cost=1) -> Decision:
        """What `check` would answer, changing nothing."""
        return self.ask(key, cost, False)

    cdef object ask(self, object key, object cost, bint commit):
        cdef Ask ask
        cdef uint64_t hash
        ask.cost = 1 if cost is 1 else self.cost_of(cost)
        self.hash_of(key, &hash)
        ask.now, ask.horizon, ask.commit = now_ns(self.hand), 0, commit
        cdef Verdict v = keyed_decide(self.kind, self.table[0], hash, ask, NULL)
        return self.decision(&v, ask.now, key)

    def _place(self, key, cost, wait: float) -> Permit:
        """A place for `cost` of `key`, now or at most `wait` seconds ahead; RateLimited when there is none."""
        cdef Ask ask
        cdef Permit permit = Permit.__new__(Permit)
        ask.cost = 1 if cost is 1 else self.cost_of(cost)
        self.hash_of(key, &permit.hash)
        ask.now, ask.horizon, ask.commit = now_ns(self.hand), horizon_ns(wait), True
        cdef Verdict v = keyed_decide(self.kind, self.table[0], permit.hash, ask, &permit.ticket)
        permit.limiter, permit.pending = self, v.admitted
        if not v.admitted:
            if not self.is_shadow:
                raise refusal(self.name, key, seconds(v.at - ask.now) if v.at < INT64_MAX else None)
            permit.ticket.at = ask.now
        return permit

    def try_acquire_many(self, keys, costs=None):
        """Admit each of `keys` now, or not, in their order: an (n,) bool array.

        All keys and costs are checked before the first is decided. Cost: under 25 ns a key for an int64 array.

        Args:
            keys: A sequence of keys, or an (n,) array of integers.
            costs: None for 1 each, or n whole numbers.
        """
        import numpy

        if isinstance(keys, numpy.ndarray):
            if keys.ndim != 1:
                raise ValueError(f"keys must be one-dimensional, got shape {keys.shape}")
            if keys.dtype.kind not in "iu" or keys.dtype == numpy.uint64:
                keys = keys.tolist()
            elif keys.dtype != numpy.int64 or not keys.flags.c_contiguous:
                keys = numpy.ascontiguousarray(keys, dtype=numpy.int64)
        elif isinstance(keys, (str, bytes)) or not hasattr(keys, "__len__"):
            raise TypeError(f"keys must be a sequence or an array of keys, got {type(keys).__name__}")
        cdef Py_ssize_t n = len(keys)
        if costs is not None and len(costs) != n:
            raise ValueError(f"costs must be as many as keys: got {len(costs)} for {n} keys")
        answers = numpy.empty(n, dtype=numpy.bool_)
        if n == 0:
            return answers
        cdef unsigned char[::1] out = answers.view(numpy.uint8)
        cdef uint64_t* hashes = <uint64_t*>malloc(n * 16)
        if hashes == NULL:
            raise MemoryError(f"{n} keys")
        cdef uint64_t* units = NULL
        cdef int64_t now
        try:
            if costs is not None:
                units = hashes + n
                for i in range(n):
                    units[i] = self.cost_of(costs[i])
            self.hash_all(keys, n, hashes)
            now = now_ns(self.hand)
            with nogil:
                keyed_try_many(self.kind, self.table[0], hashes, units, n, now, <cppbool*>&out[0])
        finally:
            free(hashes)
        if self.is_shadow:
            answers[:] = True
        return answers

    cdef int hash_all(self, object keys, Py_ssize_t n, uint64_t* hashes) except -1:
        cdef Seed seed
        cdef Py_ssize_t i
        cdef const int64_t[::1] numbers
        if isinstance(keys, list):
            for i in range(n):
                self.hash_of((<list>keys)[i], &hashes[i])
        elif hasattr(keys, "dtype"):
            numbers = keys
            seed.k0, seed.k1 = self.table.k0, self.table.k1
            with nogil:
                for i in range(n):
                    hashes[i] = hash_int(seed, DOMAIN_INT, numbers[i])
        else:
            for i in range(n):
                self.hash_of(keys[i], &hashes[i])
        return 0

    def _counts(self) -> tuple:
        """(admitted, refused, overflowed, evicted) by all users of this table."""
        cdef uint64_t admitted = 0, refused = 0, overflowed = 0, evicted = 0
        for i in range(8):
            admitted += self.table.stats[i].admitted.load()
            refused += self.table.stats[i].refused.load()
            overflowed += self.table.stats[i].overflowed.load()
            evicted += self.table.stats[i].evicted.load()
        return admitted, refused, overflowed, evicted

    def _live_keys(self) -> int:
        """Keys whose limit is not fully replenished. Scans the table."""
        cdef uint64_t count
        with nogil:
            count = keyed_live(self.kind, self.table[0], now_ns(self.hand))
        return count

    cdef bint give_back(self, Permit permit, bint newest_only) except -1:
        cdef int64_t now = now_ns(self.hand)
        if newest_only:
            return keyed_undo(self.kind, self.table[0], permit.hash, permit.ticket, now)
        return keyed_refund(self.kind, self.table[0], permit.hash, permit.ticket, now)
