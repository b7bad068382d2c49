"""Profiles by signal: a service that is slow now can be asked why, without having been prepared for it."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from datetime import UTC, datetime, timedelta
from os import PathLike
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from seawall.clock import WallClock, to_ns
from seawall.errors import ConfigError
from seawall.observe.profiler._files import WRITERS, save
from seawall.observe.profiler._profiler import Profiler

_log = logging.getLogger("seawall")
_LONGEST = 3600.0


class ProfileOnSignal:
    """Profiles this process when it gets a signal: the first begins, the second ends and writes the files.

    `kill -USR2 PID` twice, or once: after `seconds` it ends by itself. Files are called
    `profile-PID-DATE-N` with the ending of their format; all are written whole, then named.

    Guarantees: the handler itself only puts a word into a queue, so it is safe wherever the process is. Of its own
    files it keeps the last `keep` profiles.

    Args:
        folder: Where files are written; made when it is missing.
        seconds: After how long a profile ends without a second signal.
        formats: Endings: .html, .speedscope.json, .pb.gz, .collapsed.
        signum: Which signal.
        keep: How many profiles stay, 1 to 10,000.
        profiler: Who profiles; a `Profiler()` by default.

    Raises:
        ConfigError: An option is out of range; another handler has this signal; or this is not the main thread.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        seconds: float | timedelta = 60.0,
        formats: tuple[str, ...] = (".html", ".pb.gz"),
        signum: int = signal.SIGUSR2,
        keep: int = 20,
        profiler: Profiler | None = None,
    ) -> None:
        self._folder = Path(folder)
        self._seconds = to_ns(seconds, "seconds", most_ns=round(_LONGEST * 1e9)) / 1e9
        self._formats = _checked_formats(formats)
        if isinstance(keep, bool) or not isinstance(keep, int) or not 1 <= keep <= 10_000:
            raise ConfigError(f"keep must be 1 to 10,000 profiles, got {keep!r}; 20 is the default")
        self._keep = keep
        self._signum = signal.Signals(signum)
        self._profiler = Profiler() if profiler is None else profiler
        # SimpleQueue.put may be called from a signal handler, whatever it interrupts.
        self._asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._before: Any = None
        self._written: list[list[Path]] = []
        self._count = 0

    @property
    def files(self) -> list[Path]:
        """What was written and still stays, the oldest first."""
        return [path for paths in list(self._written) for path in paths]

    def install(self) -> None:
        """Take the signal.

        Raises:
            ConfigError: Another handler has it, or this is not the main thread.
        """
        if threading.current_thread() is not threading.main_thread():
            raise ConfigError("signal handlers are set in the main thread; install() there, when the service starts")
        before = signal.getsignal(self._signum)
        if before not in (signal.SIG_DFL, signal.SIG_IGN, self._handle):
            raise ConfigError(f"{self._signum.name} has a handler already: {before!r}; give another signum=")
        if before != self._handle:
            self._before = before
        signal.signal(self._signum, self._handle)
        self._listen()

    def remove(self) -> None:
        """Give the signal back; a profile under way ends and is written."""
        if signal.getsignal(self._signum) == self._handle:
            signal.signal(self._signum, self._before)
        thread, self._thread = self._thread, None
        if thread is not None and self._process == os.getpid():
            self._asked.put("end")
            thread.join()

    def _listen(self) -> None:
        self._process = os.getpid()
        self._asked = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="seawall-profile-on-signal", daemon=True)
        self._thread.start()

    def _handle(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._process != os.getpid():
            self._listen()  # a forked child has the handler, but no thread to act on it
        self._asked.put("signal")

    def _work(self) -> None:
        while self._asked.get() == "signal":
            try:
                if not self._profile():
                    return
            except Exception:  # noqa: BLE001 - the next signal must find somebody who listens
                _log.exception("a profile that was asked for by %s failed", self._signum.name)

    def _profile(self) -> bool:
        _log.info("profiling, asked for by %s; the next ends it, or %g s", self._signum.name, self._seconds)
        self._profiler.start()
        word = ""
        try:
            word = self._asked.get(timeout=self._seconds)
        except queue.Empty:
            pass
        finally:
            profile = self._profiler.stop()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._count += 1
        stamp = datetime.fromtimestamp(WallClock().now_ns() / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")
        name = f"profile-{os.getpid()}-{stamp}-{self._count}"
        paths = [self._folder / (name + ending) for ending in self._formats]
        for path in paths:
            save(profile, path)
        self._written.append(paths)
        _log.warning("profile written: %s", ", ".join(map(str, paths)))
        self._drop_old()
        return word != "end"

    def _drop_old(self) -> None:
        while len(self._written) > self._keep:
            for path in self._written.pop(0):
                path.unlink(missing_ok=True)

    def __enter__(self) -> ProfileOnSignal:
        self.install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def _checked_formats(formats: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [ending for ending in formats if ending not in WRITERS]
    if wrong or not formats:
        raise ConfigError(f"formats must be some of {', '.join(WRITERS)}, got {formats!r}")
    return tuple(formats)
