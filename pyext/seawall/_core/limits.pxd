from libc.stdint cimport int64_t, uint64_t
from libcpp cimport bool as cppbool
from seawall._core.policy cimport Call, Policy, Slot, Step
from seawall._core.segment cimport Segment


cdef extern from "seawall/limits/keyed.hpp" namespace "seawall::limits" nogil:
    cppclass Word:
        uint64_t load()

    cppclass Config:
        uint64_t amount
        uint64_t period
        uint64_t limit
        uint64_t since
        uint64_t origin

    cppclass Control:
        uint64_t read(Config&)
        void start(const Config&)

    cppclass Verdict:
        bint admitted
        bint overflow
        int64_t at
        int64_t reset_at
        uint64_t remaining
        uint64_t limit

    cppclass Ticket:
        uint64_t cost
        int64_t at

    cppclass Ask:
        int64_t now
        uint64_t cost
        int64_t horizon
        bint commit

    enum Kind "seawall::limits::Kind":
        pass

    cppclass Single:
        Control control
        Word admitted
        Word refused

    cppclass KeyedStats:
        Word admitted
        Word refused
        Word overflowed
        Word evicted

    cppclass Keyed:
        Control control
        uint64_t k0
        uint64_t k1
        uint64_t buckets
        uint64_t cells
        KeyedStats stats[8]

    const char* name_of(Kind)
    bint derive(Kind, Config&, uint64_t)
    bint admit_now(Kind, Single&, int64_t, uint64_t)
    bint try_acquire(Kind, Single&, int64_t, uint64_t)
    Verdict decide(Kind, Single&, const Ask&, Ticket*)
    bint refund(Kind, Single&, const Ticket&, int64_t)
    bint undo(Kind, Single&, const Ticket&, int64_t)
    void reconfigure(Kind, Single&, const Config&)

    bint keyed_try(Kind, Keyed&, uint64_t, const Ask&)
    Verdict keyed_decide(Kind, Keyed&, uint64_t, const Ask&, Ticket*)
    void keyed_try_many(Kind, Keyed&, const uint64_t*, const uint64_t*, size_t, int64_t, cppbool*)
    bint keyed_refund(Kind, Keyed&, uint64_t, const Ticket&, int64_t)
    bint keyed_undo(Kind, Keyed&, uint64_t, const Ticket&, int64_t)
    uint64_t keyed_live(Kind, Keyed&, int64_t)
    void keyed_reconfigure(Kind, Keyed&, const Config&)


cdef extern from "state.hpp" namespace "seawall::binding" nogil:
    const uint64_t kSlotLayout
    void* allocate_state "seawall::binding::allocate"(size_t)
    uint64_t ring_mask(const Config&)

    cppclass Image:
        Single single
        Keyed keyed

    cppclass Change:
        Kind kind
        Single* single
        Keyed* table
        Config config
        @staticmethod
        void run(void*) noexcept
        void run_alone() except +


cdef class Base(Policy):
    cdef Kind kind
    cdef bint owned            # the state is ours to free; else it lies in `segment`
    cdef readonly Segment segment

    cdef int settings(self, Config* out) except -1
    cdef bint give_back(self, Permit permit, bint newest_only) except -1
    cdef uint64_t cost_of(self, object cost) except 0
    cdef int must_be_open(self, const void* state) except -1
    cdef int64_t horizon(self, double wait)
    cdef object decision(self, Verdict* v, int64_t now, object key, bint commit)
    cdef Permit permit(self, Verdict* v, Permit made, int64_t now, object key, bint)
    cdef object agree(self, object asked, str on_conflict)
    cdef object change(self, Single* single, Keyed* table, uint64_t cells, object amount, object period, object limit)


cdef class Limiter(Base):
    cdef Single* single

    cdef object ask(self, object cost, bint commit)


cdef class Permit:
    cdef Ticket ticket
    cdef Base limiter
    cdef uint64_t hash       # of the key, for a keyed limit
    cdef bint pending

    cdef bint close(self, bint newest_only) except -1


cdef class Draft:
    cdef Image image


cdef int64_t horizon_ns(double wait)
cdef int fill(Kind kind, Config* config, uint64_t cells, object amount, object period, object limit, int64_t since) except -1
cdef void* allocate(uint64_t size) except NULL
