"""A collector of traces: a real HTTP server on the loopback that decodes what it is sent with opentelemetry-proto."""

from __future__ import annotations

import gzip
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Collector:
    """Answers with `answers` in turn, then 200; keeps the spans of requests it has answered with 200.

    An answer is a status, a status with headers, or "hang up".
    """

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.spans: list[Any] = []
        self.resources: list[dict[str, Any]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector._answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1/traces"

    def names(self) -> Counter[str]:
        return Counter(span.name for span in self.spans)

    def _answer(self, handler: Any) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        self.requests.append((handler.path, {name.lower(): value for name, value in handler.headers.items()}))
        answer = self.answers.pop(0) if self.answers else 200
        if answer == "hang up":
            handler.close_connection = True
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == 200:
            self._keep(handler.headers, body)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", "0")
        handler.end_headers()

    def _keep(self, headers: Any, body: bytes) -> None:
        for group in decoded(headers, body).resource_spans:
            self.resources.append({item.key: value_of(item.value) for item in group.resource.attributes})
            for scope in group.scope_spans:
                self.spans.extend(scope.spans)

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def decoded(headers: Any, body: bytes) -> Any:
    """An export request, from either encoding."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    if headers.get("content-type") == "application/x-protobuf":
        return ExportTraceServiceRequest.FromString(body)
    return from_json(body)


def from_json(body: bytes) -> Any:
    """OTLP's JSON: as protobuf's, but ids are hexadecimal instead of base64."""
    import base64

    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    def with_base64(node: Any) -> Any:
        if isinstance(node, list):
            return [with_base64(each) for each in node]
        if not isinstance(node, dict):
            return node
        ids = ("traceId", "spanId", "parentSpanId")
        return {
            name: base64.b64encode(bytes.fromhex(value)).decode() if name in ids else with_base64(value)
            for name, value in node.items()
        }

    return ParseDict(with_base64(json.loads(body)), ExportTraceServiceRequest())


def value_of(value: Any) -> Any:
    """A value of an attribute as Python has it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(each) for each in value.array_value.values]
    return getattr(value, kind)
