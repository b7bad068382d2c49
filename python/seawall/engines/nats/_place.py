"""Where the servers of a URL are."""

from __future__ import annotations

import ssl
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from seawall.engines._registry import missing_library
from seawall.engines._url import Address
from seawall.engines.nats._options import NatsOptions
from seawall.engines.nats._wire import Place
from seawall.errors import ConfigError


def place_of(address: Address, options: NatsOptions) -> Place:
    """The place in a URL.

    Raises:
        ConfigError: It has a path, two ways to authenticate, or names files that cannot be read.
    """
    if address.path:
        raise ConfigError(f"{address.scheme}:// takes hosts only, like nats://host1:4222,host2, got {address.shown}")
    hosts = address.hosts or (("localhost", None),)
    servers = tuple(f"{address.scheme}://{_bracketed(host)}:{port or 4222}" for host, port in hosts)
    settings: dict[str, Any] = {"name": "seawall"} | _identity(address, options)
    if address.scheme == "tls":
        settings["tls"] = _tls(options)
    return Place(servers, address.shown, settings)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _identity(address: Address, options: NatsOptions) -> dict[str, Any]:
    given = {"token": options.token, "user_credentials": options.creds, "nkeys_seed": options.nkey}
    given = {name: value for name, value in given.items() if value}
    if given.keys() - {"token"} and find_spec("nkeys") is None:
        raise missing_library(address.scheme, "nkeys", "nats")
    if address.user is None:
        for name in given.keys() - {"token"}:
            if not Path(given[name]).is_file():
                option = {"user_credentials": "creds", "nkeys_seed": "nkey"}[name]
                raise ConfigError(f"{option} must be a file, got {given[name]!r}, which is none")
        return given
    if given:
        raise ConfigError(f"{address.shown}: give user and password, or one of token, creds and nkey; not both")
    return {"user": address.user, "password": address.password or ""}


def _tls(options: NatsOptions) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca_file or None)
        if options.cert_file:
            context.load_cert_chain(options.cert_file, options.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"ca_file, cert_file or key_file ({options.ca_file or '-'}, {options.cert_file or '-'}, "
            f"{options.key_file or '-'}) cannot be used: {error}; give files in PEM"
        ) from error
    return context
