"""Keys and values in tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Batch, Change, Deleted, Enlisted, Entry, Feed, KeyValue, Lease, Listing, Put, Swap
from seawall.engines._ports._key_value import enlisted_by_another, lease_lost
from seawall.engines.operation import Op, Send, Wait
from seawall.engines.sqlite._text import below
from seawall.engines.sqlite._wire import Step
from seawall.errors import Compacted

_FIRST_PAUSE = 0.001
_MOST_CHANGES = 1_000
_NEVER = (1 << 63) - 1


class _LeasesEnded(Exception):
    """A reader found leases that have ended, and only a writer may remove them."""


class SqliteKeyValue(KeyValue):
    """The port over one namespace of a file."""

    def __init__(
        self, driver: Driver, namespace: str, guarantees: Guarantees, history: int, poll_interval: float
    ) -> None:
        super().__init__(driver, namespace, guarantees)
        self._table = Table(namespace, history)
        self._poll_interval = poll_interval

    def _write(self, run: Callable[..., Any], *args: Any, again: bool = False) -> Send:
        return Send(Step(partial(self._table.write, run, args)), again=again)

    def _read(self, run: Callable[..., Any], *args: Any) -> Op[Any]:
        step = Step(partial(self._table.read, run, args), write=False)
        while True:
            try:
                return (yield Send(step, again=True))
            except _LeasesEnded:
                yield self._write(_nothing)

    def _get(self, key: str) -> Op[Entry | None]:
        found: Entry | None = yield from self._read(self._table.get, key)
        return found

    def _put(self, key: str, value: bytes, lease: str | None, expected: int | None) -> Op[Swap]:
        swap: Swap = yield self._write(self._table.put, key, value, lease, expected)
        return swap

    def _delete(self, key: str, expected: int | None) -> Op[Swap]:
        swap: Swap = yield self._write(self._table.delete, key, expected)
        return swap

    def _list(self, prefix: str, limit: int) -> Op[Listing]:
        listing: Listing = yield from self._read(self._table.list, prefix, limit)
        return listing

    def _grant(self, ttl: float) -> Op[Lease]:
        lease: Lease = yield self._write(self._table.grant, ttl)
        return lease

    def _enlist(self, key: str, value: bytes, ttl: float, behind: str, most: int | None) -> Op[Enlisted]:
        enlisted: Enlisted = yield self._write(self._table.enlist, key, value, ttl, behind, most, again=True)
        return enlisted

    def _keep_alive(self, lease: str) -> Op[Lease]:
        kept: Lease = yield self._write(self._table.keep_alive, lease)
        return kept

    def _revoke(self, lease: str) -> Op[bool]:
        ended: bool = yield self._write(self._table.revoke, lease)
        return ended

    def _changes(self, feed: Feed, wait: float) -> Op[Batch]:
        # Processes cannot ring each other's bells: look at the revision, soon at first, then at the poll interval.
        waited, pause = 0.0, min(_FIRST_PAUSE, self._poll_interval)
        while True:
            batch: Batch = yield from self._read(self._table.changes, feed.prefix, feed.after)
            if batch.changes or waited >= wait:
                return batch
            yield Wait(pause)
            waited, pause = waited + pause, min(2 * pause, self._poll_interval)


class Table:
    """The statements of one namespace, each method inside a transaction; `now` in nanoseconds."""

    def __init__(self, namespace: str, history: int) -> None:
        self._namespace = namespace
        self._most = history

    def write(self, run: Callable[..., Any], args: tuple[Any, ...], connection: sqlite3.Connection, now: int) -> Any:
        """Run one step, with every lease gone that has ended by now."""
        for (lease,) in self._all(
            connection, "SELECT id FROM seawall_leases WHERE namespace = ? AND ends_ns <= ? ORDER BY ends_ns, id", now
        ):
            self._end(connection, lease)
        return run(connection, now, *args)

    def read(self, run: Callable[..., Any], args: tuple[Any, ...], connection: sqlite3.Connection, now: int) -> Any:
        """Run one step that changes nothing."""
        if self._all(connection, "SELECT 1 FROM seawall_leases WHERE namespace = ? AND ends_ns <= ? LIMIT 1", now):
            raise _LeasesEnded
        return run(connection, now, *args)

    def _all(self, connection: sqlite3.Connection, sql: str, *args: Any) -> list[Any]:
        return connection.execute(sql, (self._namespace, *args)).fetchall()

    def get(self, connection: sqlite3.Connection, now: int, key: str) -> Entry | None:
        """The entry of a key."""
        del now
        sql = "SELECT key, value, revision, lease FROM seawall_entries WHERE namespace = ? AND key = ?"
        return next((Entry(*row) for row in self._all(connection, sql, key)), None)

    def put(  # noqa: PLR0917 -- run by position inside a transaction
        self, connection: sqlite3.Connection, now: int, key: str, value: bytes, lease: str | None, expected: int | None
    ) -> Swap:
        """Write, on condition."""
        if lease is not None and not self._lease(connection, lease):
            raise lease_lost(lease)
        found = self._revision(connection, key)
        if expected is not None and expected != found:
            return Swap(False, found)
        revision = self._record(connection, key, value)
        connection.execute(
            "INSERT INTO seawall_entries VALUES (?, ?, ?, ?, ?) ON CONFLICT (namespace, key) DO UPDATE "
            "SET value = excluded.value, revision = excluded.revision, lease = excluded.lease",
            (self._namespace, key, value, revision, lease),
        )
        del now
        return Swap(True, revision)

    def delete(self, connection: sqlite3.Connection, now: int, key: str, expected: int | None) -> Swap:
        """Delete, on condition."""
        del now
        found = self._revision(connection, key)
        if found == 0 or (expected is not None and expected != found):
            return Swap(False, found)
        return Swap(True, self._remove(connection, key))

    def list(self, connection: sqlite3.Connection, now: int, prefix: str, limit: int) -> Listing:
        """Entries below a prefix."""
        del now
        condition, bounds = below("key", prefix)
        sql = (
            "SELECT key, value, revision, lease FROM seawall_entries "
            f"WHERE namespace = ? AND {condition} ORDER BY key LIMIT ?"
        )
        rows = self._all(connection, sql, *bounds, limit)
        return Listing(tuple(Entry(*row) for row in rows), self._counters(connection)[0])

    def grant(self, connection: sqlite3.Connection, now: int, ttl: float) -> Lease:
        """A new lease."""
        (number,) = connection.execute(
            "INSERT INTO seawall_namespaces (namespace, lease) VALUES (?, 1) ON CONFLICT (namespace) "
            "DO UPDATE SET lease = lease + 1 RETURNING lease",
            (self._namespace,),
        ).fetchone()
        ttl_ns = round(ttl * 1e9)
        connection.execute(
            "INSERT INTO seawall_leases VALUES (?, ?, ?, ?)", (self._namespace, str(number), ttl_ns, now + ttl_ns)
        )
        return Lease(str(number), ttl)

    def enlist(  # noqa: PLR0917 -- run by position inside a transaction
        self,
        connection: sqlite3.Connection,
        now: int,
        key: str,
        value: bytes,
        ttl: float,
        behind: str,
        most: int | None,
    ) -> Enlisted:
        """Create under a new lease, on condition."""
        found = self.get(connection, now, key)
        if found is not None:
            if found.value != value or found.lease is None:
                raise enlisted_by_another(key)
            ahead = self._older(connection, behind, found.revision)
            return Enlisted(True, found.revision, Lease(found.lease, ttl), ahead)
        ahead = self._older(connection, behind, None)
        if most is not None and ahead >= most:
            return Enlisted(False, 0, None, ahead)
        lease = self.grant(connection, now, ttl)
        return Enlisted(True, self.put(connection, now, key, value, lease.id, 0).revision, lease, ahead)

    def _older(self, connection: sqlite3.Connection, behind: str, than: int | None) -> int:
        condition, bounds = below("key", behind)
        sql = f"SELECT count(*) FROM seawall_entries WHERE namespace = ? AND {condition} AND revision < ?"
        (row,) = self._all(connection, sql, *bounds, _NEVER if than is None else than)
        return int(row[0])

    def keep_alive(self, connection: sqlite3.Connection, now: int, lease: str) -> Lease:
        """Full time again."""
        sql = "UPDATE seawall_leases SET ends_ns = ? + ttl_ns WHERE namespace = ? AND id = ? RETURNING ttl_ns"
        rows = connection.execute(sql, (now, self._namespace, lease)).fetchall()
        if not rows:
            raise lease_lost(lease)
        return Lease(lease, rows[0][0] / 1e9)

    def revoke(self, connection: sqlite3.Connection, now: int, lease: str) -> bool:
        """End a lease."""
        del now
        return self._end(connection, lease)

    def changes(self, connection: sqlite3.Connection, now: int, prefix: str, after: int) -> Batch:
        """What has changed since, a thousand at a time."""
        del now
        revision, told_from = self._counters(connection)
        if after == revision:
            return Batch((), revision)
        if not told_from <= after < revision:
            raise Compacted(
                f"changes are kept after revision {told_from} up to {revision}, asked after {after}", oldest=told_from
            )
        condition, bounds = below("key", prefix)
        sql = (
            "SELECT key, value, revision FROM seawall_history "
            f"WHERE namespace = ? AND revision > ? AND {condition} ORDER BY revision LIMIT {_MOST_CHANGES}"
        )
        found = tuple(_change(*row) for row in self._all(connection, sql, after, *bounds))
        return Batch(found, found[-1].revision if len(found) == _MOST_CHANGES else revision)

    def _counters(self, connection: sqlite3.Connection) -> tuple[int, int]:
        rows = self._all(connection, "SELECT revision, told_from FROM seawall_namespaces WHERE namespace = ?")
        return rows[0] if rows else (0, 0)

    def _revision(self, connection: sqlite3.Connection, key: str) -> int:
        rows = self._all(connection, "SELECT revision FROM seawall_entries WHERE namespace = ? AND key = ?", key)
        return int(rows[0][0]) if rows else 0

    def _lease(self, connection: sqlite3.Connection, lease: str) -> bool:
        return bool(self._all(connection, "SELECT 1 FROM seawall_leases WHERE namespace = ? AND id = ?", lease))

    def _record(self, connection: sqlite3.Connection, key: str, value: bytes | None) -> int:
        revision, told_from = connection.execute(
            "INSERT INTO seawall_namespaces (namespace, revision) VALUES (?, 1) ON CONFLICT (namespace) DO UPDATE "
            "SET revision = revision + 1, told_from = max(told_from, revision + 1 - ?) RETURNING revision, told_from",
            (self._namespace, self._most),
        ).fetchone()
        connection.execute("INSERT INTO seawall_history VALUES (?, ?, ?, ?)", (self._namespace, revision, key, value))
        connection.execute(
            "DELETE FROM seawall_history WHERE namespace = ? AND revision <= ?", (self._namespace, told_from)
        )
        return int(revision)

    def _remove(self, connection: sqlite3.Connection, key: str) -> int:
        connection.execute("DELETE FROM seawall_entries WHERE namespace = ? AND key = ?", (self._namespace, key))
        return self._record(connection, key, None)

    def _end(self, connection: sqlite3.Connection, lease: str) -> bool:
        sql = "SELECT key FROM seawall_entries WHERE namespace = ? AND lease = ? ORDER BY key"
        for (key,) in self._all(connection, sql, lease):
            self._remove(connection, key)
        sql = "DELETE FROM seawall_leases WHERE namespace = ? AND id = ?"
        return connection.execute(sql, (self._namespace, lease)).rowcount == 1


def _change(key: str, value: bytes | None, revision: int) -> Change:
    return Deleted(key, revision) if value is None else Put(key, value, revision)


def _nothing(connection: sqlite3.Connection, now: int) -> None:
    del connection, now
