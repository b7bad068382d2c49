"""Streams, claims and inboxes: a key for each record, and transactions that see that nothing has changed since a read.

Changes of one stream take turns by its head, a key that says how many records there are and which is the last. Claims,
takings and messages seen are keys with a lease, so etcd itself ends them, in the same order as all else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Claim, Journal, Record, Taken
from seawall.engines._ports._journal import claim_lost, conflict, taken_lost
from seawall.engines.etcd import _leases as leases
from seawall.engines.etcd import _messages as m
from seawall.engines.etcd._keys import (
    at,
    base_of,
    change,
    end_of,
    find,
    first_of,
    look,
    only,
    read,
    remove,
    revision_of,
    write,
)
from seawall.engines.operation import Op, Send
from seawall.errors import EngineError

_AT_ONCE = 64
_PAGE = 1_000
_DIGITS = 16


class _Head(NamedTuple):
    """What is known of a stream; all zero when it has no records.

    Attributes:
        changed: Etcd's revision of its last change.
        records: How many there are.
        last: The position of the last.
    """

    changed: int
    records: int
    last: int


class EtcdJournal(Journal):
    """The port over one namespace of a cluster."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees) -> None:
        super().__init__(driver, namespace, guarantees)
        self._heads = base_of(namespace, "journal/heads")
        self._records = base_of(namespace, "journal/records")
        self._claims = base_of(namespace, "journal/claims")
        self._attempts = base_of(namespace, "journal/attempts")
        self._held = base_of(namespace, "journal/held")
        self._seen = base_of(namespace, "journal/seen")
        # Changed whenever a head goes: "there is no head" may not mean an earlier absence.
        self._emptied = base_of(namespace, "journal") + b"emptied"

    # Records.

    def _append(self, stream: str, records: tuple[bytes, ...], expected: int | None, claim: Claim | None) -> Op[int]:
        head_key, claim_key = self._heads + stream.encode(), self._claims + stream.encode()
        while True:
            seen = yield look(read(head_key), read(self._emptied), read(claim_key))
            head = _head(first_of(seen))
            if claim is not None and _changed(first_of(seen, 2)) != claim.token:
                raise claim_lost(claim)
            if expected is not None and expected != head.last:
                raise conflict(stream, expected, head.last)
            # No other append has seen this revision and will be made: it would change the head, or have changed it.
            first = revision_of(seen)
            puts = [write(_place(self._records, stream, first + i), data) for i, data in enumerate(records)]
            when = [*self._unchanged(stream, head, _changed(first_of(seen, 1)))]
            when += [] if claim is None else [at(claim_key, claim.token)]
            last = first + len(records) - 1
            reply = yield change([_write_head(head_key, head.records + len(records), last), *_bundled(puts)], when=when)
            if reply.succeeded:
                return last

    def _unchanged(self, stream: str, head: _Head, emptied: int) -> Iterator[Any]:
        yield at(self._heads + stream.encode(), head.changed)
        if not head.changed:
            yield at(self._emptied, emptied)

    def _scan(self, stream: str, after: int, limit: int) -> Op[tuple[Record, ...]]:
        found: list[Record] = []
        begin, end = _place(self._records, stream, after + 1), _end(self._records, stream)
        while len(found) < limit:
            page = yield find(begin, end, limit=min(_PAGE, limit - len(found)))
            found += (Record(stream, _position(kv.key), kv.value) for kv in page.kvs)
            if not page.more:
                break
            begin = page.kvs[-1].key + b"\x00"
        return tuple(found)

    def _last(self, stream: str) -> Op[int]:
        return _head(only((yield find(self._heads + stream.encode())))).last

    def _streams(self, prefix: str, after: str, limit: int, unclaimed: bool) -> Op[tuple[str, ...]]:
        names: list[str] = []
        begin = max(self._heads + prefix.encode(), self._heads + after.encode() + b"\x00" if after else b"")
        end = end_of(self._heads + prefix.encode())
        claims, past = self._claims + prefix.encode(), end_of(self._claims + prefix.encode())
        while begin < end and len(names) < limit:
            claimed: set[bytes] = set()
            if unclaimed:
                page, others = read(begin, end, limit=_PAGE, keys_only=True), read(claims, past, keys_only=True)
                found, held = (each.ranged for each in (yield look(page, others)).responses)
                claimed.update(kv.key[len(self._claims) :] for kv in held.kvs)
            else:
                found = yield find(begin, end, limit=_PAGE, keys_only=True)
            heads = (kv.key[len(self._heads) :] for kv in found.kvs)
            names += (head.decode() for head in heads if head not in claimed)
            if not found.more:
                break
            begin = found.kvs[-1].key + b"\x00"
        return tuple(names[:limit])

    def _trim(self, stream: str, through: int) -> Op[int]:
        bounds = [
            (_place(kind, stream, 0), _place(kind, stream, through + 1))
            for kind in (self._records, self._attempts, self._held)
        ]
        while True:
            seen = yield look(read(self._heads + stream.encode()), read(*bounds[0], count_only=True))
            head, gone = _head(first_of(seen)), seen.responses[1].ranged.count
            if not gone:
                return 0
            after = _Head(0, head.records - gone, head.last)
            when = [at(self._heads + stream.encode(), head.changed)]
            reply = yield change([*(remove(*each) for each in bounds), *self._left(stream, after)], when=when)
            if reply.succeeded:
                return int(gone)

    def _left(self, stream: str, head: _Head) -> list[Any]:
        """What becomes of the head when `head.records` records are left."""
        key = self._heads + stream.encode()
        return [_write_head(key, head.records, head.last)] if head.records else [remove(key), write(self._emptied, b"")]

    # Claims.

    def _claim(self, stream: str, owner: str, ttl: float) -> Op[Claim | None]:
        key = self._claims + stream.encode()
        if only((yield find(key))) is not None:
            return None
        reply, granted = yield from self._leased(key, owner.encode(), ttl, at(key, 0))
        return Claim(stream, owner, reply.header.revision, granted) if reply.succeeded else None

    def _leased(self, key: bytes, value: bytes, ttl: float, when: Any) -> Op[tuple[Any, float]]:
        """Write a key under a new lease, on condition; the answer, and the seconds that were granted."""
        lease, granted = yield from leases.grant(ttl)
        reply = yield change([write(key, value, lease)], when=[when])
        if not reply.succeeded:
            yield from self._unused(lease)
        return reply, granted

    def _unused(self, lease: int) -> Op[None]:
        try:
            yield from leases.revoke(lease)
        except EngineError:
            return  # it ends by itself

    def _lease_of(self, key: bytes, token: int | None = None) -> Op[int]:
        """The lease of a key that has not changed since `token`; 0 when there is none."""
        found = only((yield find(key)))
        return 0 if found is None or (token is not None and found.mod_revision != token) else int(found.lease)

    def _renew(self, claim: Claim) -> Op[Claim]:
        lease = yield from self._lease_of(self._claims + claim.stream.encode(), claim.token)
        ttl = (yield from leases.keep_alive(lease)) if lease else None
        if ttl is None:
            raise claim_lost(claim)
        return claim._replace(ttl=ttl)

    def _release(self, claim: Claim) -> Op[bool]:
        # The lease is this claim's alone.
        lease = yield from self._lease_of(self._claims + claim.stream.encode(), claim.token)
        return bool(lease) and (yield from leases.revoke(lease))

    # Work.

    def _take(self, stream: str, owner: str, ttl: float, limit: int) -> Op[tuple[Taken, ...]]:
        lease, granted = 0, ttl
        while True:
            head, free = yield from self._free(stream, limit)
            if not free:
                break
            if not lease:
                lease, granted = yield from leases.grant(ttl)
            reply = yield self._taking(stream, owner, head, free, lease)
            if reply.succeeded:
                data = {kv.key: kv.value for kv in reply.responses[0].ranged.kvs}
                token = reply.header.revision
                return tuple(
                    Taken(Record(stream, _position(key), data[key]), owner, token, attempts + 1, granted)
                    for key, attempts in free
                )
        if lease:
            yield from self._unused(lease)
        return ()

    def _taking(self, stream: str, owner: str, head: _Head, free: list[tuple[bytes, int]], lease: int) -> Send:
        """Hold these records, unless anything about the stream has changed."""
        puts = []
        for key, attempts in free:
            position = _position(key)
            puts.append(write(_place(self._held, stream, position), owner.encode(), lease))
            puts.append(write(_place(self._attempts, stream, position), b"%d" % (attempts + 1)))
        head_key = self._heads + stream.encode()
        data = read(free[0][0], free[-1][0] + b"\x00")
        ops = [data, _write_head(head_key, head.records, head.last), *_bundled(puts)]
        return change(ops, when=[at(head_key, head.changed)])

    def _free(self, stream: str, limit: int) -> Op[tuple[_Head, list[tuple[bytes, int]]]]:
        """The oldest records that nobody has, as key and attempts, and the head as it was at first."""
        head: _Head | None = None
        free: list[tuple[bytes, int]] = []
        begin, end = _place(self._records, stream, 0), _end(self._records, stream)
        while len(free) < limit:
            page = read(begin, end, limit=min(_PAGE, 2 * limit + 16), keys_only=True)
            others = (self._all(kind, stream) for kind in (self._held, self._attempts))
            reply = yield look(page, read(self._heads + stream.encode()), *others)
            found, heads, held, attempts = (each.ranged for each in reply.responses)
            head = head or _head(heads.kvs[0] if heads.kvs else None)
            busy = {_position(kv.key) for kv in held.kvs}
            tried = {_position(kv.key): int(kv.value) for kv in attempts.kvs}
            places = ((kv.key, _position(kv.key)) for kv in found.kvs)
            free += ((key, tried.get(position, 0)) for key, position in places if position not in busy)
            if not found.more:
                break
            begin = found.kvs[-1].key + b"\x00"
        return head or _Head(0, 0, 0), free[:limit]

    def _all(self, kind: bytes, stream: str) -> Any:
        return read(_place(kind, stream, 0), _end(kind, stream))

    def _acknowledge(self, taken: Taken) -> Op[None]:
        stream, position = taken.record.stream, taken.record.position
        head_key = self._heads + stream.encode()
        record, tried, held = (_place(kind, stream, position) for kind in (self._records, self._attempts, self._held))
        while True:
            seen = yield look(read(head_key), read(held))
            head = _head(first_of(seen))
            if _changed(first_of(seen, 1)) != taken.token:
                raise taken_lost(taken)
            last = head.last
            if head.records > 1 and position == last:
                first = _place(self._records, stream, 0)
                earlier = only((yield find(first, record, limit=1, keys_only=True, sort_order=m.DESCENDING)))
                # None when another has just acknowledged them: then the head has changed too.
                last = 0 if earlier is None else _position(earlier.key)
            left = self._left(stream, _Head(0, head.records - 1, last))
            when = [at(head_key, head.changed), at(held, taken.token)]
            reply = yield change([remove(record), remove(tried), remove(held), *left], when=when)
            if reply.succeeded:
                return

    def _give_back(self, taken: Taken, delay: float) -> Op[bool]:
        held = _place(self._held, taken.record.stream, taken.record.position)
        when = [at(held, taken.token)]
        if delay <= 0:
            reply = yield change([remove(held)], when=when)
        else:
            reply, _ = yield from self._leased(held, b"", delay, when[0])
        return bool(reply.succeeded)

    # Messages seen.

    def _first_time(self, inbox: str, message: str, window: float) -> Op[bool]:
        key = self._message(inbox, message)
        if only((yield find(key))) is not None:
            return False
        reply, _ = yield from self._leased(key, b"", window, at(key, 0))
        return bool(reply.succeeded)

    def _forget(self, inbox: str, message: str) -> Op[bool]:
        # The lease is this message's alone.
        lease = yield from self._lease_of(self._message(inbox, message))
        return bool(lease) and (yield from leases.revoke(lease))

    def _message(self, inbox: str, message: str) -> bytes:
        return self._seen + inbox.encode() + b"\x00" + message.encode()


def _head(found: Any | None) -> _Head:
    if found is None:
        return _Head(0, 0, 0)
    count, last = found.value.split()
    return _Head(found.mod_revision, int(count), int(last))


def _write_head(key: bytes, count: int, last: int) -> Any:
    return write(key, b"%d %d" % (count, last))


def _changed(found: Any | None) -> int:
    """Etcd's revision of the last change of a key; 0 when it is not there."""
    return 0 if found is None else int(found.mod_revision)


def _place(kind: bytes, stream: str, position: int) -> bytes:
    """The key of a position; names have no control characters, so none is the beginning of another."""
    return kind + stream.encode() + b"\x00" + f"{position:0{_DIGITS}x}".encode()


def _end(kind: bytes, stream: str) -> bytes:
    return kind + stream.encode() + b"\x01"


def _position(key: bytes) -> int:
    return int(key[-_DIGITS:], 16)


def _bundled(ops: list[Any]) -> list[Any]:
    """The same in transactions within the transaction: it may have 128 parts, and each of them as many less those."""
    if len(ops) <= _AT_ONCE:
        return ops
    parts = (ops[first : first + _AT_ONCE] for first in range(0, len(ops), _AT_ONCE))
    return [m.Op(txn=m.Txn(success=part)) for part in parts]
