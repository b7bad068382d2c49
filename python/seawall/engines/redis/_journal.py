"""Streams, claims and inboxes in sorted sets and hashes."""

from __future__ import annotations

from math import ceil
from typing import Any

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Claim, Claimed, Journal, Record, Taken
from seawall.engines._ports._journal import claim_lost, conflict, taken_lost
from seawall.engines.operation import Op, Send
from seawall.engines.redis._call import Call, load

_SCRIPT = load("journal.lua")
_SHARED = ("meta", "streams", "claims", "tokens")
_OWN = ("records", "places", "ready", "held", "takings")
_LOST, _CONFLICT, _OTHER = -1, -2, -3


class RedisJournal(Journal):
    """The port over one namespace of a server."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees) -> None:
        super().__init__(driver, namespace, guarantees)
        self._base = f"seawall:{{{namespace}}}:journal"
        self._shared = tuple(f"{self._base}:{part}" for part in _SHARED)

    def _call(
        self, operation: str, stream: str | None, *args: Any, again: bool = False, other: str | None = None
    ) -> Send:
        keys = (*self._shared, *self._own(stream), *self._own(other))
        return Send(Call((len(keys), *keys, operation, *args), _SCRIPT), again=again)

    def _own(self, stream: str | None) -> tuple[str, ...]:
        return () if stream is None else tuple(f"{self._base}:{part}:{stream}" for part in _OWN)

    def _append(self, stream: str, records: tuple[bytes, ...], expected: int | None, claim: Claim | None) -> Op[int]:
        last, token = "" if expected is None else expected, "" if claim is None else claim.token
        done, *position = yield self._call("append", stream, stream, last, token, *records)
        if claim is not None and done == _LOST:
            raise claim_lost(claim)
        if expected is not None and done == _CONFLICT:
            raise conflict(stream, expected, position[0])
        return int(position[0])

    def _scan(self, stream: str, after: int, limit: int) -> Op[tuple[Record, ...]]:
        reply = yield self._call("scan", stream, after, limit, again=True)
        return tuple(Record(stream, *pair) for pair in zip(reply[::2], reply[1::2], strict=True))

    def _last(self, stream: str) -> Op[int]:
        return int((yield self._call("last", stream, again=True)))

    def _streams(self, prefix: str, after: str, limit: int, unclaimed: bool) -> Op[tuple[str, ...]]:
        names = yield self._call("streams", None, prefix, after, limit, int(unclaimed), again=True)
        return tuple(name.decode() for name in names)

    def _trim(self, stream: str, through: int) -> Op[int]:
        return int((yield self._call("trim", stream, stream, through)))

    def _claim(self, stream: str, owner: str, ttl: float) -> Op[Claim | None]:
        token = yield self._call("claim", None, stream, _us(ttl))
        return None if token == _LOST else Claim(stream, owner, token, ttl)

    def _renew(self, claim: Claim) -> Op[Claim]:
        # A second renewal makes no difference.
        done = yield self._call("renew", None, claim.stream, claim.token, _us(claim.ttl), again=True)
        if done == _LOST:
            raise claim_lost(claim)
        return claim

    def _release(self, claim: Claim) -> Op[bool]:
        return bool((yield self._call("release", None, claim.stream, claim.token)))

    def _claim_and_append(  # noqa: PLR0917 -- as the port asks
        self, stream: str, owner: str, ttl: float, records: tuple[bytes, ...], expected: int | None, unless: str | None
    ) -> Op[Claimed | None]:
        last = "" if expected is None else expected
        done, *rest = yield self._call("claim_and_append", stream, stream, _us(ttl), last, *records, other=unless)
        if done == _LOST:
            return None
        if unless is not None and done == _OTHER:
            raise conflict(unless, 0, rest[0])
        if expected is not None and done == _CONFLICT:
            raise conflict(stream, expected, rest[0])
        token, position = rest
        return Claimed(Claim(stream, owner, token, ttl), position)

    def _conclude(self, claim: Claim, records: tuple[bytes, ...], into: str | None) -> Op[None]:
        done, *position = yield self._call(
            "conclude", claim.stream, claim.stream, claim.token, into or "", *records, other=into
        )
        if done == _LOST:
            raise claim_lost(claim)
        if into is not None and done == _CONFLICT:
            raise conflict(into, 0, position[0])

    def _take(self, stream: str, owner: str, ttl: float, limit: int) -> Op[tuple[Taken, ...]]:
        reply = yield self._call("take", stream, _us(ttl), limit)
        return tuple(
            Taken(Record(stream, position, data), owner, token, attempt, ttl)
            for position, data, token, attempt in reply
        )

    def _acknowledge(self, taken: Taken) -> Op[None]:
        stream, position = taken.record.stream, taken.record.position
        if (yield self._call("acknowledge", stream, stream, position, taken.token)) == _LOST:
            raise taken_lost(taken)

    def _give_back(self, taken: Taken, delay: float) -> Op[bool]:
        record = taken.record
        return bool((yield self._call("give_back", record.stream, record.position, taken.token, _us(delay))))

    def _first_time(self, inbox: str, message: str, window: float) -> Op[bool]:
        command = ("SET", self._seen(inbox, message), "1", "PX", ceil(window * 1000) + 1, "NX")
        return bool((yield Send(Call(command))))

    def _forget(self, inbox: str, message: str) -> Op[bool]:
        return bool((yield Send(Call(("DEL", self._seen(inbox, message))))))

    def _seen(self, inbox: str, message: str) -> str:
        # With its length, so that no two pairs of names make the same key.
        return f"{self._base}:seen:{len(inbox)}:{inbox}:{message}"


def _us(seconds: float) -> int:
    return ceil(seconds * 1e6)
