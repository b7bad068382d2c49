"""What a service was doing when an error happened."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from seawall._errors import SeawallError, carried
from seawall._errors._pickling import behind

_ATTRIBUTE = "seawall_context"
_DEEPEST = 32
_current: ContextVar[ErrorContext | None] = ContextVar("seawall_error_context", default=None)


@dataclass(frozen=True)
class ErrorContext:
    """What was being done.

    Guarantees: pickles; attributes that do not, travel as their repr.

    Args:
        operation: Name of what was being done.
        correlation_id: What ties together all that belongs to one request.
        attributes: Whatever else helps.
    """

    operation: str | None = None
    correlation_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        named = {"operation": self.operation, "correlation_id": self.correlation_id}
        shown = [f"{name}={value}" for name, value in named.items() if value is not None]
        return " ".join(shown + [f"{name}={_short(value)}" for name, value in self.attributes.items()])

    def __reduce__(self) -> tuple[Any, ...]:
        attributes = {name: carried(value) for name, value in self.attributes.items()}
        return ErrorContext, (self.operation, self.correlation_id, attributes)


class error_context:  # noqa: N801 - used like a function
    """Seawall's errors raised inside `with error_context(...)` say what was being done; others with `attach`.

    An inner context adds to the outer one and goes before it. Tasks inherit it.

    Thread safety: one object per `with`.

    Args:
        operation: Name of what is being done.
        correlation_id: What ties together all that belongs to one request.
        attributes: Whatever else helps. Do not put secrets here: notes of errors end up in logs.

    Example:
        >>> from seawall.errors import EngineError
        >>> try:
        ...     with error_context(operation="charge", correlation_id="r-17", tenant=7):
        ...         raise EngineError("the store does not answer")
        ... except EngineError as error:
        ...     print(context_of(error))
        operation=charge correlation_id=r-17 tenant=7
    """

    __slots__ = ("_attributes", "_correlation_id", "_operation", "_token")

    def __init__(self, *, operation: str | None = None, correlation_id: str | None = None, **attributes: Any) -> None:
        self._operation = operation
        self._correlation_id = correlation_id
        self._attributes = attributes
        self._token: Token[ErrorContext | None] | None = None

    def __enter__(self) -> ErrorContext:
        outer = _current.get() or ErrorContext()
        inner = ErrorContext(
            operation=self._operation or outer.operation,
            correlation_id=self._correlation_id or outer.correlation_id,
            attributes={**outer.attributes, **self._attributes},
        )
        self._token = _current.set(inner)
        return inner

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, SeawallError):
            attach(error)
        if self._token is not None:
            _current.reset(self._token)
            self._token = None


def current_context() -> ErrorContext | None:
    """What is being done here, if anybody said so."""
    return _current.get()


def attach(error: BaseException) -> BaseException:
    """Give `error` the context in force here, as attribute and as note; returns it. The first one given stays."""
    context = _current.get()
    if context is None or _own(error) is not None:
        return error
    # A class that refuses attributes still takes the note.
    with contextlib.suppress(AttributeError, TypeError):
        setattr(error, _ATTRIBUTE, context)
    error.add_note(f"context: {context}")
    return error


def context_of(error: BaseException) -> ErrorContext | None:
    """The context an error was given, or the nearest one among the errors behind it."""
    here: BaseException | None = error
    for _ in range(_DEEPEST):
        if here is None:
            break
        if (found := _own(here)) is not None:
            return found
        here, _cause = behind(here)
    return None


def _own(error: BaseException) -> ErrorContext | None:
    found = getattr(error, _ATTRIBUTE, None)
    return found if isinstance(found, ErrorContext) else None


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
