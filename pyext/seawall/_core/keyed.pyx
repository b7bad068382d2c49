"""Limits by key. The public class is in seawall.guard.limits."""

import os

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from libcpp cimport bool as cppbool

from seawall._core.clock cimport now_ns
from seawall._core.limits cimport (
    Ask, Base, Config, Draft, Keyed, Limiter, Permit, Ticket, Verdict, allocate, fill, kSlotLayout,
    keyed_decide, keyed_live, keyed_refund, keyed_try, keyed_try_many, keyed_undo,
)

from seawall._core.limits import KINDS as _KINDS
from seawall.errors import ConfigError

cdef extern from "seawall/limits/keyed.hpp" namespace "seawall::limits" nogil:
    size_t sizeof_keyed "sizeof(seawall::limits::Keyed)"
    uint64_t buckets_for "seawall::limits::Keyed::buckets_for"(uint64_t)
    uint64_t keyed_bytes "seawall::limits::Keyed::bytes"(uint64_t, uint64_t)

cdef extern from "seawall/hashing/siphash.hpp" namespace "seawall::hashing" nogil:
    cppclass Seed:
        uint64_t k0
        uint64_t k1
    uint64_t hash_bytes(Seed, uint8_t, const void*, size_t)
    uint64_t hash_int(Seed, uint8_t, int64_t)
    void hash_ints(Seed, uint8_t, const int64_t*, size_t, uint64_t*)

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1
    int Py_EnterRecursiveCall(const char*) except -1
    void Py_LeaveRecursiveCall()

cdef enum:
    DOMAIN_STR = 1
    DOMAIN_BYTES = 2
    DOMAIN_INT = 3
    DOMAIN_BIG_INT = 4
    DOMAIN_TUPLE = 5


cdef class KeyedLimiter(Base):
    """The same limit for each of many keys, in a bounded table. Thread safe, lock-free look-ups."""
    cdef Keyed* table
    cdef readonly int max_keys
    cdef readonly uint64_t table_bytes

    def __dealloc__(self):
        if self.owned:
            free(<void*>self.table)

    cdef int settings(self, Config* out) except -1:
        self.must_be_open(self.table)
        self.table.control.read(out[0])
        return 0

    def _open(self, limiter: Limiter, amount: int, period: int, limit: int, cells: int, max_keys: int, name: str,
              on_conflict: str) -> None:
        """Make or attach the table. Arguments are validated by the face."""
        cdef Config config
        cdef Draft draft
        if self.table != NULL:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        self.kind, self.segment = limiter.kind, limiter.segment
        self._bind(name, limiter.clock)
        self.is_shadow, self.enforced = limiter.is_shadow, limiter.enforced
        self.max_keys = max_keys
        config.origin = 0
        fill(self.kind, &config, cells, amount, period, limit, 0)
        draft = Draft()
        draft.image.keyed.control.start(config)
        secret = os.urandom(16)
        draft.image.keyed.k0 = int.from_bytes(secret[:8], "little")
        draft.image.keyed.k1 = int.from_bytes(secret[8:], "little")
        draft.image.keyed.buckets = buckets_for(max_keys)
        draft.image.keyed.cells = cells
        self.table_bytes = keyed_bytes(draft.image.keyed.buckets, cells)
        if self.segment is None:
            self.table = <Keyed*>allocate(self.table_bytes)
            memcpy(<void*>self.table, <void*>&draft.image.keyed, sizeof_keyed)
            self.owned = True
            return
        view = self.segment.slot(name, _KINDS[<int>self.kind] + "/keyed", kSlotLayout, self.table_bytes,
                                 &draft.image.keyed, sizeof_keyed)
        self.table = <Keyed*>view.state
        if view.created:
            return
        self.table_bytes = view.bytes
        if (self.table.buckets != draft.image.keyed.buckets or self.table.cells != <uint64_t>cells) and on_conflict != "adopt":
            raise ConfigError(
                f"keyed {_KINDS[<int>self.kind]} {name!r} in segment {self.segment.path} has room for {self.table.buckets * 16 // 3} "
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
        self.must_be_open(self.table)
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
            Py_EnterRecursiveCall(b" while hashing a key")
            try:
                self.hash_tuple(key, out)
            finally:
                Py_LeaveRecursiveCall()
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

    def _hash(self, key) -> int:
        """By which the table knows `key`; TypeError when it is none."""
        cdef uint64_t hash
        self.hash_of(key, &hash)
        return hash

    def try_acquire(self, key, cost=1) -> bool:
        """Admit a call of `cost` for `key` now, or not. Never waits. Cost: about 60 ns and one to three cache misses."""
        cdef Ask ask
        cdef uint64_t hash
        ask.cost = 1 if cost is 1 else self.cost_of(cost)
        self.hash_of(key, &hash)
        ask.now, ask.horizon, ask.commit = now_ns(self.source), 0, True
        if keyed_try(self.kind, self.table[0], hash, ask):
            return True
        return self.lenient()

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
        ask.now, ask.horizon, ask.commit = now_ns(self.source), 0, commit
        cdef Verdict v = keyed_decide(self.kind, self.table[0], hash, ask, NULL)
        return self.decision(&v, ask.now, key, commit)

    def _place(self, key, cost, wait: float) -> Permit:
        """A place for `cost` of `key`, now or at most `wait` seconds ahead; RateLimited when there is none."""
        cdef Ask ask
        cdef Permit permit = Permit.__new__(Permit)
        ask.cost = 1 if cost is 1 else self.cost_of(cost)
        self.hash_of(key, &permit.hash)
        ask.now, ask.horizon, ask.commit = now_ns(self.source), self.horizon(wait), True
        cdef Verdict v = keyed_decide(self.kind, self.table[0], permit.hash, ask, &permit.ticket)
        return self.permit(&v, permit, ask.now, key, False)

    def try_acquire_many(self, keys, costs=None):
        """Admit each of `keys` now, or not, in their order: an (n,) bool array.

        All keys and costs are checked before the first is decided. Cost: under 25 ns a key for an int64 array.

        Args:
            keys: A sequence of keys, or an (n,) array of integers.
            costs: None for 1 each, or n whole numbers.
        """
        import numpy

        self.must_be_open(self.table)
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
        cdef uint64_t* hashes = <uint64_t*>malloc(n * (8 if costs is None else 16))
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
            now = now_ns(self.source)
            with nogil:
                keyed_try_many(self.kind, self.table[0], hashes, units, n, now, <cppbool*>&out[0])
        finally:
            free(hashes)
        if self.is_shadow or self.enforced:
            for i in range(n):
                if not out[i]:
                    out[i] = self.lenient()
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
                hash_ints(seed, DOMAIN_INT, &numbers[0], n, hashes)
        else:
            for i in range(n):
                self.hash_of(keys[i], &hashes[i])
        return 0

    def _counts(self) -> tuple:
        """(admitted, refused, overflowed, evicted) by all users of this table."""
        self.must_be_open(self.table)
        cdef uint64_t admitted = 0, refused = 0, overflowed = 0, evicted = 0
        for i in range(8):
            admitted += self.table.stats[i].admitted.load()
            refused += self.table.stats[i].refused.load()
            overflowed += self.table.stats[i].overflowed.load()
            evicted += self.table.stats[i].evicted.load()
        return admitted, refused, overflowed, evicted

    def _live_keys(self) -> int:
        """Keys whose limit is not fully replenished. Scans the table."""
        self.must_be_open(self.table)
        cdef uint64_t count
        with nogil:
            count = keyed_live(self.kind, self.table[0], now_ns(self.source))
        return count

    cdef bint give_back(self, Permit permit, bint newest_only) except -1:
        cdef int64_t now = self.clock.latest()
        if newest_only:
            return keyed_undo(self.kind, self.table[0], permit.hash, permit.ticket, now)
        return keyed_refund(self.kind, self.table[0], permit.hash, permit.ticket, now)
