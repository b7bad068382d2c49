"""Where the members of a cluster are, and how to reach them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from seawall.engines._url import Address
from seawall.engines.etcd._options import EtcdOptions
from seawall.errors import ConfigError

_PORT = 2379


@dataclass(frozen=True, slots=True)
class Place:
    """The members that the URL names, and who we are to them.

    Args:
        name: For messages, without anything secret.
        members: (host, port) in order.
        tls: What checks the certificate of the server and the name in it; None for plain TCP.
        user: None for nobody.
        password: Of that user.
    """

    name: str
    members: tuple[tuple[str, int], ...]
    tls: ssl.SSLContext | None
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def authority(self, member: int) -> str:
        """Host and port of a member, as it is called."""
        host, port = self.members[member]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def place_of(address: Address, options: EtcdOptions) -> Place:
    """The place in a URL.

    Raises:
        ConfigError: It has a path, half of a user and a password, or files that cannot be used.
    """
    if address.path:
        raise ConfigError(f"{address.scheme}:// has no path, got {address.shown}; write etcd://host1:2379,host2:2379")
    if (address.user is None) != (address.password is None):
        raise ConfigError(f"give user and password, or neither: {address.scheme}://user:password@host:2379")
    members = tuple((host, port or _PORT) for host, port in address.hosts) or (("localhost", _PORT),)
    secure = address.scheme == "etcds"
    if not secure and (options.ca_file or options.cert_file):
        raise ConfigError(f"ca_file, cert_file and key_file are for etcds://, got {address.shown}")
    tls = _tls(address.shown, options) if secure else None
    return Place(address.shown, members, tls, address.user, address.password)


def _tls(name: str, options: EtcdOptions) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca_file or None)
        if options.cert_file:
            context.load_cert_chain(options.cert_file, options.key_file)
    except OSError as error:
        files = ", ".join(filter(None, (options.ca_file, options.cert_file, options.key_file)))
        raise ConfigError(f"cannot use the certificates for {name} in {files}: {error}") from error
    context.set_alpn_protocols(["h2"])
    return context
