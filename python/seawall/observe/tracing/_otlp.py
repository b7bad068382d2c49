"""Sending traces to a collector: OTLP over HTTP."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from seawall._core.tracing import Batch
from seawall.clock import to_ns
from seawall.errors import ConfigError, retry_after_of
from seawall.observe.tracing._encoding import to_json, to_protobuf
from seawall.observe.tracing._exporter import Exporter, Refused

_FOR_NOW = (429, 502, 503, 504)
_MOST_ANSWER = 1 << 20


class OtlpExporter(Exporter):
    """Sends traces to whatever speaks OTLP over HTTP: the OpenTelemetry collector, Jaeger, Tempo.

    Args:
        endpoint: Full URL, as a rule ending in /v1/traces.
        headers: Sent with each request, such as {"authorization": ...}. They show up in no message.
        encoding: "json" needs nothing; "protobuf" is smaller, and needs `seawall[otel]`.
        compress: Send gzip.
        timeout: Longest wait for a connection and for an answer.
        options: Those of Exporter: retry, clock, interval, max_batch and max_queue.

    Raises:
        ConfigError: The URL cannot be one, or the encoding needs a library that is missing.

    Source: OpenTelemetry protocol, OTLP/HTTP: 429, 502, 503 and 504 are tried again, other refusals are not.
    """

    def __init__(
        self,
        endpoint: str = "http://localhost:4318/v1/traces",
        *,
        headers: Mapping[str, str] | None = None,
        encoding: Literal["json", "protobuf"] = "json",
        compress: bool = False,
        timeout: float | timedelta = 10.0,
        **options: Any,
    ) -> None:
        url = urlsplit(endpoint)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ConfigError(f"endpoint must be a URL like http://localhost:4318/v1/traces, got {endpoint!r}")
        if encoding not in ("json", "protobuf"):
            raise ConfigError(f"encoding must be 'json' or 'protobuf', got {encoding!r}")
        if encoding == "protobuf":
            _need_protobuf()
        self._secure, self._host, self._port = url.scheme == "https", url.hostname, url.port
        self._path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._encoding, self._compress = encoding, compress
        self._timeout = to_ns(timeout, "timeout") / 1e9
        kind = "application/json" if encoding == "json" else "application/x-protobuf"
        self._headers = {**(headers or {}), "content-type": kind, **({"content-encoding": "gzip"} if compress else {})}
        super().__init__(**options)

    def send(self, batches: list[Batch]) -> int:
        """One request; how many spans the collector took."""
        body = to_json(batches) if self._encoding == "json" else to_protobuf(batches)
        if self._compress:
            body = gzip.compress(body, 5)
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        # A connection for each request: once a second costs nothing, and none is found dead.
        connection = kind(self._host, self._port, timeout=self._timeout)
        try:
            connection.request("POST", self._path, body, self._headers)
            response = connection.getresponse()
            answer = response.read(_MOST_ANSWER)
        finally:
            connection.close()
        if 200 <= response.status < 300:
            return sum(map(len, batches)) - self._rejected(answer)
        raise _refusal(response)

    def _rejected(self, answer: bytes) -> int:
        """What a collector that took the request says it has not kept."""
        if not answer:
            return 0
        try:
            if self._encoding == "json":
                return int(json.loads(answer).get("partialSuccess", {}).get("rejectedSpans", 0))
            from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

            return int(ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans)
        except Exception:  # noqa: BLE001 -- it has taken the request, whatever it says about it
            return 0


def _refusal(response: http.client.HTTPResponse) -> Refused:
    after = retry_after_of(response)
    return Refused(f"the collector answered {response.status}", response.status in _FOR_NOW, after)


def _need_protobuf() -> None:
    try:
        import opentelemetry.proto.collector.trace.v1.trace_service_pb2  # noqa: F401
    except ImportError:
        raise ConfigError(
            "encoding='protobuf' needs opentelemetry-proto; pip install 'seawall[otel]', or use encoding='json'"
        ) from None
