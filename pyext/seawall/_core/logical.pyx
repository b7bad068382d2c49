# cython: annotation_typing=False
# Annotations are for the stubs: a typed argument would be converted before it could be refused with a message of ours.
"""Logical clocks. The public classes are in seawall.distributed.clocks."""

from cpython.exc cimport PyErr_Clear, PyErr_Occurred
from cpython.long cimport PyLong_CheckExact
from libc.stdint cimport int64_t, uint64_t
from libcpp.string cimport string
from operator import index

from seawall._core.clock cimport WallSource, read_wall, wall_ns
from seawall._core.segment cimport Segment

from seawall.errors import ClockDrift, ConfigError


cdef extern from *:
    """
    #include <string_view>
    #include "seawall/clocks/vector.hpp"

    // A view of what a bytes object holds.
    inline std::string_view view_of(PyObject* form) {
      return {PyBytes_AS_STRING(form), static_cast<std::size_t>(PyBytes_GET_SIZE(form))};
    }
    """
    cppclass View "std::string_view":
        const char* data()
        size_t size()

    View view_of(object)


cdef extern from "seawall/clocks/lamport.hpp" namespace "seawall::clocks" nogil:
    const uint64_t kLastTick

    cppclass CppLamport "seawall::clocks::Lamport":
        CppLamport() except +
        uint64_t tick() noexcept
        uint64_t receive(uint64_t, uint64_t) noexcept
        uint64_t value() noexcept


cdef extern from "seawall/clocks/hybrid.hpp" namespace "seawall::clocks" nogil:
    const uint64_t kNoLimit, kLastStamp
    const int kCountBits

    cppclass Answer:
        bint operator==(Answer)

    const Answer kGiven "seawall::clocks::Answer::given"
    const Answer kBeyondLimit "seawall::clocks::Answer::beyond_limit"
    const Answer kAhead "seawall::clocks::Answer::ahead"

    cppclass Given:
        Answer answer
        uint64_t stamp

    cppclass CppHybrid "seawall::clocks::Hybrid":
        CppHybrid(uint64_t, uint64_t) except +
        Given now(int64_t) noexcept
        Given receive(uint64_t, int64_t, uint64_t) noexcept
        void allow(uint64_t) noexcept
        uint64_t last() noexcept
        uint64_t limit() noexcept
        uint64_t refused() noexcept
        uint64_t carried() noexcept
        uint64_t farthest() noexcept

    uint64_t units_of(int64_t) noexcept


cdef extern from "seawall/clocks/vector.hpp" namespace "seawall::clocks":
    cppclass Entry:
        View name
        uint64_t count
        uint64_t at
        Entry()

    cppclass Reader:
        Reader(View)
        size_t heads()
        size_t marks()
        View mark(size_t)
        uint64_t most()
        bint more()
        Entry entry()
        void step()

    cppclass CppOrder "seawall::clocks::Order":
        pass

    bint valid(View)
    CppOrder vector_compare "seawall::clocks::compare"(View, View)
    bint advance(View, View, uint64_t, string&) except +
    size_t merge_entries(View, View, string&) except +
    void put_entry(string&, const Entry&) except +
    void put_head(string&, size_t, View, uint64_t, size_t) except +


cdef extern from "Python.h":
    # Declared without an exception: an error is all ones, which is above every `most`.
    uint64_t PyLong_AsUnsignedLongLong(object) noexcept


cdef uint64_t LAYOUT = 1
LAST_TICK = kLastTick
LAST_STAMP = kLastStamp


cdef uint64_t checked_stamp(str what, value, uint64_t most) except? 0:
    if not PyLong_CheckExact(value):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"stamp must be {what}, got {value!r}")
        value = index(value)
    cdef uint64_t stamp = PyLong_AsUnsignedLongLong(value)
    if stamp > most:
        if PyErr_Occurred():
            PyErr_Clear()  # negative, or beyond 64 bits: said below
        raise ConfigError(f"stamp must be {what} from 0 to {most}, got {value}")
    return stamp


cdef class Lamport:
    """A counter that never runs behind what it has been told. Thread safe, lock-free."""

    cdef CppLamport* state
    cdef bint owned              # the state is ours to free; else it lies in `segment`
    cdef uint64_t most_ahead
    cdef readonly Segment segment

    def __dealloc__(self):
        if self.owned:
            del self.state

    cdef CppLamport* kernel(self) except NULL:
        if self.state == NULL:
            raise TypeError(f"{type(self).__name__}.__init__ was not called")
        return self.state

    def _open(self, name: str, most_ahead: int, segment) -> None:
        """Make or attach the state. Arguments are validated by the face."""
        if self.state != NULL:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        self.segment, self.most_ahead = segment, most_ahead
        if segment is None:
            self.state, self.owned = new CppLamport(), True
        else:
            self.state = <CppLamport*>self.segment.slot(name, "lamport_clock", LAYOUT, sizeof(CppLamport), b"", 0).state

    def tick(self) -> int:
        """The time of a local event, or of a message that is sent."""
        cdef uint64_t given = self.kernel().tick()
        if given == 0:
            self.refuse(0)
        return given

    def receive(self, stamp: int | tuple[int, str], /) -> int:
        """The time of taking a message that was sent at `stamp`: above it and above all before."""
        cdef uint64_t remote = checked_stamp("a time", stamp[0] if isinstance(stamp, tuple) else stamp, kLastTick)
        cdef uint64_t given = self.kernel().receive(remote, self.most_ahead)
        if given == 0:
            self.refuse(remote)
        return given

    cdef int refuse(self, uint64_t remote) except -1:
        cdef uint64_t value = self.state.value()
        if remote > value and remote - value > self.most_ahead:
            raise ClockDrift(
                f"the stamp {remote} is {remote - value} ahead of this clock, more than max_jump allows, "
                f"{self.most_ahead}; its sender is broken, or max_jump is too small",
                stamp=remote, ahead=float(remote - value), most=float(self.most_ahead))
        raise OverflowError(f"the clock has reached {kLastTick}, its last value")

    @property
    def value(self) -> int:
        """The last time that was given; 0 before the first."""
        return self.kernel().value()


cdef class Hybrid:
    """Stamps near wall time that respect cause and effect. Thread safe, lock-free."""

    cdef CppHybrid* state
    cdef WallSource source       # of `clock`
    cdef uint64_t most_ahead     # units
    cdef bint owned              # the state is ours to free; else it lies in `segment`
    cdef object cover            # (stamp) -> a limit not below it that is safe in the store; None without a store
    cdef readonly object clock
    cdef readonly str name
    cdef readonly Segment segment

    def __dealloc__(self):
        if self.owned:
            del self.state

    cdef CppHybrid* kernel(self) except NULL:
        if self.state == NULL:
            raise TypeError(f"{type(self).__name__}.__init__ was not called")
        return self.state

    def _open(self, name: str, clock: Any, most_ahead: int, last: int, cover: Any, segment) -> None:
        """Make or attach the state. Arguments are validated by the face; stamps begin above `last`."""
        if self.state != NULL:
            raise TypeError(f"{type(self).__name__}.__init__ may be called once")
        read_wall(clock, &self.source)
        self.name, self.clock, self.most_ahead, self.cover, self.segment = name, clock, most_ahead, cover, segment
        cdef CppHybrid* made = new CppHybrid(last, kNoLimit if cover is None else last)
        if segment is None:
            self.state, self.owned = made, True
            return
        try:
            view = self.segment.slot(name, "hybrid_clock", LAYOUT, sizeof(CppHybrid), made, sizeof(CppHybrid))
        finally:
            del made
        if ((<CppHybrid*>view.state).limit() == kNoLimit) != (cover is None):
            has, asks = ("none", "one") if cover is not None else ("one", "none")
            raise ConfigError(
                f"hybrid_clock {name!r} in segment {self.segment.path} has {has} and this one asks for {asks}: store must "
                "be given by all who share a clock, or by none")
        self.state = <CppHybrid*>view.state

    def now(self) -> int:
        """The stamp of a local event, or of a message that is sent."""
        cdef Given given = self.kernel().now(wall_ns(self.source))
        while not given.answer == kGiven:
            self.settle(given)
            given = self.state.now(wall_ns(self.source))
        return given.stamp

    def receive(self, stamp: int, /) -> int:
        """The stamp of taking a message: above `stamp`, which its sender gave, and above all before."""
        cdef uint64_t remote = checked_stamp("a packed stamp", stamp, kLastStamp)
        cdef Given given = self.kernel().receive(remote, wall_ns(self.source), self.most_ahead)
        while not given.answer == kGiven:
            self.settle(given)
            given = self.state.receive(remote, wall_ns(self.source), self.most_ahead)
        return given.stamp

    cdef int settle(self, Given given) except -1:
        cdef double ahead
        if given.answer == kBeyondLimit:
            self.state.allow(self.cover(given.stamp))
            return 0
        if given.answer == kAhead:
            ahead = (<double>(given.stamp >> kCountBits) - <double>units_of(wall_ns(self.source))) / 65536.0
            raise ClockDrift(
                f"the stamp {given.stamp:#018x} is {ahead:.6g} s ahead of this machine's wall clock, more than max_drift "
                f"allows, {self.most_ahead / 65536.0:.6g} s; set the clocks of both machines right",
                stamp=given.stamp, ahead=ahead, most=self.most_ahead / 65536.0)
        raise OverflowError("the clock has given its last stamp, of February 2106")

    @property
    def last(self) -> int:
        """The last stamp that was given; 0 before the first."""
        return self.kernel().last()

    def _figures(self) -> tuple:
        """(last, limit, refused, carried, farthest in units)."""
        s = self.kernel()
        return s.last(), s.limit(), s.refused(), s.carried(), s.farthest()


cdef tuple orders = ()


def set_orders(known: tuple) -> None:
    """What comparisons answer: equal, before, after, concurrent."""
    global orders
    orders = known


cdef bytes bytes_of(View view):
    return view.data()[:view.size()]


cdef class Vector:
    """Counts by node, as flat bytes that never change."""

    cdef bytes form

    def __cinit__(self, form: bytes):
        if type(form) is not bytes or not valid(view_of(form)):
            raise ConfigError(
                f"these {len(form)} bytes are not a vector clock of version 1; give what bytes(clock) made, unchanged")
        self.form = form

    def compare(self, other: Vector, /) -> Order:
        """How the history behind this clock relates to that behind `other`."""
        if not isinstance(other, Vector):
            raise TypeError(f"a {type(self).__name__} compares with its like, got {other!r}")
        return orders[<int>vector_compare(view_of(self.form), view_of((<Vector>other).form))]

    def _advanced(self, name: bytes, at_ms: int) -> bytes:
        """With one more event of `name`; empty where there is no room for it."""
        cdef string out
        if not advance(view_of(self.form), view_of(name), at_ms, out):
            return b""
        return out

    def _merged(self, other: Vector, heads: int, marks: bytes, most: int) -> bytes:
        """With all the events of `other`, under the marks given."""
        cdef string entries, out
        cdef size_t n = merge_entries(view_of(self.form), view_of((<Vector?>other).form), entries)
        put_head(out, heads, view_of(marks), most, n)
        out.append(entries)
        return out

    def _entries(self) -> list:
        """(node, count, milliseconds since 1970) in the order of the form."""
        cdef Reader* reader = new Reader(view_of(self.form))
        try:
            found = []
            while reader.more():
                found.append((bytes_of(reader.entry().name).decode(), reader.entry().count, reader.entry().at))
                reader.step()
            return found
        finally:
            del reader

    def _pruned(self) -> tuple:
        """(number of heads, marks, highest count)."""
        cdef Reader* reader = new Reader(view_of(self.form))
        try:
            marks = b"".join([bytes_of(reader.mark(i)) for i in range(reader.marks())])
            return reader.heads(), marks, reader.most()
        finally:
            del reader

    def __bytes__(self):
        return self.form


def pack_vector(heads: int, marks: bytes, most: int, entries: list[tuple[bytes, int, int]]) -> bytes:
    """The form of (name as bytes, count, milliseconds), which are in order."""
    cdef string out
    cdef Entry entry
    put_head(out, heads, view_of(marks), most, len(entries))
    for name, count, at in entries:
        entry.name, entry.count, entry.at = view_of(name), count, at
        put_entry(out, entry)
    return out
