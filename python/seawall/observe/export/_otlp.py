"""Metrics pushed to an OpenTelemetry collector.

Source: the OpenTelemetry protocol 1.5, OTLP/HTTP.
"""

from __future__ import annotations

import gzip
import http.client
import ssl
from collections import deque
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from seawall.clock import Clock, SystemClock
from seawall.errors import ConfigError, retry_after_of
from seawall.guard.retry import Backoff, EqualJitter, Exponential
from seawall.observe.export._otlp_message import Starts, _module, to_otlp
from seawall.observe.export._source import Source, snapshots_of

_PASSING = (429, 502, 503, 504)
_LONGEST_ANSWER = 1 << 16


class OtlpStats(NamedTuple):
    """What became of the snapshots of an `Otlp`.

    Attributes:
        sent: Snapshots that a collector took.
        waiting: That are still to be sent.
        dropped: That were given up, as newer ones needed the room.
        refused: That a collector would never take.
        rejected_points: Of snapshots it took, the points that it did not.
        attempts: Requests that were made.
        last_error: What went wrong last, in words; "" while nothing has.
    """

    sent: int = 0
    waiting: int = 0
    dropped: int = 0
    refused: int = 0
    rejected_points: int = 0
    attempts: int = 0
    last_error: str = ""


class Otlp:
    """Sends snapshots to a collector by OTLP/HTTP; give it to a `Pusher`, whose thread is the one that waits.

    What a collector cannot take now, because it is not reached or busy (429, 502, 503, 504), waits in a bounded buffer
    and is sent in order later: after the backoff, or when the collector says. What it will never take is counted and
    let go.

    Guarantees: at most `buffer` bytes wait, and the latest snapshot; the oldest goes first. Counts are cumulative: what
    was dropped costs resolution, not counts. Headers are shown nowhere.
    Thread safety: one thread at a time pushes; any thread reads `stats()`.

    Args:
        endpoint: Such as "http://localhost:4318"; without a path it is /v1/metrics.
        source: A `Metrics`, a `Snapshot`, or a function that returns one.
        resource: Attributes of who tells it, such as {"service.name": "shop"}.
        headers: For every request, such as an API key.
        timeout: Seconds for each step of a request, 0.1 to 600.
        buffer: Bytes that may wait.
        backoff: How long to wait after failures in a row; half of it by chance.
        tls: For https; by default the machine's authorities are trusted.
        clock: What says when.
        rng: Where chance comes from.

    Raises:
        ConfigError: an option is out of range, or opentelemetry-proto is not installed.
    """

    def __init__(
        self,
        endpoint: str,
        source: Source,
        *,
        resource: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        buffer: int = 8 << 20,
        backoff: Backoff | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
        rng: Random | None = None,
    ) -> None:
        self._url = _parsed(endpoint)
        if not 0.1 <= timeout <= 600:
            raise ConfigError(f"timeout must be 0.1 to 600 seconds, got {timeout!r}; 10 is the default")
        if buffer < 0:
            raise ConfigError(f"buffer must be at least 0 bytes, got {buffer!r}; {8 << 20:,} is the default")
        self._answer = _module("collector.metrics.v1.metrics_service_pb2").ExportMetricsServiceResponse
        self._snapshot = snapshots_of(source)
        self._resource = dict(resource or {"service.name": "unknown_service:python"})
        self._headers = dict(headers or {})
        self._timeout, self._buffer, self._tls = timeout, buffer, tls
        self._backoff = Exponential(1.0, cap=60.0) if backoff is None else backoff
        self._clock = SystemClock() if clock is None else clock
        self._rng = Random() if rng is None else rng
        self._starts = Starts()
        self._waiting: deque[bytes] = deque()
        self._failed = self._wait_ns = self._not_before_ns = 0
        self._stats = OtlpStats()

    def push(self) -> OtlpStats:
        """Take a snapshot, and send all that waits, unless the collector is to be left alone for now."""
        snapshot = self._snapshot()
        message = to_otlp(snapshot, resource=self._resource, starts=self._starts.seen(snapshot))
        self._waiting.append(gzip.compress(message.SerializeToString(), 5, mtime=0))
        while len(self._waiting) > 1 and sum(map(len, self._waiting)) > self._buffer:
            self._waiting.popleft()
            self._count(dropped=1)
        while self._waiting and self._clock.now_ns() >= self._not_before_ns:
            self._try(self._waiting[0])
        return self.stats()

    def stats(self) -> OtlpStats:
        """What became of the snapshots so far."""
        return self._stats._replace(waiting=len(self._waiting))

    def _try(self, body: bytes) -> None:
        self._count(attempts=1)
        try:
            status, answer, headers = self._post(body)
        except (OSError, http.client.HTTPException) as error:
            self._later(f"{type(error).__name__}: {error}", None)
            return
        if status in _PASSING:
            self._later(f"the collector answered {status}", retry_after_of(_Response(headers)))
            return
        self._failed = self._wait_ns = 0
        self._waiting.popleft()
        if 200 <= status < 300:
            self._count(sent=1, rejected_points=self._rejected(answer))
        else:
            self._count(refused=1)
            self._stats = self._stats._replace(last_error=f"the collector answered {status}")

    def _later(self, why: str, asked: float | None) -> None:
        self._failed += 1
        self._wait_ns = self._backoff.wait(self._failed, self._wait_ns, self._rng)
        spread = EqualJitter().spread(self._wait_ns, self._rng)
        self._not_before_ns = self._clock.now_ns() + max(spread, round((asked or 0.0) * 1e9))
        self._stats = self._stats._replace(last_error=why)

    def _rejected(self, answer: bytes) -> int:
        try:
            partial = self._answer.FromString(answer).partial_success
        except Exception:  # noqa: BLE001 - DecodeError of whichever protobuf there is: a taken snapshot is taken
            return 0
        if partial.rejected_data_points:
            self._stats = self._stats._replace(last_error=str(partial.error_message))
        return int(partial.rejected_data_points)

    def _post(self, body: bytes) -> tuple[int, bytes, Mapping[str, str]]:
        connection = self._connection()
        path = self._url.path + (f"?{self._url.query}" if self._url.query else "")
        own = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "User-Agent": "seawall"}
        try:
            connection.request("POST", path, body, {**self._headers, **own})
            response = connection.getresponse()
            return response.status, response.read(_LONGEST_ANSWER), dict(response.headers.items())
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        tls = self._tls or ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=tls)

    def _count(self, **more: int) -> None:
        counted: dict[str, Any] = {name: getattr(self._stats, name) + by for name, by in more.items()}
        self._stats = self._stats._replace(**counted)

    def __repr__(self) -> str:
        return f"<Otlp to {self._url.scheme}://{self._url.hostname}:{self._url.port}, {self.stats()}>"


class _Response(NamedTuple):
    headers: Mapping[str, str]


def _parsed(endpoint: str) -> SplitResult:
    parts = urlsplit(endpoint)
    try:
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or parts.username is not None:
        raise ConfigError("endpoint must be http://host:4318 or https://..., and credentials go into headers")
    return parts if parts.path.strip("/") else parts._replace(path="/v1/metrics")
