"""What locks are called in an engine, and who holds them."""

from __future__ import annotations

import os
import secrets
import socket
from datetime import timedelta

from seawall.clock import to_ns
from seawall.engines import Engine, KeyValue
from seawall.errors import ConfigError

MOST_NAME_BYTES = 400
LEAST_TTL, MOST_TTL = 0.1, 86_400.0


def root_of(kind: str, name: object) -> str:
    """The prefix below which all keys of a lock are, and nobody else's."""
    if not isinstance(name, str) or not name or not name.isprintable():
        raise ConfigError(f"name must be printable text, got {name!r}")
    # A slash ends the name, so that no lock's keys are below another's.
    root = f"{kind}/{name.replace('%', '%25').replace('/', '%2F')}/"
    if len(root.encode()) > MOST_NAME_BYTES:
        raise ConfigError(
            f"name must be at most {MOST_NAME_BYTES} bytes in UTF-8 (a / counts three), got {len(root.encode())}; "
            "use a hash of it"
        )
    return root


def fresh() -> str:
    """The last part of a key that nobody else uses."""
    return secrets.token_hex(8)


def owner_of(owner: str | None) -> bytes:
    """What others read of a holder."""
    if owner is None:
        return f"{socket.gethostname()}:{os.getpid()}".encode()
    if not isinstance(owner, str) or not 0 < len(owner.encode()) <= 1_000_000:
        raise ConfigError(f"owner must be text of 1 to 1,000,000 bytes in UTF-8, got {owner!r}")
    return owner.encode()


def ttl_of(ttl: float | timedelta) -> float:
    """Seconds in whole microseconds, rounded down: no engine gives less than we count on."""
    seconds = to_ns(ttl, "ttl", least_ns=0) // 1000 / 1e6
    if not LEAST_TTL <= seconds <= MOST_TTL:
        raise ConfigError(f"ttl must be {LEAST_TTL:g} to {MOST_TTL:,.0f} s, got {ttl}; 10 is the default")
    return seconds


def keys_of(store: Engine | KeyValue, namespace: str) -> KeyValue:
    """The port that keeps the lock."""
    if isinstance(store, Engine):
        return store.key_value(namespace)
    if isinstance(store, KeyValue):
        return store
    raise ConfigError(
        f"a lock is kept by an engine, or by its key_value(namespace), got {store!r}; open_engine(url) opens one"
    )
