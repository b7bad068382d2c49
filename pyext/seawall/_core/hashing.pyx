"""Consistent hashing of one key. The public classes are in seawall.distributed.hashing."""

cimport cython
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libcpp cimport bool as cppbool
from libcpp.vector cimport vector

from seawall.errors import ConfigError

cdef extern from "key.hpp" namespace "seawall::pyext" nogil:
    int key_hash(object, uint64_t&) except -1

cdef extern from "<span>" namespace "std" nogil:
    cppclass Loads "std::span<const std::int64_t>":
        Loads(const int64_t*, size_t)

cdef extern from "seawall/hashing/jump.hpp" namespace "seawall::hashing" nogil:
    int32_t cpp_jump "seawall::hashing::jump"(uint64_t, int32_t)

cdef extern from "seawall/hashing/ring.hpp" namespace "seawall::hashing" nogil:
    vector[int32_t] chosen_of_ring "seawall::hashing::chosen"(const CppRing&, uint64_t, const vector[int32_t]&, size_t, size_t) except +
    cppclass CppRing "seawall::hashing::Ring":
        int32_t owner(uint64_t)

cdef extern from "seawall/hashing/rendezvous.hpp" namespace "seawall::hashing" nogil:
    vector[int32_t] chosen_of_rendezvous "seawall::hashing::chosen"(const CppRendezvous&, uint64_t, const vector[int32_t]&, size_t, size_t) except +
    cppclass CppRendezvous "seawall::hashing::Rendezvous":
        int32_t best(uint64_t)

cdef extern from "seawall/hashing/maglev.hpp" namespace "seawall::hashing" nogil:
    vector[int32_t] chosen_of_maglev "seawall::hashing::chosen"(const CppMaglev&, uint64_t, const vector[int32_t]&, size_t, size_t) except +
    cppclass CppMaglev "seawall::hashing::Maglev":
        int32_t owner(uint64_t)

cdef extern from "seawall/hashing/bounded.hpp" namespace "seawall::hashing" nogil:
    cppclass CppHold "seawall::hashing::Bounded::Hold":
        CppHold()
    cppclass CppBounded "seawall::hashing::Bounded":
        int32_t acquire(const CppRing&, uint64_t, CppHold&) except +
        int32_t one(const CppRing&, uint64_t, Loads) except +
        void release(CppHold&) except +
        vector[int64_t] loads() except +

cdef int32_t MOST_BUCKETS = 2**31 - 1


def stable_hash(key) -> int:
    """The hash of a key that never changes: XXH64 of its UTF-8 text, its bytes, or the 8 bytes of its number."""
    cdef uint64_t hash = 0
    key_hash(key, hash)
    return hash


def jump(key, buckets) -> int:
    """The bucket of `key`, 0 to buckets - 1, by jump consistent hashing: no table, and the fewest keys move."""
    cdef uint64_t hash = 0
    cdef int32_t count = checked_buckets(buckets)
    key_hash(key, hash)
    return cpp_jump(hash, count)


cdef int32_t checked_buckets(object buckets) except -1:
    if type(buckets) is not int or not 1 <= buckets <= MOST_BUCKETS:
        if isinstance(buckets, bool) or not hasattr(buckets, "__index__"):
            raise ConfigError(f"buckets must be a whole number from 1 to {MOST_BUCKETS:,}, got {buckets!r}")
        if not 1 <= buckets <= MOST_BUCKETS:
            raise ConfigError(f"buckets must be 1 to {MOST_BUCKETS:,}, got {buckets}")
    return buckets


cdef class Placement:
    """Nodes, and which of them has a key. Immutable, so threads may share it."""
    cdef readonly tuple names
    cdef readonly tuple members
    cdef readonly dict _settings
    cdef object capsule
    cdef object __weakref__
    cdef vector[int32_t] zones
    cdef size_t zone_count

    def _place_by(self, capsule: object, members: tuple, zones: tuple, settings: dict) -> None:
        """Begin to answer, by what seawall._core.placing built; zones are numbers from 0, one a node."""
        if self.names is not None:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        self.take(capsule)
        self.capsule = capsule
        self.zones = zones
        self.zone_count = len(set(zones))
        self.members, self._settings = members, settings
        self.names = tuple([node.name for node in members])

    def _capsule(self) -> object:
        """What seawall._core.placing built."""
        return self.capsule

    cdef int take(self, object capsule) except -1:
        raise NotImplementedError

    cdef int32_t owner(self, uint64_t hash) except -1:
        raise NotImplementedError

    # A zone_count of 0: whatever the zones.
    cdef vector[int32_t] chosen(self, uint64_t hash, size_t zone_count, size_t n) except *:
        raise NotImplementedError

    def node(self, key) -> str:
        """The name of the node that has `key`."""
        cdef uint64_t hash = 0
        key_hash(key, hash)
        if self.names is None:
            raise TypeError(f"{type(self).__name__} is used before __init__")
        return <str>self.names[self.owner(hash)]

    def nodes(self, key, n, *, distinct_zones=True) -> tuple:
        """The names of `n` different nodes for copies of `key`, the one of `node(key)` first.

        Guarantees: those for n are the first of those for n + 1.

        Args:
            key: What is placed.
            n: How many, 1 to all.
            distinct_zones: Take the zones in turn, so that the copies lie in as many as there are; a node without a
                zone is one of its own. False: whatever comes next.
        """
        cdef uint64_t hash = 0
        cdef vector[int32_t] found
        cdef size_t zone_count
        key_hash(key, hash)
        if self.names is None:
            raise TypeError(f"{type(self).__name__} is used before __init__")
        if isinstance(n, bool) or not hasattr(n, "__index__") or not 1 <= n <= len(self.names):
            raise ConfigError(
                f"n must be a whole number from 1 to {len(self.names)}, for there are so many nodes, got {n!r}")
        zone_count = self.zone_count if distinct_zones and self.zone_count < self.zones.size() else 0
        found = self.chosen(hash, zone_count, n)
        return tuple([self.names[node] for node in found])


cdef class RingTable(Placement):
    """A ring."""
    cdef const CppRing* ring

    cdef int take(self, object capsule) except -1:
        self.ring = <const CppRing*>PyCapsule_GetPointer(capsule, "seawall.hashing.Ring")
        return 0

    cdef int32_t owner(self, uint64_t hash) except -1:
        return self.ring.owner(hash)

    cdef vector[int32_t] chosen(self, uint64_t hash, size_t zone_count, size_t n) except *:
        return chosen_of_ring(self.ring[0], hash, self.zones, zone_count, n)


cdef class RendezvousTable(Placement):
    """Nodes by rendezvous."""
    cdef const CppRendezvous* kernel

    cdef int take(self, object capsule) except -1:
        self.kernel = <const CppRendezvous*>PyCapsule_GetPointer(capsule, "seawall.hashing.Rendezvous")
        return 0

    cdef int32_t owner(self, uint64_t hash) except -1:
        return self.kernel.best(hash)

    cdef vector[int32_t] chosen(self, uint64_t hash, size_t zone_count, size_t n) except *:
        return chosen_of_rendezvous(self.kernel[0], hash, self.zones, zone_count, n)


cdef class MaglevTable(Placement):
    """Nodes by slots."""
    cdef const CppMaglev* kernel

    cdef int take(self, object capsule) except -1:
        self.kernel = <const CppMaglev*>PyCapsule_GetPointer(capsule, "seawall.hashing.Maglev")
        return 0

    cdef int32_t owner(self, uint64_t hash) except -1:
        return self.kernel.owner(hash)

    cdef vector[int32_t] chosen(self, uint64_t hash, size_t zone_count, size_t n) except *:
        return chosen_of_maglev(self.kernel[0], hash, self.zones, zone_count, n)


cdef class BoundedTable(RingTable):
    """A ring whose nodes carry no more than their share and some headroom."""
    cdef object bounds
    cdef const CppBounded* bounded

    def _bound_by(self, bounds: object) -> None:
        """Count loads by what seawall._core.placing built."""
        self.bounded = <const CppBounded*>PyCapsule_GetPointer(bounds, "seawall.hashing.Bounded")
        self.bounds = bounds

    def _bounds(self) -> object:
        """What seawall._core.placing built."""
        return self.bounds

    cdef int must_be_bounded(self) except -1:
        if self.bounds is None or self.names is None:
            raise TypeError(f"{type(self).__name__} is used before __init__")
        return 0

    def node(self, key, loads=None) -> str:
        """The name of the node that `acquire` would take now. Counts nothing.

        Args:
            key: What is placed.
            loads: What the nodes carry, by name, a name that is missing carrying nothing; None for what is counted here.
        """
        cdef uint64_t hash = 0
        cdef vector[int64_t] carried
        self.must_be_bounded()
        key_hash(key, hash)
        carried = self.bounded.loads() if loads is None else <vector[int64_t]>self._load_list(dict(loads))
        return self.names[self.bounded.one(self.ring[0], hash, Loads(carried.data(), carried.size()))]

    def _load_list(self, loads: dict) -> list:
        """Loads by name as a list in the order of the nodes."""
        for name, load in loads.items():
            if name not in self.names:
                raise ConfigError(f"loads must be of the nodes here, got {name!r}; there is no such node")
            if isinstance(load, bool) or not hasattr(load, "__index__") or not 0 <= load <= 2**53:
                raise ConfigError(f"a load must be a whole number from 0 to 2**53, got {load!r} for {name!r}")
        return [int(loads.get(name, 0)) for name in self.names]

    def _loads(self) -> list:
        """What each node carries."""
        self.must_be_bounded()
        return self.bounded.loads()

    def acquire(self, key) -> Held:
        """Put one load on the first node for `key` that has room. Give it back with `release()`, or use it in a `with`."""
        cdef uint64_t hash = 0
        cdef Held held
        self.must_be_bounded()
        key_hash(key, hash)
        held = Held.__new__(Held)
        held.bounds, held.bounded = self.bounds, self.bounded
        held.node = self.names[self.bounded.acquire(self.ring[0], hash, held.hold)]
        return held


# Without a part in garbage collection, which would take the bounds away before the load is given back; no cycle can
# go through a text and a capsule.
@cython.no_gc
cdef class Held:
    """One load on a node, until it is released: by `release()`, by the end of a `with`, or when nobody holds it."""
    cdef object bounds
    cdef const CppBounded* bounded
    cdef CppHold hold
    cdef readonly str node

    def release(self) -> None:
        """Take the load off its node; a second time does nothing."""
        if self.bounded != NULL:
            self.bounded.release(self.hold)

    def __enter__(self) -> str:
        return self.node

    def __exit__(self, *_) -> None:
        self.release()

    def __dealloc__(self):
        if self.bounded != NULL:
            self.bounded.release(self.hold)

    def __repr__(self) -> str:
        return f"<Held on {self.node!r}>"
