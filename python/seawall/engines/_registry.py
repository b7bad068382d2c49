"""Engines by the scheme of their URL."""

from __future__ import annotations

import importlib
from typing import Any

from seawall.clock import Clock, SystemClock
from seawall.engines._engine import Engine
from seawall.engines._guarantees import Require
from seawall.engines._options import options_of
from seawall.engines._url import parse_url
from seawall.errors import ConfigError
from seawall.patterns import Registry

engines: Registry[type[Engine]] = Registry("engines", entry_points="seawall.engines")
"""A factory for each scheme that returns a subclass of Engine; the entry point group has the same name."""

# scheme: (module, class); loaded when first opened, so that an engine's client library is its own matter.
_OWN = {
    "memory": ("seawall.engines.memory", "MemoryEngine"),
    "sqlite": ("seawall.engines.sqlite", "SqliteEngine"),
    **dict.fromkeys(("redis", "rediss", "valkey", "valkeys", "unix"), ("seawall.engines.redis", "RedisEngine")),
    "postgresql": ("seawall.engines.postgres", "PostgresEngine"),
    "postgres": ("seawall.engines.postgres", "PostgresEngine"),
    **dict.fromkeys(("etcd", "etcds"), ("seawall.engines.etcd", "EtcdEngine")),
    **dict.fromkeys(("nats", "tls"), ("seawall.engines.nats", "NatsEngine")),
}
_SYSTEM = SystemClock()


def open_engine(url: str, *, require: Require | None = None, clock: Clock | None = None, **options: Any) -> Engine:
    """The engine behind a URL: `memory://`, `sqlite:///path` (relative), `sqlite:////path` (absolute), and others.

    Guarantees: arguments are checked now, the engine itself when it is first used, or by `with open_engine(...)`.

    Args:
        url: Scheme, place, and options as its query.
        require: What it must be able to promise.
        clock: What timeouts and waits go by, and for `memory://` also leases; by default the machine's.
        options: The same options as keywords.

    Raises:
        ConfigError: The URL or an option is wrong, the engine cannot promise what is required, or its client library is
            not installed (the message names the extra).

    Example:
        >>> with open_engine("memory://") as engine:
        ...     engine.key_value().put("greeting", b"hello")
        1
    """
    address = parse_url(url)
    kind = _kind_of(address.scheme)
    engine = kind(address, options_of(kind.options_kind, address.query, options), clock or _SYSTEM)
    if require is not None:
        require.insist(engine.guarantees, engine.name)
    return engine


def _kind_of(scheme: str) -> type[Engine]:
    if scheme in _OWN:
        module, name = _OWN[scheme]
        kind: type[Engine] = getattr(importlib.import_module(module), name)
        return kind
    if scheme not in engines:
        known = sorted({*_OWN, *engines.names()})
        raise ConfigError(f"no engine for {scheme}://; there are {', '.join(f'{each}://' for each in known)}")
    return engines.create(scheme)


def missing_library(scheme: str, library: str, extra: str) -> ConfigError:
    """The error of an engine whose client library is not installed."""
    return ConfigError(f"{scheme}:// needs the library {library}: pip install 'seawall[{extra}]'")
