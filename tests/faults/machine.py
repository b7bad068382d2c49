"""A machine with a clock that can be stepped and a disk that can be full, for servers that run on it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

_SOURCE = Path(__file__).with_name("machine.c")


class Machine:
    """What a server believes of its machine; give `environment` to the server's process.

    Args:
        disk: Files below this path cannot grow when the disk is full.
    """

    def __init__(self, disk: str = "") -> None:
        # Readable for servers that refuse to run as root.
        self.directory = Path(tempfile.mkdtemp(prefix="sw-machine-", dir="/tmp"))
        self.directory.chmod(0o755)
        self._file = self.directory / "machine"
        self._file.write_bytes(struct.pack("qq", 0, 0))
        self._file.chmod(0o644)
        library = self.directory / "machine.so"
        compiler = shutil.which("cc") or shutil.which("g++")
        assert compiler is not None, "a compiler, which building seawall needs too"
        command = [compiler, "-x", "c", "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        self.environment = os.environ | {
            "LD_PRELOAD": str(library), "MACHINE_FILE": str(self._file), "MACHINE_DISK": disk,
        }  # fmt: skip

    def set_clock(self, ahead: float) -> None:
        """The wall clock shows so many seconds more than it should, from now on."""
        self._write(0, round(ahead * 1e9))

    def fill(self, full: bool = True) -> None:
        """The disk is full, or it is no more."""
        self._write(8, int(full))

    def _write(self, at: int, value: int) -> None:
        with self._file.open("r+b") as file:
            file.seek(at)
            file.write(struct.pack("q", value))

    def remove(self) -> None:
        """Forget it; processes that run go on."""
        shutil.rmtree(self.directory, ignore_errors=True)
