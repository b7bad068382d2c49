// One call on its way through policies, as plain data: on the stack of a synchronous call, inside the awaiter of
// another.
#pragma once

#include <Python.h>

#include <atomic>
#include <cstdint>

namespace seawall::binding {

// What a policy answers on the way in, and on the way out.
enum Step { GO, WAIT, REFUSE, TAKE };
enum Turn { PASS, AGAIN, INSTEAD };
// How a call ended. Cancellation (any BaseException that is no Exception) is nobody's failure.
enum End { RETURNED, RAISED, CANCELLED };
// What a driver has to do next.
enum Action { CALL, BLOCK, SLEEP, OTHER, DONE };

inline constexpr int kMostPolicies = 8;

// What one policy remembers of one call. `enter` sets what `leave` reads.
struct Slot {
  std::int64_t a, b;
  std::uint64_t c;
  std::int64_t delay;  // AGAIN: nanoseconds to sleep first
  PyObject* object;    // owned by whoever set it
  bool held;           // entered, so `leave` is due
};

struct Call {
  // Sets nothing: `begin` sets what is read, and a slot is set by the policy that reads it. Hundreds of bytes need not
  // be cleared.
  Call() noexcept {}

  PyObject* value;  // owned: the result, or the exception; INSTEAD: what to call
  Call* outer;      // the call inside whose callee this one was made, on this thread
  End end;
  bool is_async;
  bool is_stream;  // a generator: between its items the caller runs
  bool yielded;    // and the caller has seen an item
  bool refused;    // `value` came from a policy's refusal on the way in
  int n, i;
  int retries;  // retries around the callee, of outer calls too
  // What was called and with what, borrowed, as vectorcall passes it; null for generators.
  PyObject* fn;
  PyObject* const* args;
  PyObject* names;
  Py_ssize_t nargs;
  Slot slots[kMostPolicies];
};

inline thread_local Call* current_call = nullptr;

// The raised exception, whole, with its traceback; nothing is raised afterwards.
inline PyObject* take_error() {
#if PY_VERSION_HEX >= 0x030C0000
  return PyErr_GetRaisedException();
#else
  PyObject *kind, *value, *trace;
  PyErr_Fetch(&kind, &value, &trace);
  PyErr_NormalizeException(&kind, &value, &trace);
  if (trace != nullptr) {
    PyException_SetTraceback(value, trace);
    Py_DECREF(trace);
  }
  Py_DECREF(kind);
  return value;
#endif
}

// Raises an exception that is owned by the caller.
inline void give_error(PyObject* error) {
#if PY_VERSION_HEX >= 0x030C0000
  PyErr_SetRaisedException(error);
#else
  PyErr_Restore(Py_NewRef(reinterpret_cast<PyObject*>(Py_TYPE(error))), error, PyException_GetTraceback(error));
#endif
}

inline bool is_cancellation(PyObject* error) {
  return !PyType_IsSubtype(Py_TYPE(error), reinterpret_cast<PyTypeObject*>(PyExc_Exception));
}

// Takes the owned result of a call, null when it raised.
inline void settle(Call& call, PyObject* result) {
  Py_XDECREF(call.value);
  call.refused = false;
  if (result != nullptr) {
    call.end = RETURNED;
    call.value = result;
  } else {
    call.value = take_error();
    call.end = is_cancellation(call.value) ? CANCELLED : RAISED;
  }
}

inline void know(Call& call, PyObject* fn, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
  call.fn = fn;
  call.args = args;
  call.nargs = nargs;
  call.names = names;
}

inline void begin(Call& call, int n, bool is_async) {
  call.value = nullptr;
  call.outer = current_call;
  call.end = RETURNED;
  call.is_async = is_async;
  call.is_stream = false;
  call.yielded = false;
  call.refused = false;
  call.n = n;
  call.i = 0;
  call.retries = current_call != nullptr ? current_call->retries : 0;
  call.fn = call.names = nullptr;
  call.args = nullptr;
  call.nargs = 0;
}

}  // namespace seawall::binding
