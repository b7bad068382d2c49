from libc.stdint cimport uint32_t, uint64_t

from seawall._core.policy cimport Policy

cdef extern from "seawall/bulkhead/gate.hpp" namespace "seawall::bulkhead" nogil:
    cppclass CWaiter "seawall::bulkhead::Waiter":
        CWaiter* next
        void* owner
        PlaceWord place

    cppclass PlaceWord "std::atomic<seawall::bulkhead::Place>":
        Place load()

    ctypedef enum Place "seawall::bulkhead::Place":
        admitted "seawall::bulkhead::Place::admitted"

    ctypedef enum Entry "seawall::bulkhead::Entry":
        got_in "seawall::bulkhead::Entry::admitted"
        joined "seawall::bulkhead::Entry::joined"
        full "seawall::bulkhead::Entry::full"

    ctypedef enum Exit "seawall::bulkhead::Exit":
        left "seawall::bulkhead::Exit::left"
        waited_for "seawall::bulkhead::Exit::waited_for"
        nobody_in "seawall::bulkhead::Exit::nobody_in"

    cppclass Gate:
        bint try_enter()
        Exit try_leave()
        CWaiter* hand_over()
        Entry join(CWaiter&)
        bint quit(CWaiter&)
        void enter_regardless()
        CWaiter* resize(uint32_t, uint32_t)
        void refuse()
        uint32_t in_flight()
        uint32_t queued()
        uint32_t places()
        uint32_t queue()
        uint64_t admitted()
        uint64_t refused()


cdef class Waiter:
    cdef CWaiter own
    cdef readonly object bell


# Wake those who were admitted; each comes with the reference the line held.
cdef int ring(CWaiter* first) except -1


cdef class Places(Policy):
    cdef Gate gate
