"""Connection strings, taken apart; what is secret in them stays out of messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from seawall.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine is.

    Args:
        scheme: Before `://`.
        hosts: (host, port) in order; port None when not given. Several for clusters: `etcd://a:1,b:2`.
        path: After the host, unquoted, without its first slash.
        user: Unquoted; None when not given.
        password: Unquoted; None when not given; not in the repr.
        query: Options.
    """

    scheme: str
    hosts: tuple[tuple[str, int | None], ...]
    path: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    query: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """The address for messages and names."""
        hosts = ",".join(host if port is None else f"{host}:{port}" for host, port in self.hosts)
        return f"{self.scheme}://{hosts}{'/' if self.path else ''}{self.path}"


def parse_url(url: str) -> Address:
    """Take a URL apart.

    Raises:
        ConfigError: It is none; its password is not repeated.
    """
    if not isinstance(url, str) or "://" not in url:
        kind = "text without ://" if isinstance(url, str) else type(url).__name__
        raise ConfigError(f"url must be like sqlite:///state.db or redis://host:6379/0, got {kind}")
    parts = urlsplit(url)
    credentials, _, places = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if len(dict(pairs)) < len(pairs):
        raise ConfigError(f"an option is given twice in the query of {parts.scheme}://{places}; give it once")
    return Address(
        parts.scheme,
        tuple(_host(place, parts.scheme) for place in places.split(",") if place),
        unquote(parts.path).removeprefix("/"),
        unquote(user) if user else None,
        unquote(password) if password else None,
        dict(pairs),
    )


def _host(place: str, scheme: str) -> tuple[str, int | None]:
    host, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        return unquote(place).strip("[]"), None
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(f"the port in {scheme}://{place} must be 1 to 65535")
    return unquote(host).strip("[]"), int(port)
