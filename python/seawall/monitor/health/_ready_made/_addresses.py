"""What is secret in a URL, and the URL without it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from seawall.errors import ConfigError


def secrets_of(url: str) -> tuple[str, ...]:
    """The password of a URL and the values of its query, as they are written and as they are meant."""
    parts = urlsplit(url)
    userinfo = parts.netloc.rpartition("@")[0]
    password = userinfo.partition(":")[2] or userinfo
    values = [pair.partition("=")[2] for pair in parts.query.split("&")]
    found = [text for text in (userinfo, password, *values) if len(text) >= 4]
    return tuple(dict.fromkeys([*found, *(unquote(text) for text in found)]))


def host_of(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def checked_url(url: object, schemes: tuple[str, ...]) -> str:
    """A URL with a host and one of the schemes.

    Raises:
        ConfigError: It is none; it is not repeated, as it may hold a password.
    """
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        good = parts is not None and parts.scheme in schemes and (bool(parts.hostname) or parts.scheme == "unix")
        if good and parts is not None:
            _ = parts.port
    except ValueError:
        good = False
    if not good:
        raise ConfigError(f"url must be text that begins with {wanted} and has a host, and a port of 1 to 65535 if any")
    return str(url)
