"""Keys and values in tables, and a bell for those who watch."""

from __future__ import annotations

import hashlib
from typing import Any

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Batch, Change, Deleted, Enlisted, Entry, Feed, KeyValue, Lease, Listing, Put, Swap
from seawall.engines._ports._key_value import enlisted_by_another, lease_lost
from seawall.engines.operation import Op, Send, Wait
from seawall.engines.postgres._step import Hear, Look, Rows, Step
from seawall.engines.postgres._wire import PostgresWire
from seawall.errors import Compacted

_FIRST_PAUSE = 0.001
_MOST_CHANGES = 1_000


class PostgresKeyValue(KeyValue):
    """The port over one namespace of a schema."""

    def __init__(
        self, driver: Driver, namespace: str, guarantees: Guarantees, *, schema: str, history: int, poll_interval: float
    ) -> None:
        super().__init__(driver, namespace, guarantees)
        self._s = f'"{schema}"'
        self._most = history
        self._poll_interval = poll_interval
        self._channel = f"seawall_{hashlib.sha256(f'{self._s}/{namespace}'.encode()).hexdigest()[:40]}"

    def _call(self, function: str, *args: tuple[str, Any], again: bool = False) -> Op[Any]:
        """The first row of a function of the server that changes something."""
        places = ", ".join(f"%s::{kind}" for kind, _ in args)
        sql = f"SELECT * FROM {self._s}.{function}(%s, {places})"
        rows = yield Send(Step(((sql, (self.namespace, *(value for _, value in args))),)), again=again)
        return rows[0][0]

    def _read(self, sql: str, *params: Any) -> Op[Rows]:
        """Rows of a namespace in which no lease has ended: only a writer may remove what ended."""
        while True:
            ended, rows = yield Send(Step((self._ended(), (sql, (self.namespace, *params))), write=False), again=True)
            if not ended[0][0]:
                return rows  # type: ignore[no-any-return]
            yield from self._sweep()

    def _ended(self) -> tuple[str, tuple[Any, ...]]:
        sql = (
            f"SELECT EXISTS (SELECT 1 FROM {self._s}.leases WHERE namespace = %s "
            f"AND ends_us <= (SELECT {self._s}.now_us()))"
        )
        return sql, (self.namespace,)

    def _sweep(self) -> Op[None]:
        sql = f"SELECT {self._s}.kv_sweep(%s, %s)"
        yield Send(Step(((sql, (self.namespace, self._most)),)), again=True)

    def _get(self, key: str) -> Op[Entry | None]:
        rows = yield from self._read(
            f"SELECT key, value, revision, lease FROM {self._s}.entries WHERE namespace = %s AND key = %s", key
        )
        return Entry(*rows[0]) if rows else None

    def _put(self, key: str, value: bytes, lease: str | None, expected: int | None) -> Op[Swap]:
        done, revision, lost = yield from self._call(
            "kv_put", ("text", key), ("bytea", value), ("text", lease), ("bigint", expected), ("bigint", self._most)
        )
        if lost:
            assert lease is not None
            raise lease_lost(lease)
        return Swap(done, revision)

    def _delete(self, key: str, expected: int | None) -> Op[Swap]:
        done, revision = yield from self._call("kv_delete", ("text", key), ("bigint", expected), ("bigint", self._most))
        return Swap(done, revision)

    def _list(self, prefix: str, limit: int) -> Op[Listing]:
        # One row at least, for the revision; that a namespace has a row of its own begins with its first change.
        rows = yield from self._read(
            "SELECT n.revision, e.key, e.value, e.revision, e.lease "
            f"FROM (SELECT * FROM {self._s}.namespaces WHERE namespace = %s) AS n "
            f"LEFT JOIN {self._s}.entries AS e ON e.namespace = n.namespace AND starts_with(e.key, %s) "
            "ORDER BY e.key LIMIT %s",
            prefix,
            limit,
        )
        entries = tuple(Entry(*row[1:]) for row in rows if row[1] is not None)
        return Listing(entries, rows[0][0] if rows else 0)

    def _grant(self, ttl: float) -> Op[Lease]:
        (lease,) = yield from self._call("kv_grant", ("bigint", round(ttl * 1e6)), again=True)
        return Lease(lease, ttl)

    def _enlist(self, key: str, value: bytes, ttl: float, behind: str, most: int | None) -> Op[Enlisted]:
        state, revision, lease, ahead = yield from self._call(
            "kv_enlist", ("text", key), ("bytea", value), ("bigint", round(ttl * 1e6)), ("text", behind),
            ("bigint", most), ("bigint", self._most), again=True,
        )  # fmt: skip
        if state == "other":
            raise enlisted_by_another(key)
        if state == "full":
            return Enlisted(False, 0, None, ahead)
        return Enlisted(True, revision, Lease(lease, ttl), ahead)

    def _keep_alive(self, lease: str) -> Op[Lease]:
        (ttl_us,) = yield from self._call("kv_keep_alive", ("text", lease), again=True)
        if ttl_us is None:
            raise lease_lost(lease)
        return Lease(lease, ttl_us / 1e6)

    def _revoke(self, lease: str) -> Op[bool]:
        (ended,) = yield from self._call("kv_revoke", ("text", lease), ("bigint", self._most))
        return bool(ended)

    def _changes(self, feed: Feed, wait: float) -> Op[Batch]:
        # A bell only says when to look: what is told comes from the history, so a bell that is lost costs time only.
        clock, pause = self._driver.clock, min(_FIRST_PAUSE, self._poll_interval)
        until_ns = clock.now_ns() + round(wait * 1e9)
        look = Look(feed, self._channel, Step(self._since(feed), write=False))
        while True:
            rows, hears = yield Send(look, again=True)
            ended, counters, found, due = rows
            if ended[0][0]:
                yield from self._sweep()
                continue
            batch = _batch(counters, found, feed)
            left = (until_ns - clock.now_ns()) / 1e9
            if batch.changes or left <= 0:
                return batch
            # A lease ends without a bell.
            left = left if due[0][0] is None else min(left, max(0.001, due[0][0] / 1e6))
            if hears:
                yield Send(Hear(feed, left), again=True, extra=left)
            else:
                yield Wait(min(left, pause))
                pause = min(2 * pause, self._poll_interval)

    def _since(self, feed: Feed) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        s, space = self._s, self.namespace
        return (
            self._ended(),
            (f"SELECT revision, told_from FROM {s}.namespaces WHERE namespace = %s", (space,)),
            (
                f"SELECT key, value, revision FROM {s}.history WHERE namespace = %s AND revision > %s "
                f"AND starts_with(key, %s) ORDER BY revision LIMIT {_MOST_CHANGES}",
                (space, feed.after, feed.prefix),
            ),
            (f"SELECT min(ends_us) - {s}.now_us() FROM {s}.leases WHERE namespace = %s", (space,)),
        )

    def _unfollow(self, feed: Feed) -> Op[None]:
        yield from ()
        assert isinstance(self._driver.wire, PostgresWire)
        self._driver.wire.unfollow(feed)


def _batch(counters: Rows, found: Rows, feed: Feed) -> Batch:
    revision, told_from = counters[0] if counters else (0, 0)
    if feed.after != revision and not told_from <= feed.after < revision:
        raise Compacted(
            f"changes are kept after revision {told_from} up to {revision}, asked after {feed.after}", oldest=told_from
        )
    changes = tuple(_change(*row) for row in found)
    return Batch(changes, changes[-1].revision if len(changes) == _MOST_CHANGES else revision)


def _change(key: str, value: bytes | None, revision: int) -> Change:
    return Deleted(key, revision) if value is None else Put(key, value, revision)
