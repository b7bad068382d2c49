# cython: annotation_typing=False
"""The counts of a load test as an object; see csrc/include/seawall/load/tally.hpp. seawall.measure.load makes sense of them."""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_New, PyCapsule_SetContext
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport uint16_t, uint64_t, uintptr_t
from libc.string cimport memcpy

from seawall._core.histogram cimport Histogram, can_lay_out, lay_out, merge

cdef const char* CAPSULE = "seawall.tally"
cdef uintptr_t PAGE = 4096


cdef void release_owner(object capsule) noexcept:
    Py_DECREF(<object>PyCapsule_GetContext(capsule))


cdef inline uint64_t nanoseconds(double seconds) noexcept:
    return <uint64_t>(seconds * 1e9 + 0.5) if seconds > 0 else 0


cdef string_view view_of(bytes text):
    return string_view(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))


def bytes_for(interval: float, slices: int, begin: float, block_width: float, blocks: int, ends: tuple,
              longest: float) -> int:
    """How many bytes of memory such a tally needs."""
    return CppTally.bytes_of(shape_for(interval, slices, begin, block_width, blocks, ends, longest))


cdef class Tally:
    """Counts of requests by phase, by kind of end and over time, and their times; times are seconds since the run's zero.

    `memory` is a writable buffer of `bytes_for(...)` zeroed bytes, which processes may share; without one it has its
    own. Histograms are numbered: 0 schedule error, 1 lag, 2 + 2p and 3 + 2p response and service time of phase p, then the
    blocks.
    """

    def __cinit__(self, interval: float, slices: int, begin: float, block_width: float, blocks: int, ends: tuple,
                  longest: float, memory: object = None):
        self.shape = shape_for(interval, slices, begin, block_width, blocks, ends, longest)
        self.place(memory)

    cdef int place(self, object memory) except -1:
        cdef size_t size = CppTally.bytes_of(self.shape)
        cdef void* at
        if memory is None:
            # Zeroed lazily by the kernel where it is large: what is never counted in takes no memory.
            self.memory = PyMem_RawCalloc(1, size + PAGE)
            if self.memory == NULL:
                raise MemoryError(f"a tally of {size:,} bytes does not fit into memory")
            at = <void*>((<uintptr_t>self.memory + PAGE - 1) & ~(PAGE - 1))
        else:
            PyObject_GetBuffer(memory, &self.buffer, PyBUF_WRITABLE)
            self.borrowed = True
            at = self.buffer.buf
            if <size_t>self.buffer.len < size or <uintptr_t>at % PAGE:
                raise ValueError(f"a tally needs {size:,} bytes from a page on, got {self.buffer.len:,}")
        self.kernel = CppTally(self.shape, at)
        return 0

    def __dealloc__(self):
        if self.borrowed:
            PyBuffer_Release(&self.buffer)
        PyMem_RawFree(self.memory)

    def start(self, due: float, started: float, late: bool = False) -> None:
        """A request was started."""
        self.kernel.start(nanoseconds(due), nanoseconds(started), late)

    def end(self, due: float, started: float, ended: float, code: int, size: int = 0, succeeded: bool = True) -> None:
        """A request ended, well or not."""
        self.kernel.end(nanoseconds(due), nanoseconds(started), nanoseconds(ended), code, size, succeeded)

    def turn(self, seconds: float) -> None:
        """The generator's loop was away for so long."""
        self.kernel.turn(nanoseconds(seconds))

    def named(self, name: str, words: str) -> int:
        """The code of a kind of end that has only a name; the first words said about each are kept, 64 names at most."""
        cdef bytes as_bytes = name.encode("utf-8", "replace"), said = words.encode("utf-8", "replace")
        return self.kernel.named(view_of(as_bytes), view_of(said))

    def note(self, code: int, words: str) -> None:
        """Keep the first words said about a code below 100."""
        if not 0 <= code < 100:
            raise ValueError(f"only codes below 100 have words, got {code}")
        cdef bytes said = words.encode("utf-8", "replace")
        self.kernel.note(code, string_view(NULL, 0), view_of(said))

    def entries(self) -> dict:
        """Name and first words by code; the name is empty for codes below 100."""
        found = {}
        for code in range(CODES):
            if CppTally.has_entry(code) and self.kernel.entry(code).ready():
                found[code] = (self.kernel.entry(code).name.data().decode("utf-8", "replace"),
                               (<const char*>self.kernel.entry(code).words.data()).decode("utf-8", "replace"))
        return found

    def totals(self, phase: int) -> tuple:
        """(sent, completed, succeeded, late, bytes, slowest in seconds) of one phase."""
        cdef Counts* some = &self.kernel.phase_counts(self.checked(phase)).totals
        return (some.sent.load(), some.completed.load(), some.succeeded.load(), some.late.load(), some.bytes.load(),
                some.slowest.load() / 1e9)

    def codes(self, phase: int) -> dict:
        """How many requests of one phase ended with each code; none of them is 0."""
        cdef PhaseCounts* some = &self.kernel.phase_counts(self.checked(phase))
        cdef uint64_t n
        found = {}
        for code in range(CODES):
            n = some.codes[code].load()
            if n:
                found[code] = n
        return found

    def slices(self, number: int) -> bytes:
        """A copy of the first counts over time: (n, 8) uint64, of which sent, completed, succeeded, late, bytes, slowest."""
        cdef size_t size = min(max(number, 0), self.shape.slices) * sizeof(Counts)
        cdef bytes copied = PyBytes_FromStringAndSize(NULL, size)
        memcpy(PyBytes_AS_STRING(copied), &self.kernel.slice_counts(0), size)
        return copied

    def add_to(self, number: int, Histogram into not None) -> None:
        """Add one of the histograms to `into`."""
        if not 0 <= number < CppTally.histograms(self.shape):
            raise IndexError(f"there are {CppTally.histograms(self.shape)} histograms, got {number}")
        merge(into.view, self.kernel.histogram(number))

    cdef uint64_t checked(self, phase) except? 0xFFFFFFFF:
        if not 0 <= phase < self.shape.phases:
            raise IndexError(f"there are {self.shape.phases} phases, got {phase}")
        return phase

    def _capsule(self) -> object:
        """The kernel for engines in C++; keeps this tally alive."""
        capsule = PyCapsule_New(&self.kernel, CAPSULE, release_owner)
        PyCapsule_SetContext(capsule, <void*>self)
        Py_INCREF(self)
        return capsule


cdef Shape shape_for(double interval, uint64_t slices, double begin, double block_width, uint64_t blocks, tuple ends,
                     double longest) except *:
    cdef Shape shape
    cdef size_t i
    if not 1 <= len(ends) <= MOST_PHASES:
        raise ValueError(f"a tally has 1 to {MOST_PHASES} phases, got {len(ends)}")
    shape.interval, shape.slices = nanoseconds(interval), slices
    shape.begin, shape.block_width, shape.blocks = nanoseconds(begin), nanoseconds(block_width), blocks
    shape.phases = len(ends)
    for i in range(len(ends)):
        shape.ends[i] = nanoseconds(ends[i])
    if not can_lay_out(1_000, nanoseconds(longest), 3):
        raise ValueError(f"no histogram goes to {longest} seconds")
    shape.layout = lay_out(1_000, nanoseconds(longest), 3)
    if not can_shape(shape):
        raise ValueError(f"no tally has {slices} slices of {interval} s and {blocks} blocks of {block_width} s")
    return shape
