"""A server as a process that tests end, kill and freeze."""

from __future__ import annotations

import signal
import subprocess

from tests.freezing import freeze


class ServerProcess:
    """What every server of one process lets tests do to it."""

    process: subprocess.Popen[bytes] | None = None

    def freeze(self) -> None:
        """Stop it; it answers nobody any more until it is told to go on."""
        assert self.process is not None
        freeze(self.process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)
        self.process = None
