"""The latest kept traces and log lines of this process, to be read together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from seawall._core.tracing import Batch, Ring, Span
from seawall.observe._snapshot import Exemplar, Snapshot
from seawall.patterns import Options, option


class LogLine(NamedTuple):
    """One line of a log, and where it belongs.

    Attributes:
        at: Unix seconds.
        level: Name of the level.
        logger: Name of the logger.
        message: With its arguments filled in.
        trace_id: "" outside any trace, as is `span_id`.
        correlation_id: What ties together all that belongs to one request; "" when there is none.
    """

    at: float
    level: str
    logger: str
    message: str
    trace_id: str = ""
    span_id: str = ""
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """What this process knows of one trace.

    Args:
        trace_id: 32 hexadecimal digits.
        spans: By their beginning.
        reason: Why it was kept: "error", "slow", "sampled", "chosen", or "late" when only what came after that is left.
        overflow: Spans that had no room.
        logs: Lines written in it, by time.
        exemplars: Observations of metrics made in it, with the name of the metric.
    """

    trace_id: str
    spans: tuple[Span, ...]
    reason: str
    overflow: int = 0
    logs: tuple[LogLine, ...] = ()
    exemplars: tuple[tuple[str, Exemplar], ...] = ()

    @property
    def root(self) -> Span | None:
        """The first span of the trace in this process; None when it has not ended or is not kept any more."""
        own = {span.span_id for span in self.spans}
        return next((span for span in self.spans if span.parent_id not in own), None)

    @property
    def seconds(self) -> float:
        """From the first beginning to the last end."""
        if not self.spans:
            return 0.0
        return (max(span.end_ns for span in self.spans) - min(span.start_ns for span in self.spans)) / 1e9

    @property
    def failed(self) -> bool:
        """Whether a span of it did."""
        return any(span.failed for span in self.spans)

    def describe(self) -> str:
        """Its spans as a tree, a line each, with the lines of the log below the span that wrote them."""
        return "\n".join(_lines(self))

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "trace_id": self.trace_id,
            "reason": self.reason,
            "seconds": self.seconds,
            "failed": self.failed,
            "overflow": self.overflow,
            "spans": [span_to_dict(span) for span in self.spans],
            "logs": [line._asdict() for line in self.logs],
            "exemplars": [
                {"metric": name, "labels": dict(each.labels), "value": each.value, "at": each.at}
                for name, each in self.exemplars
            ],
        }


class StoreOptions(Options):
    """What bounds a Store."""

    max_spans: int = option(
        default=10_000, least=10, most=10_000_000, help="spans kept, half of them for errors and slow"
    )
    max_logs: int = option(default=10_000, least=0, most=10_000_000, help="lines of logs kept")


class Store:
    """Keeps the latest traces and log lines, and joins them by trace id.

    Guarantees: half of the room is for traces that failed or were slow, so that fast ones cannot crowd them out; in
    each half the oldest go first.

    Thread safety: yes, without a lock. Cost: about 0.1 us a trace.

    Args:
        max_spans: Spans kept altogether.
        max_logs: Lines kept.

    Example:
        >>> from seawall.observe.tracing import Tracer
        >>> tracer = Tracer("shop")
        >>> try:
        ...     with tracer.span("charge"):
        ...         raise TimeoutError("the bank is silent")
        ... except TimeoutError:
        ...     pass
        >>> tracer.store.errors()[0].root.message
        'TimeoutError: the bank is silent'
    """

    def __init__(self, *, max_spans: int = 10_000, max_logs: int = 10_000) -> None:
        options = StoreOptions(max_spans=max_spans, max_logs=max_logs)
        self._notable = Ring(options.max_spans // 2)
        self._others = Ring(options.max_spans - options.max_spans // 2)
        self._logs: deque[LogLine] = deque(maxlen=options.max_logs)

    def offer(self, batch: Batch, /) -> None:
        """Keep ended spans of a trace. Called by tracers."""
        (self._notable if batch.reason in ("error", "slow") else self._others).add(batch)

    def log(self, line: LogLine) -> None:
        """Keep a line. Called by log handlers."""
        self._logs.append(line)

    def traces(self) -> list[Trace]:
        """All that are kept, the latest to begin first; without logs."""
        batches: dict[str, list[Batch]] = {}
        for batch in [*self._notable.listing(), *self._others.listing()]:
            batches.setdefault(batch.trace_id, []).append(batch)
        made = [_joined(trace_id, parts) for trace_id, parts in batches.items()]
        return sorted(made, key=lambda trace: -trace.spans[0].start_ns)

    def trace(self, trace_id: str, *, snapshot: Snapshot | None = None) -> Trace | None:
        """One trace with its log lines, and with the exemplars that a snapshot of metrics has of it.

        None when nothing is known of it. A trace of which only lines are kept has no spans.
        """
        parts = [b for ring in (self._notable, self._others) for b in ring.listing() if b.trace_id == trace_id]
        logs = tuple(self.logs(trace_id))
        exemplars = tuple(_exemplars(snapshot, trace_id)) if snapshot is not None else ()
        if not (parts or logs or exemplars):
            return None
        found = _joined(trace_id, parts) if parts else Trace(trace_id, (), "")
        return Trace(trace_id, found.spans, found.reason, found.overflow, logs, exemplars)

    def recent(self, n: int = 20) -> list[Trace]:
        """The latest to begin."""
        return self.traces()[:n]

    def slowest(self, n: int = 20) -> list[Trace]:
        """The slowest of those kept, the slowest first."""
        return sorted(self.traces(), key=lambda trace: -trace.seconds)[:n]

    def errors(self, n: int = 20) -> list[Trace]:
        """Those that failed, the latest first."""
        return [trace for trace in self.traces() if trace.failed][:n]

    def logs(self, trace_id: str | None = None, *, correlation_id: str | None = None) -> list[LogLine]:
        """Lines, the oldest first: of a trace, of a request, or all."""
        lines: Iterable[LogLine] = _copied(self._logs)
        if trace_id is not None:
            lines = [line for line in lines if line.trace_id == trace_id]
        if correlation_id is not None:
            lines = [line for line in lines if line.correlation_id == correlation_id]
        return list(lines)

    @property
    def forgotten(self) -> int:
        """Parts of traces that had to make room."""
        return self._notable.forgotten + self._others.forgotten

    def __repr__(self) -> str:
        return f"<Store: {len(self._notable) + len(self._others)} spans, {len(self._logs)} lines>"


def _copied(lines: deque[LogLine]) -> list[LogLine]:
    while True:
        try:
            return list(lines)
        except RuntimeError:  # somebody wrote a line meanwhile
            continue


def _joined(trace_id: str, parts: list[Batch]) -> Trace:
    spans = [span for batch in parts for span in batch.spans]
    depths = _depths(spans)
    spans.sort(key=lambda span: (span.start_ns, depths[span.span_id]))
    reason = next((batch.reason for batch in parts if batch.root is not None), parts[0].reason)
    return Trace(trace_id, tuple(spans), reason, max(batch.overflow for batch in parts))


def _depths(spans: list[Span]) -> dict[str, int]:
    """How many spans each is below: a clock may say of several that they began at once."""
    parents = {span.span_id: span.parent_id for span in spans}
    depths: dict[str, int] = {}
    for span_id in parents:
        above = [span_id]
        while above[-1] not in depths and parents[above[-1]] in parents:
            above.append(parents[above[-1]])
        depth = depths.setdefault(above.pop(), 0)
        for each in reversed(above):
            depth += 1
            depths[each] = depth
    return depths


def _exemplars(snapshot: Snapshot, trace_id: str) -> Iterator[tuple[str, Exemplar]]:
    for family in snapshot.families:
        for sample in family.samples:
            for exemplar in sample.exemplars:
                if ("trace_id", trace_id) in exemplar.labels:
                    yield family.name, exemplar


def span_to_dict(span: Span) -> dict[str, Any]:
    """A span as plain data for JSON."""
    return {
        "name": span.name,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "kind": span.kind,
        "start_ns": span.start_ns,
        "end_ns": span.end_ns,
        "failed": span.failed,
        "message": span.message or "",
        "attributes": span.attributes,
        "events": [{"name": name, "at_ns": at, "attributes": attributes} for name, at, attributes in span.events],
        "links": [{"trace_id": link.trace_id, "span_id": link.span_id} for link in span.links or ()],
    }


def _lines(trace: Trace) -> Iterator[str]:
    own = {span.span_id for span in trace.spans}
    below: dict[str, list[Span]] = {}
    for span in trace.spans:
        below.setdefault(span.parent_id if span.parent_id in own else "", []).append(span)
    waiting = [(span, 0) for span in reversed(below.get("", []))]
    while waiting:  # no recursion: a trace may be deeper than the stack
        span, depth = waiting.pop()
        failure = f" FAILED {span.message or ''}".rstrip() if span.failed else ""
        yield f"{'  ' * depth}{span.name} {span.seconds * 1e3:.3f} ms{failure}"
        for line in trace.logs:
            if line.span_id == span.span_id:
                yield f"{'  ' * depth}  | {line.level} {line.message}"
        waiting += [(child, depth + 1) for child in reversed(below.get(span.span_id, []))]
