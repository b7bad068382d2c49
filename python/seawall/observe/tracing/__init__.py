"""Traces: spans recorded for nanoseconds, kept when they failed, were slow or were sampled, and sent on."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall._core.tracing import Batch, Remote, Span, Unrecorded
    from seawall.observe.tracing._bridge import OpenTelemetryTracer, make_tracer
    from seawall.observe.tracing._carry import Carrying, carry
    from seawall.observe.tracing._current import current_span
    from seawall.observe.tracing._exporter import Exporter, ExporterStats
    from seawall.observe.tracing._file import FileExporter
    from seawall.observe.tracing._guards import instrument
    from seawall.observe.tracing._headers import extract, inject
    from seawall.observe.tracing._otlp import OtlpExporter
    from seawall.observe.tracing._store import LogLine, Store, Trace
    from seawall.observe.tracing._tracer import Tracer, TracerStats

__all__ = [
    "Batch",
    "Carrying",
    "Exporter",
    "ExporterStats",
    "FileExporter",
    "LogLine",
    "OpenTelemetryTracer",
    "OtlpExporter",
    "Remote",
    "Span",
    "Store",
    "Trace",
    "Tracer",
    "TracerStats",
    "Unrecorded",
    "carry",
    "current_span",
    "extract",
    "inject",
    "instrument",
    "make_tracer",
]

# Loaded when first named: who puts ids on log lines loads no HTTP client.
_HERE = {
    "_bridge": ("OpenTelemetryTracer", "make_tracer"),
    "_carry": ("Carrying", "carry"),
    "_current": ("current_span",),
    "_exporter": ("Exporter", "ExporterStats"),
    "_file": ("FileExporter",),
    "_guards": ("instrument",),
    "_headers": ("extract", "inject"),
    "_otlp": ("OtlpExporter",),
    "_store": ("LogLine", "Store", "Trace"),
    "_tracer": ("Tracer", "TracerStats"),
}
_HOME = {name: f"{__name__}.{module}" for module, names in _HERE.items() for name in names}
_HOME |= dict.fromkeys(("Batch", "Remote", "Span", "Unrecorded"), "seawall._core.tracing")


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
