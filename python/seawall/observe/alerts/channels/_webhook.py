"""Webhooks: JSON posted to an address, signed, tried again through our own guards."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from seawall.clock import Clock, SystemClock, WallClock
from seawall.errors import ConfigError, SeawallError
from seawall.guard import Pipeline
from seawall.guard.breaker import CircuitBreaker
from seawall.guard.retry import Exponential, Retry
from seawall.guard.timeout import Timeout
from seawall.observe.alerts._checks import seconds_of, whole_of
from seawall.observe.alerts._message import Message
from seawall.observe.alerts._secrets import parts_of, shown
from seawall.observe.alerts.channels._signing import key_of, sign


class WebhookRefused(SeawallError):
    """The receiver answered with another status than 2xx.

    Attributes:
        status: Of HTTP; errors.classify says from it whether to try again.
        retry_after: Seconds the receiver asked to wait; None when it did not.
    """

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"the receiver answered {status}")
        self.status = status
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.retry_after)


class Webhook:
    """Posts Alertmanager's JSON (version 4) to an address.

    Guarantees: signed as Standard Webhooks says when there is a secret; no redirect is followed; the address beyond its
    host, the headers and the secret are never shown.

    Args:
        url: http or https.
        secret: Signs what is posted: `verify` on the other side.
        headers: To add, such as Authorization.
        timeout: Seconds for each attempt.
        attempts: Altogether, with growing waits between them; what is surely refused (4xx) is not tried again.
        guard: A Pipeline or policy of your own in place of Retry > CircuitBreaker > Timeout.
        context: TLS settings; by default the machine's authorities are trusted.
        clock: What measures waits.
        wall: What stamps signatures.

    Raises:
        ConfigError: what cannot be.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        attempts: int = 4,
        guard: Any = None,
        context: ssl.SSLContext | None = None,
        clock: Clock | None = None,
        wall: Any = None,
    ) -> None:
        split = urlsplit(url)
        if split.scheme not in ("http", "https") or not split.hostname:
            raise ConfigError(f"url must be http://host/... or https://host/..., got {shown(url)}")
        if secret is not None:
            key_of(secret)
        self._url, self._secret, self._headers = url, secret, dict(headers or {})
        self._seconds = seconds_of(timeout, "timeout", least=1e-3)
        whole_of(attempts, "attempts", 1, 20, 4)
        self._context = context
        self._wall = wall or WallClock()
        clock = clock or SystemClock()
        self.guard = guard or Pipeline(
            Retry(attempts, backoff=Exponential(0.5, cap=30.0), clock=clock),
            CircuitBreaker(f"webhook {split.hostname}", open_for=30.0, clock=clock),
            Timeout(self._seconds, clock=clock),
            name=f"webhook {split.hostname}",
        )
        self._secrets = (*parts_of(url), *self._headers.values(), secret or "")

    def send(self, message: Message) -> None:
        """Post it, trying again where that may help."""
        body = json.dumps(message.payload, separators=(",", ":")).encode()
        self.guard.call(self._post, body, message.notification.id)

    def _post(self, body: bytes, message_id: str) -> None:
        split = urlsplit(self._url)
        tls = split.scheme == "https"
        kind: Any = http.client.HTTPSConnection if tls else http.client.HTTPConnection
        more = {"context": self._context or ssl.create_default_context()} if tls else {}
        connection = kind(split.hostname, split.port, timeout=self._seconds, **more)
        try:
            target = (split.path or "/") + (f"?{split.query}" if split.query else "")
            connection.request("POST", target, body, self._head(body, message_id))
            answer = connection.getresponse()
            answer.close()  # its body is of no interest, and need not end
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise WebhookRefused(answer.status, _seconds(answer.getheader("Retry-After")))

    def _head(self, body: bytes, message_id: str) -> dict[str, str]:
        at = int(self._wall.now_ns() // 1_000_000_000)
        head = {"Content-Type": "application/json", "User-Agent": "seawall", "webhook-id": message_id}
        if self._secret is not None:
            head |= {"webhook-timestamp": str(at), "webhook-signature": sign(self._secret, message_id, at, body)}
        return {**head, **self._headers}

    def __repr__(self) -> str:
        return f"Webhook({shown(self._url)!r}{', signed' if self._secret else ''})"


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.strip().isdigit() else None
