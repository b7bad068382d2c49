from libc.stdint cimport uint32_t, uint64_t
from libcpp cimport bool as cppbool
from libcpp.string cimport string
from libcpp.vector cimport vector

from seawall._core.clock cimport WallSource
from seawall._core.histogram cimport CppHistogram, State
from seawall._core.segment cimport CppSegment, Segment


cdef extern from "seawall/metrics/reading.hpp" namespace "seawall::metrics" nogil:
    cdef cppclass Word:
        uint64_t load()
        uint64_t fetch_add(uint64_t)

    cdef cppclass string_view "std::string_view":
        string_view()
        string_view(const char*, size_t)
        const char* data()
        size_t size()

    cdef enum class Kind(uint64_t):
        counter
        gauge
        histogram

    cdef enum class Across(uint64_t):
        pass

    cdef cppclass Head:
        uint64_t bytes, workers
        Word top, dropped

    cdef cppclass CppFamily "seawall::metrics::Family":
        Word overflowed
        uint64_t overflow, created_ns, lowest, highest, digits, max_series, bounds, labels
        Kind kind
        Across across

    cdef cppclass CppSeries "seawall::metrics::Series":
        uint64_t created_ns

    cdef cppclass Exemplar:
        pass

    cdef cppclass Definition:
        Kind kind
        Across across
        uint64_t lowest, highest, digits, max_series
        vector[uint64_t] bounds
        string name, unit, help
        vector[string] labels

    cdef cppclass Texts:
        Texts()
        Texts(string_view)
        bint done()
        string_view next()

    cdef cppclass Amount:
        uint64_t whole, billionths

    cdef cppclass Example:
        double value
        uint64_t at_ns
        string text

    cdef cppclass Reading:
        const CppSeries* series
        double number
        Amount amount
        vector[uint64_t] places, counts
        uint64_t sum_high, sum_low
        bint has_example
        Example example

    cdef cppclass CppTable "seawall::metrics::Table":
        CppTable(void*, CppSegment*)
        bint is_sound(uint64_t)
        CppFamily* find_family(string_view)
        CppFamily* family(const Definition&, uint64_t) except +
        CppSeries* series(CppFamily&, string_view, uint64_t)
        Exemplar* exemplar(CppSeries&)
        uint64_t claim(uint64_t, uint64_t) except +
        vector[cppbool] living()
        vector[CppFamily*] families()
        CppHistogram histogram(const CppFamily&, const CppSeries&)
        void* cell(const CppSeries&)
        uint64_t offset_of(const void*)
        const Head& head()

    cdef cppclass Block:
        Block(uint64_t, uint64_t) except +
        void* at()

    void start_head(Head&, uint64_t, uint64_t)
    void put_text(string&, string_view) except +
    const uint64_t* bounds_of(const CppFamily&)
    Texts texts_of(const CppFamily&)
    string_view key_of(const CppSeries&)
    void add(void*, uint64_t)
    void add_part(CppSeries&, uint64_t)
    void raise_to(void*, uint64_t)
    bint move(Word&, double)
    void set(const CppTable&, CppSeries&, bint, uint64_t, double)
    void unset(const CppTable&, CppSeries&, uint64_t)
    Word& gauge_word(const CppTable&, const CppSeries&, uint64_t)
    double number_of(uint64_t)
    Amount amount_of(const CppTable&, const CppSeries&)
    void write(Exemplar&, double, uint64_t, string_view) except +
    vector[Reading] read_family(const CppTable&, const CppFamily&, const vector[cppbool]&) except +
    void follow(const CppHistogram&, const CppHistogram&, const CppHistogram&)
    uint64_t start_of(int)
    uint32_t forks_now "seawall::metrics::forks.load"()
    void count_forks()
    uint64_t kExemplarBytes


cdef extern from "seawall/metrics/text.hpp" namespace "seawall::metrics" nogil:
    cdef cppclass Style:
        bint open, created
        string constant

    cdef cppclass Writer:
        Writer(const CppTable&, Style) except +
        string write() except +

    void put_escaped(string&, string_view) except +


cdef class Table:
    cdef CppTable* table
    cdef Block* block          # NULL where the table lies in a segment
    cdef readonly object segment
    cdef readonly object clock
    cdef WallSource wall
    cdef uint64_t line         # of this process in banks of gauges
    cdef uint32_t generation   # of the process that claimed it
    cdef object __weakref__
    cdef int claim(self) except -1
    cdef CppFamily* known(self, str name) except? NULL
    cdef tuple told(self, const CppFamily& family)
    cdef tuple told_of(self, const CppFamily& family, const Reading& one)
    cdef tuple told_example(self, const Example& example)


cdef class Seat:
    cdef Table table
    cdef CppFamily* family
    cdef CppSeries* series


cdef class Bound:
    cdef Table table
    cdef CppFamily* family
    cdef CppSeries* series
    cdef object __weakref__
    cdef int example(self, double value, object exemplar) except -1


cdef class Counter(Bound):
    cdef void* cell
    cdef int more(self, object n) except -1


cdef class Gauge(Bound):
    cdef bint last
    cdef int by(self, double x) except -1


cdef class Histogram(Bound):
    cdef CppHistogram view


cdef class Labelled:
    cdef readonly Table table
    cdef CppFamily* family
    cdef readonly str name
    cdef readonly tuple label_names
    cdef dict known            # by the texts of label values; at most as many as there may be series
    cdef object kind           # the class of its series
    cdef object crowd          # the overflow series
    cdef object __weakref__
    cdef object find(self, tuple values)
    cdef object bound(self, CppSeries* series)
