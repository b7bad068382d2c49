"""Keys and values as etcd has them, below a prefix."""

from __future__ import annotations

from typing import Any

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Batch, Entry, Feed, KeyValue, Lease, Listing, Swap
from seawall.engines._ports._key_value import lease_lost
from seawall.engines.etcd import _leases as leases
from seawall.engines.etcd._keys import (
    at,
    base_of,
    change,
    drop,
    end_of,
    find,
    first_of,
    only,
    read,
    remove,
    revision_of,
    write,
)
from seawall.engines.etcd._tasks import unfollow
from seawall.engines.etcd._watching import STRIDE, Follow
from seawall.engines.operation import Op, Send
from seawall.errors import Compacted, LeaseLost, Unavailable

_PAGE = 1_000


class EtcdKeyValue(KeyValue):
    """The port over one namespace of a cluster."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees) -> None:
        super().__init__(driver, namespace, guarantees)
        self._base = base_of(namespace, "kv")

    def _key(self, key: str) -> bytes:
        return self._base + key.encode()

    def _entry(self, found: Any) -> Entry:
        key = found.key[len(self._base) :].decode()
        return Entry(key, found.value, found.mod_revision * STRIDE, str(found.lease) if found.lease else None)

    def _get(self, key: str) -> Op[Entry | None]:
        found = only((yield find(self._key(key))))
        return None if found is None else self._entry(found)

    def _put(self, key: str, value: bytes, lease: str | None, expected: int | None) -> Op[Swap]:
        name, number = self._key(key), 0 if lease is None else leases.number_of(lease)
        if number is None:
            raise lease_lost(str(lease))
        try:
            return (yield from self._swap(name, write(name, value, number), expected))
        except LeaseLost as error:
            raise lease_lost(str(lease)) from error

    def _delete(self, key: str, expected: int | None) -> Op[Swap]:
        name = self._key(key)
        if expected is not None:
            return (yield from self._swap(name, remove(name), expected))
        reply = yield drop(name)
        return Swap(True, revision_of(reply)) if reply.deleted else Swap(False, 0)

    def _swap(self, name: bytes, op: Any, expected: int | None) -> Op[Swap]:
        if expected is not None and expected % STRIDE:
            # No key has such a revision; only the end of a lease has, for a watch.
            found = only((yield find(name)))
        else:
            when = [] if expected is None else [at(name, expected // STRIDE)]
            reply = yield change([op], when=when, failure=[read(name)])
            if reply.succeeded:
                return Swap(True, revision_of(reply))
            found = first_of(reply)
        return Swap(False, 0 if found is None else found.mod_revision * STRIDE)

    def _list(self, prefix: str, limit: int) -> Op[Listing]:
        for _ in range(3):
            try:
                return (yield from self._listing(self._key(prefix), limit))
            except Compacted:
                continue
        raise Unavailable(
            f"{self._driver.name} was compacted three times while it listed {prefix!r}; list a longer prefix"
        )

    def _listing(self, first: bytes, limit: int) -> Op[Listing]:
        """Page after page, all at the revision of the first."""
        end, revision = end_of(first), 0
        entries: list[Entry] = []
        while True:
            page = min(_PAGE, limit - len(entries))
            found = yield find(first, end, limit=page, revision=revision)
            entries += map(self._entry, found.kvs)
            revision = revision or found.header.revision
            if not found.more or len(entries) >= limit:
                return Listing(tuple(entries), revision * STRIDE)
            first = found.kvs[-1].key + b"\x00"

    def _grant(self, ttl: float) -> Op[Lease]:
        number, granted = yield from leases.grant(ttl)
        return Lease(str(number), granted)

    def _keep_alive(self, lease: str) -> Op[Lease]:
        number = leases.number_of(lease)
        ttl = None if number is None else (yield from leases.keep_alive(number))
        if ttl is None:
            raise lease_lost(lease)
        return Lease(lease, ttl)

    def _revoke(self, lease: str) -> Op[bool]:
        number = leases.number_of(lease)
        return False if number is None else (yield from leases.revoke(number))

    def _changes(self, feed: Feed, wait: float) -> Op[Batch]:
        first = self._key(feed.prefix)
        batch: Batch = yield Send(Follow(feed, first, end_of(first), len(self._base), wait), again=True, extra=wait)
        return batch

    def _unfollow(self, feed: Feed) -> Op[None]:
        yield from ()
        unfollow(feed)
