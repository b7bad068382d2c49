"""A span of OpenTelemetry with the face of ours."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import Any, Self

from seawall._core.tracing import Position
from seawall.errors import is_cancellation
from seawall.observe.tracing._current import remote_of


class BridgedSpan:
    """Begun by OpenTelemetry; `with` makes it the current one there and ends it."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Any) -> None:
        self._span = span
        self._token: Token[Any] | None = None

    @property
    def position(self) -> Position:
        """Where in the trace it is."""
        return remote_of(self._span.get_span_context())

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return self.position.trace_id

    @property
    def span_id(self) -> str:
        """16 hexadecimal digits."""
        return self.position.span_id

    @property
    def sampled(self) -> bool:
        """Whether the trace is among the share that all services record."""
        return self.position.sampled

    @property
    def traceparent(self) -> str:
        """The header of that name."""
        return self.position.traceparent

    @property
    def tracestate(self) -> str:
        """What vendors have added."""
        return self.position.tracestate

    @property
    def is_recording(self) -> bool:
        """Whether what is set here goes anywhere."""
        return bool(self._span.is_recording())

    @property
    def name(self) -> str:
        """As it was begun or renamed; "" when it is not recorded."""
        return str(getattr(self._span, "name", ""))

    def set(self, key: str, value: Any) -> None:
        """Set an attribute."""
        self._span.set_attribute(key, _plain(value))

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Tell what happened now."""
        self._span.add_event(name, {key: _plain(value) for key, value in (attributes or {}).items()})

    def record(self, error: BaseException) -> None:
        """Tell of an exception, as an event."""
        self._span.record_exception(error)

    def fail(self, message: str = "") -> None:
        """The work has failed."""
        from opentelemetry.trace import Status, StatusCode

        self._span.set_status(Status(StatusCode.ERROR, message))

    def rename(self, name: str) -> None:
        """A better name, once it is known."""
        self._span.update_name(name)

    def end(self) -> None:
        """The work is done."""
        self._span.end()

    def attach(self) -> Token[Any]:
        """Make it OpenTelemetry's current span; what `detach` takes."""
        from opentelemetry import context, trace

        return context.attach(trace.set_span_in_context(self._span))

    def detach(self, token: Token[Any]) -> None:
        """The span that was current before is it again."""
        from opentelemetry import context

        context.detach(token)

    def __enter__(self) -> Self:
        self._token = self.attach()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            self.detach(self._token)
            self._token = None
        if error is not None:
            self._ended_by(error)
        self.end()

    def _ended_by(self, error: BaseException) -> None:
        if is_cancellation(error):
            self.set("seawall.cancelled", True)
            return
        self.record(error)
        self.fail(f"{type(error).__qualname__}: {error}")

    def __repr__(self) -> str:
        return f"<BridgedSpan {self.span_id} of trace {self.trace_id}>"


def _plain(value: Any) -> Any:
    """What OpenTelemetry takes: text, numbers, bools and sequences of them; the text of anything else."""
    if isinstance(value, (str, bool, int, float)):
        return value
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else str(value)
