"""Streams, claims and inboxes in tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Claim, Claimed, Journal, Record, Taken
from seawall.engines._ports._journal import claim_lost, conflict, taken_lost
from seawall.engines.operation import Op, Send
from seawall.engines.sqlite._text import below
from seawall.engines.sqlite._wire import Joined, Step


class SqliteJournal(Journal):
    """The port over one namespace of a file."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees) -> None:
        super().__init__(driver, namespace, guarantees)
        self._table = Table(namespace)

    def _append(self, stream: str, records: tuple[bytes, ...], expected: int | None, claim: Claim | None) -> Op[int]:
        position: int = yield _write(self._table.append, stream, records, expected, claim)
        return position

    def _append_within(self, transaction: Any, stream: str, records: tuple[bytes, ...]) -> Op[int]:
        run = partial(_run, self._table.append, (stream, records, None, None))
        position: int = yield Send(Joined(transaction, run), retry=False)
        return position

    def _first_time_within(self, transaction: Any, inbox: str, message: str, window: float) -> Op[bool]:
        run = partial(_run, self._table.first_time, (inbox, message, window))
        first: bool = yield Send(Joined(transaction, run), retry=False)
        return first

    def _scan(self, stream: str, after: int, limit: int) -> Op[tuple[Record, ...]]:
        records: tuple[Record, ...] = yield _read(self._table.scan, stream, after, limit)
        return records

    def _last(self, stream: str) -> Op[int]:
        position: int = yield _read(self._table.last, stream)
        return position

    def _streams(self, prefix: str, after: str, limit: int, unclaimed: bool) -> Op[tuple[str, ...]]:
        names: tuple[str, ...] = yield _read(self._table.streams, prefix, after, limit, unclaimed)
        return names

    def _trim(self, stream: str, through: int) -> Op[int]:
        count: int = yield _write(self._table.trim, stream, through)
        return count

    def _claim(self, stream: str, owner: str, ttl: float) -> Op[Claim | None]:
        claim: Claim | None = yield _write(self._table.claim, stream, owner, ttl)
        return claim

    def _renew(self, claim: Claim) -> Op[Claim]:
        renewed: Claim = yield _write(self._table.renew, claim)
        return renewed

    def _release(self, claim: Claim) -> Op[bool]:
        done: bool = yield _write(self._table.release, claim)
        return done

    def _claim_and_append(  # noqa: PLR0917 -- as the port asks
        self, stream: str, owner: str, ttl: float, records: tuple[bytes, ...], expected: int | None, unless: str | None
    ) -> Op[Claimed | None]:
        claimed: Claimed | None = yield _write(
            self._table.claim_and_append, stream, owner, ttl, records, expected, unless
        )
        return claimed

    def _conclude(self, claim: Claim, records: tuple[bytes, ...], into: str | None) -> Op[None]:
        yield _write(self._table.conclude, claim, records, into)

    def _take(self, stream: str, owner: str, ttl: float, limit: int) -> Op[tuple[Taken, ...]]:
        taken: tuple[Taken, ...] = yield _write(self._table.take, stream, owner, ttl, limit)
        return taken

    def _acknowledge(self, taken: Taken) -> Op[None]:
        yield _write(self._table.acknowledge, taken)

    def _give_back(self, taken: Taken, delay: float) -> Op[bool]:
        done: bool = yield _write(self._table.give_back, taken, delay)
        return done

    def _first_time(self, inbox: str, message: str, window: float) -> Op[bool]:
        first: bool = yield _write(self._table.first_time, inbox, message, window)
        return first

    def _forget(self, inbox: str, message: str) -> Op[bool]:
        known: bool = yield _write(self._table.forget, inbox, message)
        return known


class Table:
    """The statements of one namespace, each method inside a transaction; `now` in nanoseconds."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def _all(self, connection: sqlite3.Connection, sql: str, *args: Any) -> list[Any]:
        return connection.execute(sql, (self._namespace, *args)).fetchall()

    def _count(self, connection: sqlite3.Connection, sql: str, *args: Any) -> int:
        return connection.execute(sql, (self._namespace, *args)).rowcount

    def _next(self, connection: sqlite3.Connection, counter: str, by: int) -> int:
        """Raise a counter; the first of the numbers that are now the caller's."""
        (number,) = connection.execute(
            f"INSERT INTO seawall_namespaces (namespace, {counter}) VALUES (?, ?) ON CONFLICT (namespace) "
            f"DO UPDATE SET {counter} = {counter} + excluded.{counter} RETURNING {counter}",
            (self._namespace, by),
        ).fetchone()
        return int(number) - by + 1

    def append(  # noqa: PLR0917 -- run by position inside a transaction
        self,
        connection: sqlite3.Connection,
        now: int,
        stream: str,
        records: tuple[bytes, ...],
        expected: int | None,
        claim: Claim | None,
    ) -> int:
        """Append all or none."""
        if claim is not None and not self._is_current(connection, claim, now):
            raise claim_lost(claim)
        if expected is not None and (last := self.last(connection, now, stream)) != expected:
            raise conflict(stream, expected, last)
        first = self._next(connection, "position", len(records))
        connection.executemany(
            "INSERT INTO seawall_records (namespace, stream, position, data) VALUES (?, ?, ?, ?)",
            [(self._namespace, stream, position, data) for position, data in enumerate(records, first)],
        )
        return first + len(records) - 1

    def scan(self, connection: sqlite3.Connection, now: int, stream: str, after: int, limit: int) -> tuple[Record, ...]:
        """Records after a position."""
        del now
        sql = (
            "SELECT stream, position, data FROM seawall_records "
            "WHERE namespace = ? AND stream = ? AND position > ? ORDER BY position LIMIT ?"
        )
        return tuple(Record(*row) for row in self._all(connection, sql, stream, after, limit))

    def last(self, connection: sqlite3.Connection, now: int, stream: str) -> int:
        """The last position."""
        del now
        sql = "SELECT max(position) FROM seawall_records WHERE namespace = ? AND stream = ?"
        return self._all(connection, sql, stream)[0][0] or 0

    def streams(  # noqa: PLR0917 -- run by position inside a transaction
        self, connection: sqlite3.Connection, now: int, prefix: str, after: str, limit: int, unclaimed: bool
    ) -> tuple[str, ...]:
        """Names of streams with records."""
        condition, bounds = below("stream", prefix)
        sql = f"SELECT DISTINCT stream FROM seawall_records AS r WHERE namespace = ? AND {condition} AND stream > ? "
        if unclaimed:
            sql += (
                "AND NOT EXISTS (SELECT 1 FROM seawall_claims AS c WHERE c.namespace = r.namespace "
                "AND c.stream = r.stream AND c.ends_ns > ?) "
            )
        args = (*bounds, after, *((now,) if unclaimed else ()), limit)
        return tuple(name for (name,) in self._all(connection, sql + "ORDER BY stream LIMIT ?", *args))

    def trim(self, connection: sqlite3.Connection, now: int, stream: str, through: int) -> int:
        """Forget records up to a position."""
        del now
        sql = "DELETE FROM seawall_records WHERE namespace = ? AND stream = ? AND position <= ?"
        return self._count(connection, sql, stream, through)

    def claim(self, connection: sqlite3.Connection, now: int, stream: str, owner: str, ttl: float) -> Claim | None:
        """Claim a stream."""
        self._all(connection, "DELETE FROM seawall_claims WHERE namespace = ? AND ends_ns <= ?", now)
        if self._all(connection, "SELECT 1 FROM seawall_claims WHERE namespace = ? AND stream = ?", stream):
            return None
        token = self._next(connection, "token", 1)
        ends = now + round(ttl * 1e9)
        connection.execute("INSERT INTO seawall_claims VALUES (?, ?, ?, ?)", (self._namespace, stream, token, ends))
        return Claim(stream, owner, token, ttl)

    def renew(self, connection: sqlite3.Connection, now: int, claim: Claim) -> Claim:
        """Full time again."""
        if not self._is_current(connection, claim, now):
            raise claim_lost(claim)
        sql = "UPDATE seawall_claims SET ends_ns = ? WHERE namespace = ? AND stream = ?"
        connection.execute(sql, (now + round(claim.ttl * 1e9), self._namespace, claim.stream))
        return claim

    def release(self, connection: sqlite3.Connection, now: int, claim: Claim) -> bool:
        """End a claim."""
        sql = "DELETE FROM seawall_claims WHERE namespace = ? AND stream = ? AND token = ? AND ends_ns > ?"
        return self._count(connection, sql, claim.stream, claim.token, now) == 1

    def claim_and_append(  # noqa: PLR0917 -- run by position inside a transaction
        self,
        connection: sqlite3.Connection,
        now: int,
        stream: str,
        owner: str,
        ttl: float,
        records: tuple[bytes, ...],
        expected: int | None,
        unless: str | None,
    ) -> Claimed | None:
        """Claim a stream and append to it."""
        claim = self.claim(connection, now, stream, owner, ttl)
        if claim is None:
            return None
        if unless is not None and (last := self.last(connection, now, unless)):
            raise conflict(unless, 0, last)
        return Claimed(claim, self.append(connection, now, stream, records, expected, None))

    def conclude(
        self, connection: sqlite3.Connection, now: int, claim: Claim, records: tuple[bytes, ...], into: str | None
    ) -> None:
        """Append, rename, end the claim."""
        if not self.release(connection, now, claim):
            raise claim_lost(claim)
        if records:
            self.append(connection, now, claim.stream, records, None, None)
        if into is None:
            return
        if last := self.last(connection, now, into):
            raise conflict(into, 0, last)
        sql = "UPDATE seawall_records SET stream = ? WHERE namespace = ? AND stream = ?"
        connection.execute(sql, (into, self._namespace, claim.stream))

    def take(  # noqa: PLR0917 -- run by position inside a transaction
        self, connection: sqlite3.Connection, now: int, stream: str, owner: str, ttl: float, limit: int
    ) -> tuple[Taken, ...]:
        """Take the oldest free records."""
        sql = (
            "SELECT position, data, attempt FROM seawall_records "
            "WHERE namespace = ? AND stream = ? AND ends_ns <= ? ORDER BY position LIMIT ?"
        )
        rows = self._all(connection, sql, stream, now, limit)
        token = self._next(connection, "token", len(rows)) if rows else 0
        ends = now + round(ttl * 1e9)
        taken = []
        for number, (position, data, attempt) in enumerate(rows, token):
            taken.append(Taken(Record(stream, position, data), owner, number, attempt + 1, ttl))
            sql = (
                "UPDATE seawall_records SET token = ?, attempt = ?, held = 1, ends_ns = ? "
                "WHERE namespace = ? AND stream = ? AND position = ?"
            )
            connection.execute(sql, (number, attempt + 1, ends, self._namespace, stream, position))
        return tuple(taken)

    def acknowledge(self, connection: sqlite3.Connection, now: int, taken: Taken) -> None:
        """Remove a record."""
        record = taken.record
        sql = f"DELETE FROM seawall_records WHERE {_HELD}"
        if not self._count(connection, sql, record.stream, record.position, taken.token, now):
            raise taken_lost(taken)

    def give_back(self, connection: sqlite3.Connection, now: int, taken: Taken, delay: float) -> bool:
        """Let others take it."""
        record = taken.record
        args = (now + round(delay * 1e9), self._namespace, record.stream, record.position, taken.token, now)
        return connection.execute(f"UPDATE seawall_records SET held = 0, ends_ns = ? WHERE {_HELD}", args).rowcount == 1

    def first_time(self, connection: sqlite3.Connection, now: int, inbox: str, message: str, window: float) -> bool:
        """Remember a message."""
        self._all(connection, "DELETE FROM seawall_seen WHERE namespace = ? AND ends_ns <= ?", now)
        sql = "INSERT INTO seawall_seen VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        return self._count(connection, sql, inbox, message, now + round(window * 1e9)) == 1

    def forget(self, connection: sqlite3.Connection, now: int, inbox: str, message: str) -> bool:
        """Forget a message."""
        self._all(connection, "DELETE FROM seawall_seen WHERE namespace = ? AND ends_ns <= ?", now)
        sql = "DELETE FROM seawall_seen WHERE namespace = ? AND inbox = ? AND message = ?"
        return self._count(connection, sql, inbox, message) == 1

    def _is_current(self, connection: sqlite3.Connection, claim: Claim, now: int) -> bool:
        sql = "SELECT 1 FROM seawall_claims WHERE namespace = ? AND stream = ? AND token = ? AND ends_ns > ?"
        return bool(self._all(connection, sql, claim.stream, claim.token, now))


_HELD = "namespace = ? AND stream = ? AND position = ? AND token = ? AND held = 1 AND ends_ns > ?"


def _run(run: Callable[..., Any], args: tuple[Any, ...], connection: sqlite3.Connection, now: int) -> Any:
    return run(connection, now, *args)


def _write(run: Callable[..., Any], *args: Any) -> Send:
    return Send(Step(partial(_run, run, args)))


def _read(run: Callable[..., Any], *args: Any) -> Send:
    return Send(Step(partial(_run, run, args), write=False), again=True)
