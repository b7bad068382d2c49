"""What `redis://` is opened with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from seawall.engines._options import EngineOptions
from seawall.patterns import option


class RedisOptions(EngineOptions):
    """Options of `redis://`, `rediss://`, `valkey://`, `valkeys://` and `unix://`."""

    durability: Literal["process", "os", "disk"] = option(
        default="process",
        help="what the server is set up to keep; checked on every new connection: os needs appendonly yes with "
        "appendfsync no or always, disk needs always",
    )
    history: int = option(default=10_000, least=1, most=10_000_000, help="changes of a namespace kept for watches")
    history_bytes: int = option(
        default=64_000_000, least=1_000, most=100_000_000_000, help="keys and values in that history, at most"
    )
    db: int = option(default=0, least=0, most=1_000_000, help="number of the database; or as the path of the URL")
    ca_file: str = option(default="", help="certificates to trust besides the system's, for rediss://")
    cert_file: str = option(default="", help="certificate of this client, for rediss://")
    key_file: str = option(default="", help="private key of this client, for rediss://")
    lint: bool = option(default=True, help="warn of settings of the server that lose data, when checked")

    def check(self) -> Iterable[str]:
        """What does not go together."""
        if bool(self.cert_file) != bool(self.key_file):
            yield "cert_file and key_file must be given together; give both, or neither"
