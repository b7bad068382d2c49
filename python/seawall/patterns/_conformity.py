"""Compares an object's parts with what a protocol declares."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from inspect import Parameter, Signature
from typing import Any, Generic, Protocol

# What the class machinery itself puts into a protocol's namespace.
_MACHINERY = {
    *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__slots__", "__init__", "__new__"),
    *("__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__", "__conditional_annotations__"),
    *("__parameters__", "__orig_bases__", "__type_params__", "__subclasshook__", "__class_getitem__", "__match_args__"),
    *("__abstractmethods__", "__protocol_attrs__", "__non_callable_proto_members__", "__static_attributes__"),
    *("__firstlineno__", "__classdictcell__", "_is_protocol", "_is_runtime_protocol", "_abc_impl"),
}
_ABSENT = object()
_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_LATER = ("Awaitable", "Coroutine", "Future", "Task")


def members(protocol: type) -> dict[str, Any]:
    """The parts a protocol declares, by name, its bases' first; None for a plain attribute."""
    found: dict[str, Any] = {}
    for base in reversed(protocol.__mro__):
        if base in (object, Protocol, Generic) or not getattr(base, "_is_protocol", False):
            continue
        found.update(dict.fromkeys(name for name in inspect.get_annotations(base) if name not in found))
        found.update((name, part) for name, part in vars(base).items() if name not in _MACHINERY)
    return found


def faults(obj: object, name: str, expected: Any) -> Iterator[str]:
    """What is wrong with the part `name` of `obj`; `expected` is the protocol's declaration."""
    actual = inspect.getattr_static(obj, name, _ABSENT)
    if actual is _ABSENT and (actual := getattr(obj, name, _ABSENT)) is _ABSENT:
        yield f"{name} is missing"
        return
    if isinstance(expected, (staticmethod, classmethod)):
        expected = expected.__func__
    if not inspect.isfunction(expected):
        return
    if isinstance(actual, property):
        yield f"{name} must be a method, is a property"
        return
    method = getattr(obj, name)
    if not callable(method):
        yield f"{name} must be a method, is {type(method).__qualname__}"
        return
    yield from _async_faults(name, expected, method)
    yield from _parameter_faults(name, expected, method)


def _async_faults(name: str, expected: Any, method: Any) -> Iterator[str]:
    # A callable object is asynchronous when its type's __call__ is.
    is_async = any(inspect.iscoroutinefunction(part) for part in (method, vars(type(method)).get("__call__")))
    if inspect.iscoroutinefunction(expected):
        if not is_async and not _promises_later(method):
            yield f"{name} must be async"
    elif is_async and not _promises_later(expected):
        yield f"{name} must not be async"


def _promises_later(method: Any) -> bool:
    annotation = getattr(method, "__annotations__", {}).get("return")
    return any(word in str(annotation) for word in _LATER)


def _parameter_faults(name: str, expected: Any, method: Any) -> Iterator[str]:
    actual = _signature(method)
    if actual is None:
        return
    shape = _Shape(name, actual)
    for place, wanted in enumerate(list(inspect.signature(expected).parameters.values())[1:]):
        yield from shape.faults(wanted, place)
    for parameter in actual.parameters.values():
        if parameter.default is Parameter.empty and parameter.name not in shape.reached and _can_be_passed(parameter):
            yield f"{name} must not require {parameter.name!r}"


class _Shape:
    """The parameters a method has, and which of them callers of the protocol reach."""

    def __init__(self, name: str, actual: Signature) -> None:
        self.name = name
        self.parameters = actual.parameters
        self.kinds = {parameter.kind for parameter in actual.parameters.values()}
        self.positions = [parameter for parameter in actual.parameters.values() if parameter.kind in _BY_POSITION]
        self.reached: set[str] = set()

    def faults(self, wanted: Parameter, place: int) -> Iterator[str]:
        """Whether a caller of the protocol can pass `wanted`, its parameter number `place`."""
        if not _can_be_passed(wanted):
            if wanted.kind not in self.kinds:
                yield f"{self.name} must take {'*' if wanted.kind is Parameter.VAR_POSITIONAL else '**'}{wanted.name}"
            return
        named = self.parameters.get(wanted.name)
        by_name = Parameter.VAR_KEYWORD in self.kinds or (
            named is not None and named.kind is not Parameter.POSITIONAL_ONLY and _can_be_passed(named)
        )
        placed = self.positions[place] if place < len(self.positions) else None
        fault = self._fault(wanted, place, placed, by_name)
        if fault:
            yield f"{self.name} must take {wanted.name!r}{fault}"
        taken = placed if wanted.kind in _BY_POSITION else named
        if taken is not None:
            # One message for one mistake: what is misnamed is not also reported as required.
            self.reached.add(taken.name)
            if not fault and wanted.default is not Parameter.empty and taken.default is Parameter.empty:
                yield f"{self.name} must not require {taken.name!r}"

    def _fault(self, wanted: Parameter, place: int, placed: Parameter | None, by_name: bool) -> str | None:
        """What is wrong, as the end of a phrase; None when nothing is."""
        if wanted.kind is Parameter.KEYWORD_ONLY:
            return None if by_name else " by name"
        if placed is None and Parameter.VAR_POSITIONAL not in self.kinds:
            return f" as parameter {place + 1}"
        if wanted.kind is Parameter.POSITIONAL_ONLY:
            return None
        if placed is not None and wanted.name in self.parameters and placed.name != wanted.name:
            return f" as parameter {place + 1}"
        return None if by_name else " by name"


def _can_be_passed(parameter: Parameter) -> bool:
    return parameter.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def _signature(method: Any) -> Signature | None:
    try:
        return inspect.signature(method)
    except (TypeError, ValueError):
        # Functions of C extensions may not tell theirs.
        return None
