"""What `etcd://` is opened with."""

from __future__ import annotations

from collections.abc import Iterable

from seawall.engines._options import EngineOptions
from seawall.patterns import option


class EtcdOptions(EngineOptions):
    """Options of `etcd://` and `etcds://`."""

    ca_file: str = option(default="", help="certificates to trust, for etcds://; by default the system's")
    cert_file: str = option(default="", help="certificate of this client, for etcds://")
    key_file: str = option(default="", help="private key of this client, for etcds://")
    lint: bool = option(default=True, help="warn of settings of the server that lose data, when checked")

    def check(self) -> Iterable[str]:
        """What does not go together."""
        if bool(self.cert_file) != bool(self.key_file):
            yield "cert_file and key_file must be given together; give both, or neither"
