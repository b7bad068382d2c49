from libc.stdint cimport uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector


cdef extern from *:
    """
    struct Changing {
      void (*change)(void*);
      void* argument;
      void operator()() const { change(argument); }
    };
    """
    cppclass Changing:
        void (*change)(void*) noexcept nogil
        void* argument


cdef extern from "seawall/memory/segment.hpp" namespace "seawall::memory" nogil:
    cppclass CppSlot "seawall::memory::Slot":
        void* state
        uint64_t bytes
        bint created

    cppclass Listing:
        string name
        string kind
        uint64_t layout
        uint64_t bytes

    cppclass CppSegment "seawall::memory::Segment":
        CppSegment(string, uint64_t) except +
        CppSlot slot(string, string, uint64_t, uint64_t, const void*, uint64_t) except +
        vector[Listing] list() except +
        void exclusively(Changing) except +
        uint64_t used()
        uint64_t size()
        string path()
        @staticmethod
        bint remove(string) except +


ctypedef void (*Change)(void*) noexcept nogil


cdef struct SlotView:
    void* state        # 128-byte aligned, stays valid as long as the Segment object lives
    uint64_t bytes     # size of the state
    bint created       # this call created the slot


cdef class Segment:
    cdef CppSegment* segment
    

    # Finds or creates the slot `name`. A new slot starts as `image` followed by zeros and becomes visible only when complete.
    # Raises SegmentError for a slot of another kind or layout. Comparing configurations is the caller's business.
    cdef SlotView slot(self, str name, str kind, uint64_t layout, uint64_t bytes,
                       const void* image, uint64_t image_bytes) except *

    # Calls change(argument) while no other process or thread changes this segment.
    cdef int exclusively(self, Change change, void* argument) except -1
