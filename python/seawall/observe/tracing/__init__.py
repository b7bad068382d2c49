"""Traces: spans recorded for nanoseconds, kept when they failed, were slow or were sampled, and sent on."""

from seawall._core.tracing import KINDS, Batch, Remote, Span, Unrecorded
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
    "KINDS",
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
