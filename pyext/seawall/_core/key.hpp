// The stable hash of a Python key: str, bytes or a whole number of 64 bits.
#pragma once

#include <Python.h>

#include "seawall/hashing/stable.hpp"

namespace seawall::pyext {

inline int refuse_key(PyObject* key) noexcept {
  PyErr_Format(PyExc_TypeError, "a key is a str, bytes or a whole number of 64 bits, got %R", key);
  return -1;
}

// A negative number and the unsigned one with the same bits are the same key.
inline int number_hash(PyObject* number, std::uint64_t& out) noexcept {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
  if (overflow == 0) {
    if (value == -1 && PyErr_Occurred() != nullptr) return -1;
    out = hashing::stable_hash(static_cast<std::uint64_t>(value));
    return 0;
  }
  const unsigned long long large = overflow > 0 ? PyLong_AsUnsignedLongLong(number) : 0;
  if (overflow < 0 || (large == static_cast<unsigned long long>(-1) && PyErr_Occurred() != nullptr)) {
    PyErr_Clear();
    PyErr_Format(PyExc_OverflowError,
                 "a number as a key must be -2**63 to 2**64 - 1, got %R; give its bytes or its text", number);
    return -1;
  }
  out = hashing::stable_hash(static_cast<std::uint64_t>(large));
  return 0;
}

// 0, or -1 with an error set.
inline int key_hash(PyObject* key, std::uint64_t& out) noexcept {
  if (PyUnicode_Check(key)) {
    Py_ssize_t size = 0;
    const char* const text = PyUnicode_AsUTF8AndSize(key, &size);
    if (text == nullptr) return -1;
    out = hashing::stable_hash(text, static_cast<std::size_t>(size));
    return 0;
  }
  if (PyBytes_Check(key)) {
    out = hashing::stable_hash(PyBytes_AS_STRING(key), static_cast<std::size_t>(PyBytes_GET_SIZE(key)));
    return 0;
  }
  if (PyBool_Check(key)) return refuse_key(key);
  if (PyLong_Check(key)) return number_hash(key, out);
  if (!PyIndex_Check(key)) return refuse_key(key);
  PyObject* const number = PyNumber_Index(key);  // numpy's numbers
  if (number == nullptr) return -1;
  const int done = number_hash(number, out);
  Py_DECREF(number);
  return done;
}

}  // namespace seawall::pyext
