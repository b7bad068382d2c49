"""Streams, claims and inboxes in tables."""

from __future__ import annotations

from typing import Any

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Claim, Claimed, Journal, Record, Taken
from seawall.engines._ports._journal import claim_lost, conflict, taken_lost
from seawall.engines.operation import Op, Send
from seawall.engines.postgres._step import Joined, Rows, Statement, Step

_SWEPT_AT_ONCE = 2


class PostgresJournal(Journal):
    """The port over one namespace of a schema."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees, *, schema: str) -> None:
        super().__init__(driver, namespace, guarantees)
        self._s = f'"{schema}"'

    def _function(self, name: str, *args: tuple[str, Any]) -> Statement:
        places = ", ".join(f"%s::{kind}" for kind, _ in args)
        sql = f"SELECT * FROM {self._s}.{name}(%s, {places})"
        return sql, (self.namespace, *(value for _, value in args))

    def _call(self, name: str, *args: tuple[str, Any], sweep: str | None = None) -> Op[Any]:
        """The first row of a function of the server that changes something."""
        swept = (self._swept(sweep),) if sweep else ()
        rows = yield Send(Step((self._function(name, *args), *swept)))
        return rows[0][0]

    def _swept(self, table: str) -> Statement:
        # Twice as fast as rows can come: the table does not outgrow what is in use. What others hold is theirs.
        sql = (
            f"WITH gone AS (DELETE FROM {self._s}.{table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {self._s}.{table} "
            f"WHERE namespace = %s AND ends_us <= (SELECT {self._s}.now_us()) LIMIT {_SWEPT_AT_ONCE} "
            "FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM gone"
        )
        return sql, (self.namespace,)

    def _read(self, sql: str, *params: Any) -> Op[Rows]:
        (rows,) = yield Send(Step(((sql, (self.namespace, *params)),), write=False), again=True)
        return rows  # type: ignore[no-any-return]

    def _append(self, stream: str, records: tuple[bytes, ...], expected: int | None, claim: Claim | None) -> Op[int]:
        token = None if claim is None else claim.token
        state, position = yield from self._call(
            "append", ("text", stream), ("bytea[]", list(records)), ("bigint", expected), ("bigint", token)
        )
        if state == "lost":
            assert claim is not None
            raise claim_lost(claim)
        if state == "conflict":
            assert expected is not None
            raise conflict(stream, expected, position)
        return int(position)

    def _append_within(self, transaction: Any, stream: str, records: tuple[bytes, ...]) -> Op[int]:
        statement = self._function("append", ("text", stream), ("bytea[]", list(records)))
        rows = yield Send(Joined(transaction, statement), retry=False)
        return int(rows[0][1])

    def _first_time_within(self, transaction: Any, inbox: str, message: str, window: float) -> Op[bool]:
        rows = yield Send(Joined(transaction, self._seen(inbox, message, window)), retry=False)
        return bool(rows[0][0])

    def _seen(self, inbox: str, message: str, window: float) -> Statement:
        return self._function("first_time", ("text", inbox), ("text", message), ("bigint", _us(window)))

    def _scan(self, stream: str, after: int, limit: int) -> Op[tuple[Record, ...]]:
        sql = (
            f"SELECT stream, position, data FROM {self._s}.records "
            "WHERE namespace = %s AND stream = %s AND position > %s ORDER BY position LIMIT %s"
        )
        return tuple(Record(*row) for row in (yield from self._read(sql, stream, after, limit)))

    def _last(self, stream: str) -> Op[int]:
        sql = f"SELECT coalesce(max(position), 0) FROM {self._s}.records WHERE namespace = %s AND stream = %s"
        return int((yield from self._read(sql, stream))[0][0])

    def _streams(self, prefix: str, after: str, limit: int, unclaimed: bool) -> Op[tuple[str, ...]]:
        free = (
            f"AND NOT EXISTS (SELECT 1 FROM {self._s}.claims AS c WHERE c.namespace = r.namespace "
            f"AND c.stream = r.stream AND c.ends_us > (SELECT {self._s}.now_us())) "
        )
        sql = (
            f"SELECT DISTINCT stream FROM {self._s}.records AS r WHERE namespace = %s AND starts_with(stream, %s) "
            f"AND stream > %s {free if unclaimed else ''}ORDER BY stream LIMIT %s"
        )
        return tuple(name for (name,) in (yield from self._read(sql, prefix, after, limit)))

    def _trim(self, stream: str, through: int) -> Op[int]:
        sql = (
            f"WITH gone AS (DELETE FROM {self._s}.records WHERE namespace = %s AND stream = %s AND position <= %s "
            "RETURNING 1) SELECT count(*) FROM gone"
        )
        ((row,),) = yield Send(Step(((sql, (self.namespace, stream, through)),)))
        return int(row[0])

    def _claim(self, stream: str, owner: str, ttl: float) -> Op[Claim | None]:
        (token,) = yield from self._call("claim", ("text", stream), ("bigint", _us(ttl)), sweep="claims")
        return None if token is None else Claim(stream, owner, token, ttl)

    def _renew(self, claim: Claim) -> Op[Claim]:
        (done,) = yield from self._call(
            "renew", ("text", claim.stream), ("bigint", claim.token), ("bigint", _us(claim.ttl))
        )
        if not done:
            raise claim_lost(claim)
        return claim

    def _release(self, claim: Claim) -> Op[bool]:
        (done,) = yield from self._call("release", ("text", claim.stream), ("bigint", claim.token))
        return bool(done)

    def _claim_and_append(  # noqa: PLR0917 -- as the port asks
        self, stream: str, owner: str, ttl: float, records: tuple[bytes, ...], expected: int | None, unless: str | None
    ) -> Op[Claimed | None]:
        state, token, position = yield from self._call(
            "claim_and_append", ("text", stream), ("bigint", _us(ttl)), ("bytea[]", list(records)),
            ("bigint", expected), ("text", unless), sweep="claims",
        )  # fmt: skip
        if state == "claimed":
            return None
        if state == "other":
            assert unless is not None
            raise conflict(unless, 0, position)
        if state == "conflict":
            assert expected is not None
            raise conflict(stream, expected, position)
        return Claimed(Claim(stream, owner, token, ttl), position)

    def _conclude(self, claim: Claim, records: tuple[bytes, ...], into: str | None) -> Op[None]:
        state, position = yield from self._call(
            "conclude", ("text", claim.stream), ("bigint", claim.token), ("bytea[]", list(records)), ("text", into)
        )
        if state == "lost":
            raise claim_lost(claim)
        if state == "conflict":
            assert into is not None
            raise conflict(into, 0, position)

    def _take(self, stream: str, owner: str, ttl: float, limit: int) -> Op[tuple[Taken, ...]]:
        statement = self._function("take", ("text", stream), ("bigint", _us(ttl)), ("bigint", limit))
        (rows,) = yield Send(Step((statement,)))
        return tuple(
            Taken(Record(stream, position, data), owner, token, attempt, ttl)
            for position, data, token, attempt in sorted(rows)
        )

    def _acknowledge(self, taken: Taken) -> Op[None]:
        (done,) = yield from self._call("acknowledge", *_held(taken))
        if not done:
            raise taken_lost(taken)

    def _give_back(self, taken: Taken, delay: float) -> Op[bool]:
        (done,) = yield from self._call("give_back", *_held(taken), ("bigint", _us(delay)))
        return bool(done)

    def _first_time(self, inbox: str, message: str, window: float) -> Op[bool]:
        (rows, _) = yield Send(Step((self._seen(inbox, message, window), self._swept("seen"))))
        return bool(rows[0][0])

    def _forget(self, inbox: str, message: str) -> Op[bool]:
        (known,) = yield from self._call("forget", ("text", inbox), ("text", message))
        return bool(known)


def _held(taken: Taken) -> tuple[tuple[str, Any], ...]:
    record = taken.record
    return ("text", record.stream), ("bigint", record.position), ("bigint", taken.token)


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
