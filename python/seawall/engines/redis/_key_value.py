"""Entries in a hash, the order of their keys in a sorted set, their history in a stream."""

from __future__ import annotations

from math import ceil
from typing import Any

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Batch, Change, Deleted, Enlisted, Entry, Feed, KeyValue, Lease, Listing, Put, Swap
from seawall.engines._ports._key_value import enlisted_by_another, lease_lost
from seawall.engines.operation import Op, Send
from seawall.engines.redis._call import Call, load
from seawall.errors import Compacted

_SCRIPT = load("key_value.lua")
_PARTS = ("meta", "entries", "names", "history", "leases", "bound")
_HISTORY = _PARTS.index("history")
_LOST = -1


class RedisKeyValue(KeyValue):
    """The port over one namespace of a server."""

    def __init__(
        self, driver: Driver, namespace: str, guarantees: Guarantees, history: int, history_bytes: int
    ) -> None:
        super().__init__(driver, namespace, guarantees)
        self._keys = tuple(f"seawall:{{{namespace}}}:kv:{part}" for part in _PARTS)
        self._bounds = history, history_bytes

    def _call(self, operation: str, *args: Any, again: bool = False) -> Send:
        return Send(Call((len(self._keys), *self._keys, operation, *self._bounds, *args), _SCRIPT), again=again)

    def _get(self, key: str) -> Op[Entry | None]:
        found = yield self._call("get", key, again=True)
        return None if found is None else _entry(key, found)

    def _put(self, key: str, value: bytes, lease: str | None, expected: int | None) -> Op[Swap]:
        reply = yield self._call("put", key, value, lease or "", _or_empty(expected))
        if reply[0] == _LOST:
            raise lease_lost(str(lease))
        return Swap(reply[0] == 1, reply[1])

    def _delete(self, key: str, expected: int | None) -> Op[Swap]:
        done, revision = yield self._call("delete", key, _or_empty(expected))
        return Swap(done == 1, revision)

    def _list(self, prefix: str, limit: int) -> Op[Listing]:
        reply = yield self._call("list", prefix, limit, again=True)
        parts = zip(reply[1::2], reply[2::2], strict=True)
        return Listing(tuple(_entry(key.decode(), entry) for key, entry in parts), reply[0])

    def _grant(self, ttl: float) -> Op[Lease]:
        lease = yield self._call("grant", ceil(ttl * 1e6))
        return Lease(lease.decode(), ttl)

    def _enlist(self, key: str, value: bytes, ttl: float, behind: str, most: int | None) -> Op[Enlisted]:
        done, ahead, *minted = yield self._call(
            "enlist", key, value, ceil(ttl * 1e6), behind, _or_empty(most), again=True
        )
        if done == _LOST:
            raise enlisted_by_another(key)
        if done == 0:
            return Enlisted(False, 0, None, ahead)
        return Enlisted(True, minted[0], Lease(minted[1].decode(), ttl), ahead)

    def _keep_alive(self, lease: str) -> Op[Lease]:
        # A second sign of life makes no difference.
        ttl_us = yield self._call("keep_alive", lease, again=True)
        if ttl_us == _LOST:
            raise lease_lost(lease)
        return Lease(lease, ttl_us / 1e6)

    def _revoke(self, lease: str) -> Op[bool]:
        return bool((yield self._call("revoke", lease)))

    def _changes(self, feed: Feed, wait: float) -> Op[Batch]:
        batch, tick, next_end_us = yield from self._look(feed)
        if batch.changes:
            return batch
        asleep = wait if next_end_us == _LOST else min(wait, max(0, next_end_us) / 1e6)
        until = max(1, ceil(asleep * 1000))
        command = ("XREAD", "COUNT", 1, "BLOCK", until, "STREAMS", self._keys[_HISTORY], f"{tick}-0")
        yield Send(Call(command, sleeps=True), again=True, extra=asleep)
        # Woken for another prefix, it answers nothing, sooner than it must.
        batch, _, _ = yield from self._look(feed)
        return batch

    def _look(self, feed: Feed) -> Op[tuple[Batch, int, int]]:
        reply = yield self._call("changes", feed.prefix, feed.after, again=True)
        told, one, other, *changes = reply
        if told == _LOST:
            raise Compacted(
                f"changes are kept after revision {other} up to {one}, asked after {feed.after}, which is not one of "
                "them",
                oldest=other,
            )
        return Batch(tuple(map(_change, changes)), told), one, other


def _or_empty(expected: int | None) -> int | str:
    return "" if expected is None else expected


def _entry(key: str, found: bytes) -> Entry:
    revision, length, rest = found.split(b" ", 2)
    lease = rest[: int(length)]
    return Entry(key, rest[len(lease) :], int(revision), lease.decode() or None)


def _change(parts: list[Any]) -> Change:
    revision, key = parts[0], parts[1].decode()
    return Put(key, parts[2], revision) if len(parts) > 2 else Deleted(key, revision)
