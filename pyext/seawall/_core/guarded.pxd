cimport cython
from cpython.object cimport PyObject

from seawall._core.policy cimport Call


@cython.final
cdef class Route:
    cdef tuple stages


cdef Route route_of(stages)
# The owned result, or NULL with the error raised.
cdef PyObject* finish(PyObject* stages, Call* call) noexcept
