"""What load tests in several processes call: importable by all of them."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.queues import SimpleQueue

from seawall.errors import ConfigError
from seawall.measure.load import Constant, LoadTest


async def nothing() -> None:
    """Return at once."""


async def forever() -> None:
    """Never return."""
    await asyncio.Event().wait()


async def fail() -> None:
    """Fail at once."""
    raise LookupError("not here")


def plain() -> None:
    """Return at once, in a thread."""


async def append(path: str, row: int) -> None:
    """Write the row at the end of a file that many processes write to."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, b"%d\n" % row)
    finally:
        os.close(file)


async def tell(path: str) -> None:
    """Write the number of this process into a named pipe, which stays open here as long as the process lives."""
    os.write(_opened(path), b"%d\n" % os.getpid())


async def tell_and_stay(path: str) -> None:
    """As `tell`, and never return."""
    await tell(path)
    await forever()


async def die(path: str) -> None:
    """Tell, and end the process as if it had been killed."""
    await tell(path)
    os.kill(os.getpid(), signal.SIGKILL)


def block(path: str) -> None:
    """Tell from a thread, and never return."""
    os.write(_opened(path), b"%d\n" % os.getpid())
    threading.Event().wait()


@contextmanager
def state(path: str) -> Iterator[int]:
    """The number of the process; its leaving is told in a file."""
    yield os.getpid()
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, b"%d\n" % os.getpid())
    os.close(file)


async def with_state(_state: int) -> None:
    """Return at once."""
    assert _state == os.getpid()


def broken_state() -> None:
    """Cannot be made."""
    raise LookupError("no such state")


def run_with_workers(answers: SimpleQueue[str]) -> None:
    """Try a load test with workers, and tell what became of it."""
    try:
        LoadTest(nothing, Constant(1), duration=0.1, workers=2).run()
    except ConfigError as error:
        answers.put(str(error))


_pipes: dict[str, int] = {}


def _opened(path: str) -> int:
    if path not in _pipes:
        _pipes[path] = os.open(path, os.O_WRONLY)
    return _pipes[path]
