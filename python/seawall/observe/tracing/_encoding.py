"""Spans as OpenTelemetry's protocol has them: JSON without any library, protobuf through opentelemetry-proto."""

from __future__ import annotations

import json
import math
import os
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from seawall._core.tracing import KINDS, Batch, Span

_NUMBER = {kind: n for n, kind in enumerate(KINDS, 1)}
_INT64 = 1 << 63


def resource_of(batch: Batch) -> dict[str, Any]:
    """Who made the spans: what was said of the service, and this process."""
    import seawall

    own = {
        "telemetry.sdk.name": "seawall",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": seawall.__version__,
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
    }
    return {**own, **batch.resource}


def grouped(batches: Iterable[Batch]) -> list[tuple[dict[str, Any], list[Span]]]:
    """The spans of each service."""
    groups: dict[int, tuple[dict[str, Any], list[Span]]] = {}
    for batch in batches:
        groups.setdefault(id(batch.resource), (resource_of(batch), []))[1].extend(batch.spans)
    return list(groups.values())


def to_json(batches: Iterable[Batch]) -> bytes:
    """An export request in OTLP's JSON, on one line.

    Source: OpenTelemetry protocol 1.x, JSON encoding: ids in hexadecimal digits, 64-bit numbers as text.
    """
    told = [
        {
            "resource": {"attributes": _attributes(resource)},
            "scopeSpans": [{"scope": {"name": "seawall"}, "spans": spans}],
        }
        for resource, spans in ((resource, [_span(span) for span in spans]) for resource, spans in grouped(batches))
    ]
    return json.dumps({"resourceSpans": told}, separators=(",", ":"), allow_nan=False).encode()


def _span(span: Span) -> dict[str, Any]:
    told: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "traceState": span.tracestate,
        "flags": int(span.traceparent[-2:], 16),
        "name": text_of(span.name),
        "kind": _NUMBER[span.kind],
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _attributes(span.attributes),
        "droppedAttributesCount": span.dropped,
        "events": [
            {"name": text_of(name), "timeUnixNano": str(at), "attributes": _attributes(attributes)}
            for name, at, attributes in span.events
        ],
        "links": [{"traceId": link.trace_id, "spanId": link.span_id} for link in span.links or ()],
    }
    if span.failed:
        told["status"] = {"code": 2, "message": text_of(span.message or "")}
    return {name: value for name, value in told.items() if value not in ("", [], 0)}


def _attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": text_of(key), "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _WORDS.get(value, "NaN")}
    if isinstance(value, (list, tuple)):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": text_of(str(value))}


_WORDS = {math.inf: "Infinity", -math.inf: "-Infinity"}


def text_of(text: str) -> str:
    """Text that UTF-8 can hold: half a surrogate pair cannot be sent."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def to_protobuf(batches: Iterable[Batch]) -> bytes:
    """An export request in protobuf."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    for resource, spans in grouped(batches):
        group = request.resource_spans.add()
        _fill(group.resource.attributes, resource)
        scope = group.scope_spans.add()
        scope.scope.name = "seawall"
        for span in spans:
            _fill_span(scope.spans.add(), span)
    return bytes(request.SerializeToString())


def _fill_span(told: Any, span: Span) -> None:
    told.trace_id, told.span_id = bytes.fromhex(span.trace_id), bytes.fromhex(span.span_id)
    told.parent_span_id, told.trace_state = bytes.fromhex(span.parent_id), span.tracestate
    told.flags, told.name, told.kind = int(span.traceparent[-2:], 16), text_of(span.name), _NUMBER[span.kind]
    told.start_time_unix_nano, told.end_time_unix_nano = span.start_ns, span.end_ns
    told.dropped_attributes_count = span.dropped
    _fill(told.attributes, span.attributes)
    for name, at, attributes in span.events:
        event = told.events.add(name=text_of(name), time_unix_nano=at)
        _fill(event.attributes, attributes)
    for link in span.links or ():
        told.links.add(trace_id=bytes.fromhex(link.trace_id), span_id=bytes.fromhex(link.span_id))
    if span.failed:
        told.status.code, told.status.message = 2, text_of(span.message or "")


def _fill(told: Any, attributes: Mapping[str, Any]) -> None:
    for key, value in attributes.items():
        _fill_value(told.add(key=text_of(key)).value, value)


def _fill_value(told: Any, value: Any) -> None:
    if isinstance(value, bool):
        told.bool_value = value
    elif isinstance(value, int) and -_INT64 <= value < _INT64:
        told.int_value = value
    elif isinstance(value, float):
        told.double_value = value
    elif isinstance(value, (list, tuple)):
        told.array_value.SetInParent()
        for each in value:
            _fill_value(told.array_value.values.add(), each)
    else:
        told.string_value = text_of(str(value))
