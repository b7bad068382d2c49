from libc.stdint cimport uint32_t, uint64_t


cdef extern from "seawall/histogram/bulk.hpp" namespace "seawall::histogram" nogil:
    cdef cppclass Word "seawall::histogram::Word":
        uint64_t load()
        void store(uint64_t)

    cdef cppclass Layout:
        uint64_t lowest, highest, digits
        int unit_magnitude, half_magnitude
        uint32_t bucket_count
        uint64_t counts_len
        uint64_t sub_buckets()
        bint operator==(const Layout&)

    cdef cppclass State:
        Word lowest, highest, digits, used, clipped, sum, carry, least, most

    cdef cppclass CppHistogram "seawall::histogram::Histogram":
        Layout layout
        State* state
        void record(uint64_t) noexcept
        void record_corrected(uint64_t, uint64_t) noexcept
        void widen(uint64_t, uint64_t) noexcept
        void add_to_sum(uint64_t, uint64_t) noexcept
        void note_clipped(uint64_t) noexcept

    Layout lay_out(uint64_t, uint64_t, uint64_t) noexcept
    size_t bytes_of(const Layout&) noexcept
    bint can_lay_out(uint64_t, uint64_t, uint64_t) noexcept
    bint can_record(double) noexcept
    uint64_t to_integer(double) noexcept
    void merge(const CppHistogram&, const CppHistogram&) noexcept
    void swap_into(const CppHistogram&, const CppHistogram&) noexcept


cdef extern from "seawall/histogram/reading.hpp" namespace "seawall::histogram" nogil:
    cdef cppclass Survey:
        uint64_t total

    cdef cppclass Moments:
        double mean, deviation

    Survey survey(const CppHistogram&) noexcept
    uint64_t count(const CppHistogram&) noexcept
    uint64_t at_percentile(const CppHistogram&, const Survey&, double) noexcept
    Moments moments(const CppHistogram&) noexcept


cdef double checked_slowly(name, x) except? -1.0


cdef class Histogram:
    cdef CppHistogram view
    cdef void* memory      # what to free; NULL where the state lies in a segment
    cdef readonly object segment    # keeps the state mapped
    cdef object __weakref__
    cdef int allocate(self) except -1
    cdef int share(self, str name, bint adopt) except -1
