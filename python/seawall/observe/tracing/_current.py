"""The span that is current here: ours, or OpenTelemetry's where that is in use."""

from __future__ import annotations

import sys
from typing import Any

from seawall._core.tracing import SPAN, Position, Remote


def current_span() -> Any:
    """The current span, to set attributes on: a Span, an Unrecorded, one of OpenTelemetry with the same face, or None.

    Example:
        >>> current_span() is None
        True
    """
    return SPAN.get() or _of_opentelemetry()


def current_position() -> Position | None:
    """Where the trace is now: what is to be sent with requests."""
    span = SPAN.get()
    if span is not None:
        return span
    other = _of_opentelemetry()
    return None if other is None else other.position


def current_ids() -> tuple[str, str] | None:
    """(trace id, span id), both in hexadecimal digits, or None."""
    span: Position | None = SPAN.get() or current_position()
    return None if span is None else (span.trace_id, span.span_id)


def recording_span() -> Any:
    """The current span where what is set on it goes anywhere."""
    span = current_span()
    return span if span is not None and span.is_recording else None


def _of_opentelemetry() -> Any:
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:  # nobody has imported it, so nobody has begun a span with it
        return None
    span = trace.get_current_span()
    if not span.get_span_context().is_valid:
        return None
    from seawall.observe.tracing._bridged import BridgedSpan

    return BridgedSpan(span)


def remote_of(context: Any) -> Remote:
    """A span context of OpenTelemetry as a position."""
    return Remote(context.trace_id, context.span_id, int(context.trace_flags), context.trace_state.to_header())
