from libc.stdint cimport int64_t, uint64_t

from seawall._core.policy cimport Call, Policy, Slot, Step


cdef extern from "seawall/limits/lease.hpp" namespace "seawall::limits" nogil:
    cppclass LeaseWord "seawall::memory::Word":
        uint64_t load()
        uint64_t fetch_add(uint64_t)

    ctypedef enum Taken "seawall::limits::Taken":
        YES "seawall::limits::Taken::yes"
        NO "seawall::limits::Taken::no"
        ASK "seawall::limits::Taken::ask"

    cppclass CppLease "seawall::limits::Lease":
        CppLease()
        LeaseWord admitted
        LeaseWord refused
        Taken take(int64_t, uint64_t)
        uint64_t fill(uint64_t, int64_t)
        uint64_t drain()
        void shut(int64_t)
        uint64_t held(int64_t)
        int64_t until()
        int64_t shut_until()


cdef class Lease(Policy):
    cdef CppLease state
    cdef bint strict  # all refusals stand
