"""Where a server is, as the client library wants it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seawall.engines._registry import missing_library
from seawall.engines._url import Address
from seawall.engines.redis._options import RedisOptions
from seawall.errors import ConfigError

_TLS = frozenset(("rediss", "valkeys"))


@dataclass(frozen=True, slots=True)
class Place:
    """How to open a connection, for a thread or for a task.

    Args:
        scheme: Of the URL.
        name: For messages, without anything secret.
        settings: Arguments of the library's connection classes.
    """

    scheme: str
    name: str
    settings: dict[str, Any] = field(repr=False)

    def connection(self, timeout: float) -> Any:
        """A connection for threads, not yet open."""
        try:
            from redis import connection as library
        except ImportError as error:
            raise missing_library(self.scheme, "redis", "redis") from error
        return self._kind(library)(**self.settings, socket_timeout=timeout, socket_connect_timeout=timeout)

    def connection_async(self) -> Any:
        """A connection for tasks, not yet open; whoever uses it bounds the time."""
        try:
            from redis.asyncio import connection as library
        except ImportError as error:
            raise missing_library(self.scheme, "redis", "redis") from error
        return self._kind(library)(**self.settings, socket_timeout=None, socket_connect_timeout=None)

    def _kind(self, library: Any) -> Any:
        if self.scheme == "unix":
            return library.UnixDomainSocketConnection
        return library.SSLConnection if self.scheme in _TLS else library.Connection


def place_of(address: Address, options: RedisOptions) -> Place:
    """The place in a URL.

    Raises:
        ConfigError: It names none, several, or a database twice.
    """
    settings: dict[str, Any] = {"username": address.user, "password": address.password, "protocol": 2}
    if address.scheme == "unix":
        path = "/" + address.path.lstrip("/")
        if address.hosts or path == "/":
            raise ConfigError(f"write unix:///path/of/the.sock?db=0, got {address.shown}")
        return Place(address.scheme, f"unix://{path}", {**settings, "path": path, "db": options.db})
    if len(address.hosts) > 1:
        raise ConfigError(f"{address.scheme}:// takes one host, got {address.shown}; clusters are not supported")
    host, port = address.hosts[0] if address.hosts else ("localhost", None)
    if address.scheme in _TLS:
        settings |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
        files = (("ssl_ca_certs", "ca_file"), ("ssl_certfile", "cert_file"), ("ssl_keyfile", "key_file"))
        settings |= {name: getattr(options, ours) for name, ours in files if getattr(options, ours)}
    return Place(
        address.scheme, address.shown, {**settings, "host": host, "port": port or 6379, "db": _db(address, options)}
    )


def _db(address: Address, options: RedisOptions) -> int:
    if not address.path:
        return options.db
    if not (address.path.isascii() and address.path.isdecimal()) or options.db:
        raise ConfigError(f"write the number of the database once, {address.scheme}://host:6379/0, got {address.shown}")
    return int(address.path)
