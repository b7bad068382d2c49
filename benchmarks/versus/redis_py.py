"""redis-py: its Lock, and the least that a lock costs: SET NX PX, then a script that compares and deletes."""

from __future__ import annotations

import secrets

import redis

from benchmarks._case import Probe, WrongAnswer
from benchmarks._valkey import server
from benchmarks.versus._kinds import Makers

_COMPARE_AND_DELETE = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
)


def _client(durable: bool) -> redis.Redis:
    return redis.Redis(port=server(durable).port)


def _raw(durable: bool) -> Probe:
    client = _client(durable)
    release = client.register_script(_COMPARE_AND_DELETE)

    def pair() -> object:
        token = secrets.token_hex(8)
        taken = client.set("raw", token, nx=True, px=10_000)
        return taken and release(keys=["raw"], args=[token])

    client.set("raw", "other")
    if pair():
        raise WrongAnswer("a lock that another holds was taken")
    client.delete("raw")
    return Probe("pair()", {"pair": pair}, lambda value: value == 1)


def _lock(durable: bool) -> Probe:
    client = _client(durable)

    def pair() -> bool:
        lock = client.lock("lock", timeout=10)
        taken = lock.acquire(blocking=False)
        lock.release()
        return bool(taken)

    return Probe("pair()", {"pair": pair}, lambda value: value is True)


def lock_in_memory() -> Makers:
    """Acquire and release, where the server keeps nothing."""
    return {"SET NX PX, compare and DEL": lambda: _raw(False), "Lock": lambda: _lock(False)}


def lock_on_disk() -> Makers:
    """Acquire and release, with each write on disk before its answer."""
    return {"SET NX PX, compare and DEL": lambda: _raw(True), "Lock": lambda: _lock(True)}
