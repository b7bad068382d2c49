// What Cython cannot say of a type: calls without a tuple of arguments, and awaiting without an exception for the
// result.
#pragma once

#include <Python.h>

#include "frame.hpp"

namespace seawall::binding {

// Makes instances callable by vectorcall, through a pointer at `offset`, also as unbound methods.
inline void enable_vectorcall(PyObject* type, Py_ssize_t offset) {
  auto* t = reinterpret_cast<PyTypeObject*>(type);
  t->tp_vectorcall_offset = offset;
  t->tp_call = PyVectorcall_Call;
  t->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR;
  PyType_Modified(t);
}

inline void enable_send(PyObject* type, sendfunc send, iternextfunc next) {
  auto* t = reinterpret_cast<PyTypeObject*>(type);
  t->tp_as_async->am_send = send;
  t->tp_iternext = next;
  PyType_Modified(t);
}

// StopIteration carrying the owned `value`, as tp_iternext answers; None needs no exception.
inline void stop_with(PyObject* value) {
  if (value == Py_None) {
    Py_DECREF(value);
    return;
  }
  if (PyTuple_Check(value) || PyExceptionInstance_Check(value)) {  // else they would be taken apart
    PyObject* stop = PyObject_CallOneArg(PyExc_StopIteration, value);
    if (stop != nullptr) {
      PyErr_SetObject(PyExc_StopIteration, stop);
      Py_DECREF(stop);
    }
  } else {
    PyErr_SetObject(PyExc_StopIteration, value);
  }
  Py_DECREF(value);
}

// The iterator that awaiting `object` drives, owned; null without an exception when it cannot be awaited.
inline PyObject* awaiting(PyObject* object) {
  if (PyCoro_CheckExact(object)) {
    return Py_NewRef(object);
  }
  const PyAsyncMethods* as_async = Py_TYPE(object)->tp_as_async;
  if (as_async != nullptr && as_async->am_await != nullptr) {
    return as_async->am_await(object);
  }
  return nullptr;
}

// Positional and keyword values of a call in one tuple, for calling again later.
inline PyObject* keep_arguments(PyObject* const* args, std::size_t nargsf, PyObject* names) {
  const Py_ssize_t n = PyVectorcall_NARGS(nargsf) + (names != nullptr ? PyTuple_GET_SIZE(names) : 0);
  PyObject* kept = PyTuple_New(n);
  for (Py_ssize_t i = 0; kept != nullptr && i < n; ++i) {
    PyTuple_SET_ITEM(kept, i, Py_NewRef(args[i]));
  }
  return kept;
}

inline void know_kept(Call& call, PyObject* fn, PyObject* kept, PyObject* names) {
  const Py_ssize_t n = PyTuple_GET_SIZE(kept) - (names != nullptr ? PyTuple_GET_SIZE(names) : 0);
  know(call, fn, &PyTuple_GET_ITEM(kept, 0), n, names);
}

inline PyObject* call_kept(PyObject* fn, PyObject* kept, PyObject* names) {
  auto* const* args = &PyTuple_GET_ITEM(kept, 0);
  const Py_ssize_t n = PyTuple_GET_SIZE(kept) - (names != nullptr ? PyTuple_GET_SIZE(names) : 0);
  return PyObject_Vectorcall(fn, args, static_cast<std::size_t>(n), names);
}

}  // namespace seawall::binding
