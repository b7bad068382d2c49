"""What `nats://` is opened with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from seawall.engines._options import EngineOptions
from seawall.patterns import option


class NatsOptions(EngineOptions):
    """Options of `nats://` and `tls://`."""

    durability: Literal["process", "os", "disk"] = option(
        default="os",
        help="where new streams are kept: process in the server's memory, os in files, disk in files of servers that "
        "are set to sync_interval: always",
    )
    replicas: int = option(default=1, least=1, most=5, help="copies of each new stream in a cluster; odd numbers")
    history: int = option(default=10_000, least=1, most=10_000_000, help="changes of a namespace kept for watches")
    monitor: str = option(
        default="", help="address of the server's monitoring, like http://host:8222, to check its settings there"
    )
    token: str = option(default="", help="a token to authenticate with, instead of user and password")
    creds: str = option(default="", help="file with the credentials (JWT and seed) of a user")
    nkey: str = option(default="", help="file with the seed of an nkey")
    ca_file: str = option(default="", help="certificates to trust, for tls://; by default the system's")
    cert_file: str = option(default="", help="certificate of this client, for tls://")
    key_file: str = option(default="", help="private key of this client, for tls://")
    lint: bool = option(default=True, help="warn of settings that lose data, when checked")

    def check(self) -> Iterable[str]:
        """What does not go together."""
        if bool(self.cert_file) != bool(self.key_file):
            yield "cert_file and key_file must be given together; give both, or neither"
        if len([kind for kind in (self.token, self.creds, self.nkey) if kind]) > 1:
            yield "token, creds and nkey are different ways to authenticate; give one of them"
        if self.monitor and not self.monitor.startswith(("http://", "https://")):
            yield f"monitor must be like http://host:8222, got {self.monitor!r}"
