from libc.stdint cimport uint16_t, uint64_t

from seawall._core.histogram cimport CppHistogram, Layout


cdef extern from "seawall/load/tally.hpp" namespace "seawall::load" nogil:
    cdef cppclass Word "seawall::load::Word":
        uint64_t load()

    cdef cppclass Ends "std::array<std::uint64_t, seawall::load::kMostPhases>":
        uint64_t& operator[](size_t)

    cdef cppclass Shape:
        uint64_t interval, slices, begin, block_width, blocks, phases
        Ends ends
        Layout layout

    cdef cppclass Counts:
        Word sent, completed, succeeded, late, bytes, slowest

    cdef cppclass PhaseCounts:
        Counts totals
        Word* codes

    cdef cppclass Text "std::array<char, 56>":
        const char* data()

    cdef cppclass Entry:
        bint ready()
        Text name
        Text words

    cdef cppclass string_view "std::string_view":
        string_view()
        string_view(const char*, size_t)

    cdef cppclass CppTally "seawall::load::Tally":
        CppTally()
        CppTally(const Shape&, void*)
        @staticmethod
        size_t bytes_of(const Shape&)
        @staticmethod
        uint64_t histograms(const Shape&)
        void start(uint64_t, uint64_t, bint)
        void end(uint64_t, uint64_t, uint64_t, uint16_t, uint64_t, bint)
        void turn(uint64_t)
        uint16_t named(string_view, string_view)
        void note(uint16_t, string_view, string_view)
        @staticmethod
        bint has_entry(uint16_t)
        Entry& entry(uint16_t)
        PhaseCounts& phase_counts(uint64_t)
        Counts& slice_counts(uint64_t)
        CppHistogram histogram(uint64_t)

    bint can_shape(const Shape&)
    uint64_t MOST_PHASES "seawall::load::kMostPhases"
    int CODES "seawall::load::kCodes"


cdef class Tally:
    cdef CppTally kernel
    cdef Shape shape
    cdef void* memory      # what to free; NULL where it is someone's buffer
    cdef Py_buffer buffer
    cdef bint borrowed
    cdef int place(self, object memory) except -1
    cdef uint64_t checked(self, phase) except? 0xFFFFFFFF
