"""opentelemetry-sdk: spans of a tracer whose processor only counts them."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from benchmarks._case import Probe
from benchmarks.versus._guards import callee, is_answer
from benchmarks.versus._kinds import Makers


class _Counting(SpanProcessor):
    """Keeps nothing: what a real processor does comes on top."""

    def __init__(self) -> None:
        self.ended = 0

    def on_end(self, span: ReadableSpan) -> None:  # noqa: ARG002 -- the processor's signature
        self.ended += 1


def _span(sampler: Sampler, *, counted: bool) -> Probe:
    processor = _Counting()
    provider = TracerProvider(sampler=sampler)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("bench")

    def spanned() -> object:
        with tracer.start_as_current_span("work"):
            return callee()

    count: Callable[[], int] | None = (lambda: processor.ended) if counted else None
    return Probe("spanned()", {"spanned": spanned, "callee": callee}, is_answer, count, bare="callee()")


def recorded_span() -> Makers:
    """A span that is recorded and handed to a processor."""
    return {"start_as_current_span": lambda: _span(ALWAYS_ON, counted=True)}


def unsampled_span() -> Makers:
    """A span that is not sampled."""
    return {"start_as_current_span": lambda: _span(ALWAYS_OFF, counted=False)}
