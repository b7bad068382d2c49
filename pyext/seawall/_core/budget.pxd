from libc.stdint cimport int64_t, uint64_t

from seawall._core.clock cimport Clock, Source
from seawall._core.segment cimport Segment


cdef extern from "seawall/retry/budget.hpp" namespace "seawall::retry" nogil:
    const uint64_t kMostReserve

    cppclass Word "seawall::memory::Word":
        uint64_t load()

    cppclass BudgetConfig:
        uint64_t bucket_ns
        uint64_t ratio
        uint64_t reserve

    cppclass Control "seawall::memory::Published<seawall::retry::BudgetConfig>":
        uint64_t read(BudgetConfig&)
        void start(const BudgetConfig&)

    cppclass CppBudget "seawall::retry::RetryBudget":
        CppBudget() except +
        Control control
        Word refused
        void deposit(int64_t)
        bint withdraw(int64_t)
        uint64_t balance(int64_t)

    bint valid(const BudgetConfig&)


cdef class Budget:
    cdef CppBudget* state
    cdef bint owned              # the state is ours to free; else it lies in `segment`
    cdef Source source           # of `clock`
    cdef readonly Clock clock
    cdef readonly str name
    cdef readonly Segment segment

    # Raises TypeError before __init__.
    cdef CppBudget* kernel(self) except NULL
    cdef bint agree(self, tuple asked, str on_conflict) except -1
