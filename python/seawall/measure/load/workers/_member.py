"""One worker process as its parent sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing import resource_tracker

from seawall.errors import ConfigError, SeawallError
from seawall.measure.load.workers._memory import SharedMemory
from seawall.measure.load.workers._messages import Done, Failed, Ready, ToParent, ToWorker
from seawall.measure.load.workers._worker import STOP_SIGNALS, work

# Fresh processes: threads and event loops do not survive a fork.
_SPAWN = multiprocessing.get_context("spawn")
_NAME = "seawall-load"
_NO_GUARD = os.EX_CONFIG


class Member:
    """A worker process, the pipe to it, and what it has said.

    Args:
        number: Of the worker.
        workers: How many there are.
        memory: What all of them share.
    """

    def __init__(self, number: int, workers: int, memory: SharedMemory) -> None:
        self.number, self.who = number, f"worker process {number + 1} of {workers}"
        self.engines: list[str] | None = None
        self.done: Done | None = None
        self.failed: Failed | None = None
        self.died: float | None = None
        self.pipe, theirs = _SPAWN.Pipe()
        # With its pipe closed here as well, the death of the worker is the end of the pipe.
        with theirs:
            self._process = _SPAWN.Process(
                target=work, args=(theirs, os.getpid(), memory, number), name=f"{_NAME}-{number}"
            )
            with _blocked():
                self._process.start()

    @property
    def working(self) -> bool:
        """Whether there is more to come from it."""
        return self.done is None and self.failed is None and self.died is None

    @property
    def ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.exitcode is not None

    def tell(self, message: ToWorker) -> None:
        """Tell it, if it still listens."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def hear(self, now: float) -> bool:
        """Take in what it has said by now; whether it can say more."""
        try:
            while self.pipe.poll():
                self._take(self.pipe.recv())
        except (EOFError, OSError):
            if self.working:
                self.died = now
            return False
        return True

    def start_error(self) -> SeawallError:
        """Why a process that died before it was ready did so."""
        self._process.join(1.0)
        if self._process.exitcode == _NO_GUARD:
            return ConfigError(
                "workers start this script once more, and it started its load test again; put what it does below "
                '`if __name__ == "__main__":`'
            )
        code = self._process.exitcode
        return SeawallError(f"{self.who} ended with exit code {code} before it was ready; its own words are above")

    def kill(self) -> None:
        """End the process, whatever it does."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def bury(self) -> None:
        """Give back what is left of a process that ended."""
        self._process.join()
        with contextlib.suppress(ValueError):
            self._process.close()

    def _take(self, message: ToParent) -> None:
        match message:
            case Ready(engines):
                self.engines = engines
            case Done():
                self.done = message
            case Failed():
                self.failed = message


def refuse_second_start() -> None:
    """End this process quietly where it is a worker whose script has come to its load test again; the parent tells."""
    process = multiprocessing.current_process()
    if getattr(process, "_inheriting", False) and process.name.startswith(_NAME):
        raise SystemExit(_NO_GUARD)


@contextlib.contextmanager
def _blocked() -> Iterator[None]:
    """Block the signals that stop a run, in this thread and in the processes that it starts meanwhile."""
    # multiprocessing starts its tracker with the first process, and unblocks these signals when it has.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
