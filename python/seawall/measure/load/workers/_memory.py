"""The memory that the processes of a run share: what they are told, and where they count."""

from __future__ import annotations

import mmap
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import reduction
from typing import Any

from seawall.measure.load._record import Record
from seawall.measure.load._settings import Settings


class SharedMemory:
    """A file without a name that holds the counts of each scenario, each from a page on, and then the settings.

    It goes to a worker with the arguments of its process, and only so: the worker inherits the open file.
    """

    def __init__(self, file: int, size: int, settings_at: int) -> None:
        self._file, self._size, self._settings_at = file, size, settings_at
        self._map = mmap.mmap(file, size)

    @classmethod
    def of(cls, settings: Settings, packed: bytes) -> SharedMemory:
        """Memory for the counts of a run with these settings, and for the settings as `packed`."""
        settings_at = len(settings.scenarios) * _bytes_each(settings)
        file = _nameless_file()
        try:
            os.ftruncate(file, settings_at + len(packed))
            made = cls(file, settings_at + len(packed), settings_at)
        except BaseException:
            os.close(file)
            raise
        made._map[settings_at:] = packed
        return made

    def settings(self) -> Settings:
        """What the run is told.

        Raises:
            Exception: Whatever the import of something in them raises.
        """
        told: Settings = pickle.loads(self._map[self._settings_at :])
        return told

    def records(self, settings: Settings) -> list[Record]:
        """Where each scenario is counted."""
        each, whole = _bytes_each(settings), memoryview(self._map)
        return [Record(settings.course, whole[i * each : (i + 1) * each]) for i in range(len(settings.scenarios))]

    def close_file(self) -> None:
        """Close the file; what is mapped stays until nobody counts there."""
        os.close(self._file)

    def __reduce__(self) -> tuple[Callable[..., SharedMemory], tuple[Any, ...]]:
        return _inherited, (reduction.DupFd(self._file), self._size, self._settings_at)


def _inherited(file: Any, size: int, settings_at: int) -> SharedMemory:
    return SharedMemory(file.detach(), size, settings_at)


def _bytes_each(settings: Settings) -> int:
    pages = -(-Record.bytes_for(settings.course) // mmap.PAGESIZE)
    return pages * mmap.PAGESIZE


if sys.platform == "linux":

    def _nameless_file() -> int:
        return os.memfd_create("seawall-load")
else:

    def _nameless_file() -> int:
        with tempfile.TemporaryFile(prefix="seawall-load") as file:
            return os.dup(file.fileno())
