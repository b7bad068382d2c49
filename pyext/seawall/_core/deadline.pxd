from libc.stdint cimport int64_t

from seawall._core.clock cimport Clock


cdef class Deadline:
    cdef readonly Clock clock
    cdef readonly int64_t at_ns      # of `clock`
    cdef int64_t given_ns            # made by a policy: the time it gave
    cdef bint borrowed               # and that was what an outer deadline left
    cdef bint pardoned               # it has passed, and that was let through

    cdef int64_t left_ns(self) noexcept


# The deadline in force here, or None.
cdef object in_force()
# Puts one in force; the token for `withdraw`, in the same context.
cdef object put_in_force(deadline)
cdef int withdraw(token) except -1
# One at a time of a clock.
cdef Deadline deadline_at(Clock clock, int64_t at_ns)
