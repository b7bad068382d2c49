"""Signatures of webhooks, so that the receiver knows who sent them and when."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from seawall.clock import WallClock
from seawall.errors import ConfigError, SeawallError

_PREFIX = "whsec_"
_LEAST_BYTES = 16


class SignatureRefused(SeawallError):
    """A webhook is not from who knows the secret, or not from now."""


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header `webhook-signature`.

    Args:
        secret: "whsec_" and base64, or any text of 16 bytes or more.
        message_id: The header `webhook-id`.
        timestamp: The header `webhook-timestamp`, in unix seconds.
        body: As it is sent.

    Source: Standard Webhooks 1.0, whose libraries verify it in many languages.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None, tolerance: float = 300.0
) -> None:
    """Return only if the webhook is from who knows the secret, and not older or younger than `tolerance`.

    `webhook-id` is the same when a notification is sent again: remember those of the last minutes to act on each once.

    Args:
        secret: The sender's.
        headers: Of the request, in whatever case.
        body: Its bytes, not parsed and written again.
        now: Unix seconds; by default the machine's.
        tolerance: Seconds.

    Raises:
        SignatureRefused: it is not; the message says why and holds no secret.
    """
    found = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, stamp, signatures = (found[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        at = int(stamp)
    except (KeyError, ValueError) as error:
        raise SignatureRefused("the headers webhook-id, webhook-timestamp and webhook-signature are needed") from error
    now = WallClock().now_ns() / 1e9 if now is None else now
    if abs(now - at) > tolerance:
        raise SignatureRefused(f"the webhook was signed {now - at:.0f} s ago, which is beyond {tolerance:g} s")
    expected = sign(secret, message_id, at, body).encode()
    if not any(hmac.compare_digest(expected, each.encode("utf-8", "replace")) for each in signatures.split()):
        raise SignatureRefused("the signature is of another secret, or the body was changed")


def key_of(secret: str) -> bytes:
    """The bytes of a secret.

    Raises:
        ConfigError: it is too short; the message does not show it.
    """
    if not isinstance(secret, str):
        raise ConfigError(f"secret must be a text, got {type(secret).__name__}")
    try:
        key = base64.b64decode(secret[len(_PREFIX) :], validate=True) if secret.startswith(_PREFIX) else secret.encode()
    except (binascii.Error, ValueError) as error:
        raise ConfigError("secret must be base64 after 'whsec_'; leave that out for any other text") from error
    if len(key) < _LEAST_BYTES:
        raise ConfigError(
            f"secret must be {_LEAST_BYTES} bytes or more, got {len(key)}; secrets.token_urlsafe(32) makes one"
        )
    return key
