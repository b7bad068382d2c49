"""A tracer with the face of ours whose spans are OpenTelemetry's, and the choice between the two."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, Literal, TypeVar

from seawall._core.tracing import KINDS, Position
from seawall.errors import ConfigError
from seawall.observe.tracing._bridged import BridgedSpan
from seawall.observe.tracing._guards import Instrumented, instrument
from seawall.observe.tracing._traced import traced
from seawall.observe.tracing._tracer import Tracer

M = TypeVar("M", bound=MutableMapping[str, str])


class OpenTelemetryTracer:
    """Begins spans through the opentelemetry API: they are sampled, kept and sent as that is configured.

    Args:
        service: The name of the instrumentation scope. The service's own is the provider's to say.
        provider: A TracerProvider; by default the global one.

    Raises:
        ConfigError: opentelemetry-api is not installed.
    """

    store = None

    def __init__(self, service: str, *, provider: Any = None) -> None:
        trace = _api()
        if trace is None:
            raise ConfigError("opentelemetry is not installed; pip install 'seawall[otel]', or use Tracer")
        self.service = service
        self._trace = trace
        self._tracer = trace.get_tracer(service, tracer_provider=provider)

    def span(
        self,
        name: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        kind: str | None = None,
        parent: Position | BridgedSpan | Literal[False] | None = None,
        links: Iterable[Position | BridgedSpan] | None = None,
    ) -> BridgedSpan:
        """Begin a span; `with` makes it the current one and ends it."""
        if kind is not None and kind not in KINDS:
            raise ConfigError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        context = self._context(parent)
        ties = [self._trace.Link(self._position(link)) for link in links or ()]
        made = self._tracer.start_span(
            name, context=context, kind=self._trace.SpanKind[(kind or "internal").upper()],
            attributes=dict(attributes or {}), links=ties,
        )  # fmt: skip
        return BridgedSpan(made)

    def _context(self, parent: Any) -> Any:
        from opentelemetry.context import Context

        if parent is None:
            return None
        if parent is False:
            return Context()
        if isinstance(parent, BridgedSpan):
            return self._trace.set_span_in_context(parent._span)
        return self._trace.set_span_in_context(self._trace.NonRecordingSpan(self._position(parent)))

    def _position(self, place: Any) -> Any:
        if isinstance(place, BridgedSpan):
            return place._span.get_span_context()
        flags = self._trace.TraceFlags(int(place.traceparent[-2:], 16))
        state = self._trace.TraceState.from_header([place.tracestate])
        return self._trace.SpanContext(int(place.trace_id, 16), int(place.span_id, 16), True, flags, state)

    def traced(
        self, what: Any = None, /, attributes: Mapping[str, Any] | None = None, *, kind: str | None = None
    ) -> Callable[..., Any]:
        """As `Tracer.traced`."""
        if callable(what):
            return traced(self, what, None, None, None)
        return functools.partial(_decorate, self, what, attributes, kind)

    def instrument(self, *guards: Any) -> Instrumented:
        """As the function `instrument`."""
        return instrument(*guards)

    def flush(self, timeout: float = 5.0) -> bool:
        """Ask the provider to send what has ended; whether it did in time."""
        provider = self._trace.get_tracer_provider()
        flush = getattr(provider, "force_flush", None)
        return True if flush is None else bool(flush(int(timeout * 1e3)))

    def close(self, timeout: float = 5.0) -> bool:
        """Flush. The provider is for who made it to shut down."""
        return self.flush(timeout)

    def __repr__(self) -> str:
        return f"<OpenTelemetryTracer {self.service!r}>"


def _decorate(tracer: Any, name: str | None, attributes: Any, kind: str | None, fn: Any) -> Any:
    return traced(tracer, fn, name, attributes, kind)


def make_tracer(service: str, **options: Any) -> Tracer | OpenTelemetryTracer:
    """OpenTelemetry's where it is installed and a provider has been set, else a Tracer of our own.

    Args:
        service: Name of the service.
        options: Those of Tracer; they have no effect where OpenTelemetry is in use.

    Example:
        >>> make_tracer("shop", sample=0.1)
        <Tracer 'shop': 0 spans recorded, 0 traces kept>
    """
    trace = _api()
    if trace is None:
        return Tracer(service, **options)
    provider = trace.get_tracer_provider()
    if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        return Tracer(service, **options)
    return OpenTelemetryTracer(service)


def _api() -> Any:
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace
