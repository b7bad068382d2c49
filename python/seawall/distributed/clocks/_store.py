"""What a hybrid clock remembers over restarts: a stamp it has not reached."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from seawall._core.logical import LAST_STAMP
from seawall.errors import EngineError

_FORM = re.compile(rb"seawall hybrid clock 1\n([0-9a-f]{16})\n")


class StampFile:
    """A file that holds a stamp above all that were given. It only rises.

    Guarantees: replaced as a whole and synced before `cover` returns; a crash leaves the old one or the new. Any number
    of threads and processes may use one file at a time.

    Args:
        path: The file; beside it lie `<path>.lock` and, for a moment, `<path>.new`.
        ahead: How many units of 2**-16 s are covered with one write.
    """

    def __init__(self, path: str, ahead: int) -> None:
        self.path = os.path.abspath(path)
        self._ahead = ahead

    def read(self) -> int:
        """The stamp it holds; 0 where there is no file.

        Raises:
            EngineError: It cannot be read, or holds something else.
        """
        try:
            with open(self.path, "rb") as file:
                data = file.read(1024)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise EngineError(f"clock store {self.path} cannot be read: {error.strerror}") from error
        found = _FORM.fullmatch(data)
        if found is None:
            raise EngineError(
                f"clock store {self.path} holds no hybrid clock but {data[:40]!r}; restore it, or write the last stamp "
                "you know of into it by hand: without it old stamps would be given again"
            )
        return min(int(found[1], 16), LAST_STAMP)

    def cover(self, stamp: int) -> int:
        """Make the file hold `stamp` or more, and say what it holds.

        Raises:
            EngineError: It cannot be written; nothing above the old stamp may be given.
        """
        try:
            with self._locked():
                held = self.read()
                if held < stamp:
                    held = min((((stamp >> 16) + self._ahead) << 16) | 0xFFFF, LAST_STAMP)
                    self._replace(held)
        except OSError as error:
            raise EngineError(f"clock store {self.path} cannot be written: {error.strerror}") from error
        return held

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # A new open file each time: such locks exclude threads as well as processes, and end with their holder.
        lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # not by close alone: a child forked just now has a copy
            os.close(lock)

    def _replace(self, stamp: int) -> None:
        new = f"{self.path}.new"
        with open(new, "wb") as file:
            file.write(b"seawall hybrid clock 1\n%016x\n" % stamp)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.path)
        directory = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
