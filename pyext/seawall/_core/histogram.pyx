# cython: annotation_typing=False
# Annotations are for the stubs: a typed argument would be converted before it could be refused with a message of ours.
"""The histogram kernel as an object. The public class is in seawall.measure."""

from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_New, PyCapsule_SetContext
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.math cimport NAN
from libc.stdint cimport uint64_t, uintptr_t

from seawall._core.histogram cimport (
    Histogram, Layout, State, Survey, at_percentile, bytes_of, can_lay_out, can_record, count, lay_out, merge, moments, survey,
    swap_into, to_integer,
)

from seawall._core.segment cimport Segment, SlotView

from seawall.errors import ConfigError, SegmentError


cdef const char* CAPSULE = "seawall.histogram"


cdef void release_owner(object capsule) noexcept:
    Py_DECREF(<object>PyCapsule_GetContext(capsule))


cdef double checked_slowly(name, x) except? -1.0:
    if isinstance(x, bool) or not (hasattr(x, "__float__") or hasattr(x, "__index__")):
        raise TypeError(f"{name} must be a number, got {x!r}; a duration is a float in seconds")
    try:
        number = float(x)
    except OverflowError:
        number = float("inf") if x > 0 else float("-inf")
    if not can_record(number):
        raise ValueError(f"{name} must be finite and not negative, got {number}; count failures apart from durations")
    return number


cdef inline double checked(name, x) except? -1.0:
    if PyFloat_CheckExact(x) and can_record(PyFloat_AS_DOUBLE(x)):
        return PyFloat_AS_DOUBLE(x)
    return checked_slowly(name, x)


cdef double checked_percent(percent) except? -1.0:
    if isinstance(percent, bool) or not isinstance(percent, (int, float)):
        raise TypeError(f"percent must be a number from 0 to 100, got {percent!r}")
    if not 0.0 <= percent <= 100.0:
        raise ValueError(f"percent must be 0 to 100, got {percent}; the 99th percentile is 99, not 0.99")
    return percent


cdef inline double seconds_of(uint64_t integer) noexcept:
    return <double>integer / 1e9


cdef class Histogram:
    """A histogram over integer nanoseconds, laid out as HdrHistogram does."""

    def __cinit__(self, lowest: int, highest: int, digits: int,
                  Segment segment = None, str name = "histogram", bint adopt = False):
        if not can_lay_out(lowest, highest, digits):
            raise ValueError(f"no layout has lowest={lowest}, highest={highest}, digits={digits}")
        self.view.layout = lay_out(lowest, highest, digits)
        self.segment = segment
        if segment is None:
            self.allocate()
        else:
            self.share(name, adopt)

    cdef int allocate(self) except -1:
        # Zeroed lazily by the kernel where it is large; the head must lie on a cache line of its own.
        self.memory = PyMem_RawCalloc(1, bytes_of(self.view.layout) + 64)
        if self.memory == NULL:
            raise MemoryError(f"a histogram of {self.view.layout.counts_len} buckets does not fit into memory")
        self.view.state = <State*>((<uintptr_t>self.memory + 63) & ~<uintptr_t>63)
        self.view.state.lowest.store(self.view.layout.lowest)
        self.view.state.highest.store(self.view.layout.highest)
        self.view.state.digits.store(self.view.layout.digits)

    cdef int share(self, str name, bint adopt) except -1:
        cdef uint64_t[3] image = [self.view.layout.lowest, self.view.layout.highest, self.view.layout.digits]
        cdef SlotView slot = (<Segment>self.segment).slot(
            name, "histogram", 1, bytes_of(self.view.layout), image, sizeof(image))
        cdef State* state = <State*>slot.state
        cdef uint64_t lowest = state.lowest.load(), highest = state.highest.load(), digits = state.digits.load()
        if (lowest, highest, digits) != (image[0], image[1], image[2]):
            if not adopt:
                raise ConfigError(
                    f"histogram {name!r} of the segment has lowest={lowest / 1e9}, highest={highest / 1e9}, digits={digits}, "
                    f"asked for were lowest={image[0] / 1e9}, highest={image[1] / 1e9}, digits={image[2]}; "
                    "ask for the same, choose another name, or pass on_conflict='adopt'")
            # A segment is a file: what it says is believed only as far as its own size bears it out.
            if not can_lay_out(lowest, highest, digits) or bytes_of(lay_out(lowest, highest, digits)) != slot.bytes:
                raise SegmentError(f"histogram {name!r} of the segment is damaged; remove the segment")
            self.view.layout = lay_out(lowest, highest, digits)
        self.view.state = state
        return 0

    def __dealloc__(self):
        PyMem_RawFree(self.memory)

    def record(self, seconds: float, /) -> None:
        """Record one value."""
        self.view.record(to_integer(checked("seconds", seconds)))

    def record_corrected(self, seconds: float, expected_interval: float) -> None:
        """Record one value, and those that were not seen while it held up the caller."""
        cdef uint64_t value = to_integer(checked("seconds", seconds))
        self.view.record_corrected(value, to_integer(checked("expected_interval", expected_interval)))

    def percentile(self, percent: float, /) -> float:
        """The value that `percent` of all values do not exceed; nan while the histogram is empty."""
        cdef double level = checked_percent(percent)
        cdef Survey seen = survey(self.view)
        return seconds_of(at_percentile(self.view, seen, level)) if seen.total else NAN

    def percentiles(self, percents: object) -> list:
        """The value at each of `percents`, all from one reading."""
        cdef Survey seen = survey(self.view)
        levels = [checked_percent(percent) for percent in percents]
        return [seconds_of(at_percentile(self.view, seen, level)) if seen.total else NAN for level in levels]

    @property
    def count(self) -> int:
        """How many values were recorded."""
        return count(self.view)

    @property
    def clipped(self) -> int:
        """How many of them were above `highest` and count as `highest`."""
        return self.view.state.clipped.load()

    @property
    def min(self) -> float:
        """The smallest value, to the nanosecond; nan while the histogram is empty."""
        cdef uint64_t least = self.view.state.least.load()
        return seconds_of(~least) if least else NAN

    @property
    def max(self) -> float:
        """The largest value, to the nanosecond; nan while the histogram is empty."""
        return seconds_of(self.view.state.most.load()) if self.view.state.least.load() else NAN

    @property
    def sum(self) -> float:
        """The sum of all values; added up as whole nanoseconds, so nothing is lost on the way."""
        return self._sum_ns() / 1_000_000_000

    @property
    def mean(self) -> float:
        """The sum over the count, not subject to bucket widths; nan while the histogram is empty."""
        cdef uint64_t n = count(self.view)
        return self._sum_ns() / (n * 1_000_000_000) if n else NAN

    @property
    def stddev(self) -> float:
        """The deviation of the population, each value taken as the middle of its bucket; nan while the histogram is empty."""
        return moments(self.view).deviation / 1e9 if count(self.view) else NAN

    def _sum_ns(self) -> int:
        """The sum in nanoseconds."""
        return (int(self.view.state.carry.load()) << 64) + self.view.state.sum.load()

    def _middle_mean(self) -> float:
        """The mean as HdrHistogram reckons it, from the middle of each bucket."""
        return moments(self.view).mean / 1e9

    def _layout(self) -> tuple:
        """(lowest, highest, digits, sub-buckets, buckets, counts) of the layout, the first two in nanoseconds."""
        cdef Layout layout = self.view.layout
        return layout.lowest, layout.highest, layout.digits, layout.sub_buckets(), layout.bucket_count, layout.counts_len

    def _summary(self) -> tuple:
        """(sum, least, most, clipped) in nanoseconds; least and most are None while the histogram is empty."""
        cdef State* state = self.view.state
        cdef uint64_t least = state.least.load()
        return self._sum_ns(), ~least if least else None, state.most.load() if least else None, state.clipped.load()

    def _add_summary(self, total: int, least: object, most: object, clipped: int) -> None:
        """Add what `_summary` told, beside counts that were added by other means."""
        self.view.add_to_sum(total >> 64, total & 0xFFFFFFFFFFFFFFFF)
        self.view.note_clipped(clipped)
        if least is not None:
            self.view.widen(least, most)

    def _merge(self, Histogram other not None) -> None:
        """Add all that `other` holds; what is above this one's highest is clipped."""
        with nogil:
            merge(self.view, other.view)

    def _swap_into(self, Histogram taken not None) -> None:
        """Move everything into `taken`, which is new and of the same layout."""
        if not self.view.layout == taken.view.layout:
            raise ValueError("a swap needs a histogram of the same layout")
        with nogil:
            swap_into(self.view, taken.view)

    def _capsule(self) -> object:
        """The kernel for seawall._core.bulk; keeps this histogram alive."""
        capsule = PyCapsule_New(&self.view, CAPSULE, release_owner)
        PyCapsule_SetContext(capsule, <void*>self)
        Py_INCREF(self)
        return capsule
