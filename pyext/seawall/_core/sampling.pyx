"""What a sampling profiler needs of the interpreter: a waker, and stacks as keys. See seawall.observe.profiler."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.ref cimport Py_XDECREF, PyObject
from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libcpp cimport bool
from libcpp.vector cimport vector


cdef extern from "Python.h":
    ctypedef struct PyFrameObject
    ctypedef struct PyCodeObject
    bint PyFrame_Check(object)
    PyFrameObject* PyFrame_GetBack(PyFrameObject*)
    PyCodeObject* PyFrame_GetCode(PyFrameObject*)
    int PyFrame_GetLasti(PyFrameObject*)


cdef extern from "tick.hpp" namespace "seawall::binding":
    cdef cppclass CppTick "seawall::binding::Tick":
        bool wait(int64_t) except + nogil
        void done() except +
        void ring() except +


cdef class Tick:
    """Wakes a thread that looks at others, so that it finds them where they were when its time came.

    Thread safety: one thread waits, any ring.
    """

    cdef CppTick tick

    def wait(self, ns: int) -> bool:
        """Sleep for so many nanoseconds without the GIL and get it at once: True; False when it was rung."""
        cdef int64_t left = ns
        cdef bool due
        with nogil:
            due = self.tick.wait(left)
        return due

    def done(self) -> None:
        """Let whoever gave way go on, after the last wait."""
        self.tick.done()

    def ring(self) -> None:
        """Wake the sleeper, now or when it next sleeps."""
        self.tick.ring()


def trace(frame: object, most: int) -> bytes:
    """A stack as a key: of at most `most` frames, innermost first, the address of the code and the instruction.

    Two stacks have the same key when they are at the same instructions of the same code objects, and when both have
    further frames or both have not. Cost: about 15 ns a frame.
    """
    if not PyFrame_Check(frame):
        raise TypeError(f"frame must be a frame, got {type(frame).__name__}")
    cdef Py_ssize_t left = most
    cdef vector[uint64_t] key
    key.reserve(128)
    cdef PyFrameObject* at = <PyFrameObject*>frame
    cdef PyFrameObject* back
    cdef PyCodeObject* code
    cdef bint owned = False
    while at != NULL and left > 0:
        code = PyFrame_GetCode(at)
        key.push_back(<uint64_t><uintptr_t>code)
        # The frame holds it for as long as the frame is held.
        Py_XDECREF(<PyObject*>code)
        key.push_back(<uint64_t><int64_t>PyFrame_GetLasti(at))
        back = PyFrame_GetBack(at)
        if owned:
            Py_XDECREF(<PyObject*>at)
        at, owned = back, True
        left -= 1
    cdef uint64_t cut = at != NULL
    key.push_back(cut)
    if owned:
        Py_XDECREF(<PyObject*>at)
    return PyBytes_FromStringAndSize(<char*>key.data(), key.size() * sizeof(uint64_t))
