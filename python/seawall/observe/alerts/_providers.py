"""What evidence is mostly made of: metrics, a profile, traces and lines of the log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from seawall.observe._recording import Recording
from seawall.observe.alerts._alert import Alert
from seawall.observe.alerts._evidence import Provider

if TYPE_CHECKING:
    from seawall.observe.profiler import Profiler
    from seawall.observe.tracing import Store as TraceStore


def metrics_of(recording: Recording, seconds: float = 900.0) -> Provider:
    """A provider of the snapshots of the last `seconds`, as `Recording.load` reads them."""

    def provide(_alert: Alert) -> tuple[str, bytes]:
        window = recording.window(seconds)
        return "metrics.jsonl", _lines(snapshot.to_dict() for snapshot in window.snapshots)

    return provide


def profile_of(profiler: Profiler, seconds: float = 10.0) -> Provider:
    """A provider of a flame graph of the next `seconds`; give the evidence a longer timeout."""

    def provide(alert: Alert) -> tuple[str, bytes]:
        return "profile.html", profiler.capture(seconds).to_html(title=alert.name).encode()

    return provide


def traces_of(store: TraceStore, most: int = 50) -> Provider:
    """A provider of the traces that failed and those that were slowest, with their log lines, a trace a line."""

    def provide(_alert: Alert) -> tuple[str, bytes]:
        chosen = {trace.trace_id for trace in (*store.errors(most // 2), *store.slowest(most))}
        traces = [trace for trace in map(store.trace, sorted(chosen)) if trace is not None][:most]
        return "traces.jsonl", _lines(trace.to_dict() for trace in traces)

    return provide


def logs_of(store: TraceStore) -> Provider:
    """A provider of the lines of the log that are kept, one a line."""

    def provide(_alert: Alert) -> tuple[str, bytes]:
        return "logs.jsonl", _lines(line._asdict() for line in store.logs())

    return provide


def _lines(values: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(value, separators=(",", ":"), default=str) + "\n" for value in values).encode()
