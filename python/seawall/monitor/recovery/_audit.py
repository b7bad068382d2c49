"""The audit trail: every event a JSON line in a bounded file that several processes may share."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from seawall.monitor.recovery._events import RecoveryEvent
from seawall.patterns import Options, option

_TRIES = 30
_PAUSE = threading.Event()  # never set


class AuditOptions(Options):
    """The bound of an audit trail."""

    max_bytes: int = option(default=1_048_576, least=4096, most=1 << 40, unit="bytes", help="of one file")
    keep: int = option(default=3, least=1, most=1000, unit="files", help="older ones, named NAME.1 to NAME.keep")


class AuditTrail:
    """Appends events to a file; a full one is put aside, and the oldest of those removed.

    Guarantees: a line is written whole, by one system call, also where all workers of a machine write to one file. A
    line that a crash cut off does not spoil the next one. A process that is frozen while it writes keeps others for a
    third of a second.
    Thread safety: yes, and processes.

    Args:
        path: The file; its folder must exist.
        max_bytes: The file is put aside before it would grow larger.
        keep: How many of those are kept.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_bytes: int = 1_048_576, keep: int = 3) -> None:
        self.options = AuditOptions(max_bytes=max_bytes, keep=keep)
        self.path = Path(path)
        self._lock = threading.Lock()

    def write(self, event: RecoveryEvent) -> None:
        """Append an event.

        Raises:
            OSError: the file cannot be written.
        """
        when = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds")
        facts = {"time": when, "pid": os.getpid(), **event.to_dict()}
        line = json.dumps(facts, separators=(",", ":"), allow_nan=True).encode() + b"\n"
        with self._lock, self._opened() as (file, alone):
            size = file.tell()
            if alone and size and size + len(line) > self.options.max_bytes:
                self._put_aside()
                with self._appending() as fresh:
                    fresh.write(line)
                return
            file.write(line if not size or self._ended(size) else b"\n" + line)

    def read(self) -> list[dict[str, Any]]:
        """All events that are kept, oldest first; lines that a crash cut off are left out."""
        found = []
        for path in [*(self._aside(number) for number in range(self.options.keep, 0, -1)), self.path]:
            with contextlib.suppress(FileNotFoundError):
                for line in path.read_bytes().splitlines():
                    with contextlib.suppress(ValueError):
                        found.append(json.loads(line))
        return found

    @contextlib.contextmanager
    def _opened(self) -> Iterator[tuple[BinaryIO, bool]]:
        """The file, and whether nobody else has it: only then it may be put aside."""
        # The lock belongs to the open file: a file that was put aside meanwhile is not the one to append to.
        for tries in range(_TRIES + 1):
            with self._appending() as file:
                alone = _locked(file) and _same(file, self.path)
                # Lines are appended whole also without the lock: a process that is frozen with it must not stop all.
                if alone or tries == _TRIES:
                    file.seek(0, os.SEEK_END)
                    yield file, alone
                    return
            _PAUSE.wait(0.01)

    def _appending(self) -> BinaryIO:
        handle = os.open(self.path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
        return os.fdopen(handle, "ab", buffering=0)

    def _ended(self, size: int) -> bool:
        with self.path.open("rb") as file:
            file.seek(size - 1)
            return file.read(1) == b"\n"

    def _put_aside(self) -> None:
        for number in range(self.options.keep, 1, -1):
            with contextlib.suppress(FileNotFoundError):
                self._aside(number - 1).replace(self._aside(number))
        self.path.replace(self._aside(1))

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def __repr__(self) -> str:
        return f"AuditTrail({str(self.path)!r}, max_bytes={self.options.max_bytes}, keep={self.options.keep})"


def _locked(file: BinaryIO) -> bool:
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same(file: BinaryIO, path: Path) -> bool:
    there = os.fstat(file.fileno())
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (named.st_dev, named.st_ino)
