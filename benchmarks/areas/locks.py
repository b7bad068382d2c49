"""To acquire a free lock and to release it: on a Valkey server over the loopback, on SQLite, in memory."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Callable

from benchmarks._case import OURS, Case, Missing, Probe, Target, WrongAnswer
from benchmarks._valkey import server
from benchmarks.versus import rivals
from seawall.distributed.locks import EfficiencyLock, FencedLock, MultiLock, ReadWriteLock, Semaphore
from seawall.engines import Engine, open_engine

IN_MEMORY = "acquire and release, a server that keeps nothing"
ON_DISK = "acquire and release, a server that has each write on disk"
HERE = "acquire and release, without a server"
RAW = "redis SET NX PX, compare and DEL"
# A batch is to hold several pairs also where each waits for the disk.
ROUNDS = 20


def _valkey(durable: bool) -> Engine:
    return open_engine(server(durable).tcp, lint=False)


def _sqlite(durability: str) -> Engine:
    directory = tempfile.TemporaryDirectory(prefix="seawall-bench-")
    atexit.register(directory.cleanup)
    return open_engine(f"sqlite:///{directory.name}/locks.db", durability=durability)


def _fenced(open_one: Callable[[], Engine]) -> Callable[[], Probe]:
    def make() -> Probe:
        engine = open_one()
        lock, other = FencedLock(engine, "bench"), FencedLock(engine, "bench")
        with lock as first:
            if other.try_acquire() is not None:
                raise WrongAnswer("a lock that another holds was taken")
        with lock as second:
            if second.token <= first.token:
                raise WrongAnswer("the tokens do not grow")
        return Probe("lock.acquire().release()", {"lock": lock}, lambda value: value is True)

    return make


def _other(make: Callable[[Engine], object], open_one: Callable[[], Engine]) -> Callable[[], Probe]:
    return lambda: Probe("lock.acquire().release()", {"lock": make(open_one())}, lambda value: value is True)


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    quick, durable = (lambda: _valkey(False)), (lambda: _valkey(True))
    others: dict[str, Callable[[Engine], object]] = {
        "EfficiencyLock": lambda engine: EfficiencyLock(engine, "e"),
        "ReadWriteLock.reader": lambda engine: ReadWriteLock(engine, "r").reader,
        "Semaphore": lambda engine: Semaphore(engine, "s", 4),
        "MultiLock of 3": lambda engine: MultiLock(engine, ["a", "b", "c"]),
    }
    return [
        *rivals({"lock_in_memory": IN_MEMORY, "lock_on_disk": ON_DISK}, longer=ROUNDS),
        Case(IN_MEMORY, OURS, "FencedLock", _fenced(quick), Target(1.2), of=f"{IN_MEMORY}: {RAW}", longer=ROUNDS),
        *(Case(IN_MEMORY, OURS, call, _other(make, quick), longer=ROUNDS) for call, make in others.items()),
        Case(ON_DISK, OURS, "FencedLock", _fenced(durable), Target(1.2), of=f"{ON_DISK}: {RAW}", longer=ROUNDS),
        Case(HERE, OURS, "FencedLock, memory", _fenced(lambda: open_engine("memory://")), longer=ROUNDS),
        Case(HERE, OURS, "FencedLock, SQLite", _fenced(lambda: _sqlite("disk")), longer=ROUNDS),
        Case(HERE, OURS, "FencedLock, SQLite of durability os", _fenced(lambda: _sqlite("os")), longer=ROUNDS),
    ]
