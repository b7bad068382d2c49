"""Keys of a namespace: the last message of each key's subject is its state."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from seawall.engines._ports import Entry, Lease, Listing, Swap
from seawall.engines._ports._key_value import lease_lost
from seawall.engines.nats._call import Call, Draft
from seawall.engines.nats._leases import DELETED, Leases, alive
from seawall.engines.nats._message import LEASE, OPERATION, UNTIL, Message
from seawall.engines.nats._names import below, key_of, path, text_of
from seawall.engines.nats._stream import Stream


class _Seen(NamedTuple):
    """What a change is decided on: the key's last message, the revision it means, and until when it means that."""

    last: int
    message: Message | None
    until_ns: int | None

    @property
    def revision(self) -> int:
        return 0 if self.message is None else self.message.sequence


class Keys:
    """Steps on the keys of a namespace.

    Args:
        stream: Where they are.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.leases = Leases(stream)
        self._keys = f"{stream.subject('k')}."

    def _subject(self, key: str) -> str:
        return self.stream.subject("k", path(key))

    async def _see(self, call: Call, key: str) -> _Seen:
        """A key as it is; if its lease has ended it is removed first."""
        while True:
            found = await call.last_valid(self.stream.name, self._subject(key))
            if found is None or found.operation == DELETED:
                return _Seen(found.sequence if found else 0, None, None)
            lease = found.headers.get(LEASE)
            if lease is None:
                return _Seen(found.sequence, found, None)
            living = await self.leases.look(call, lease)
            if living is not None:
                return _Seen(found.sequence, found, living.ends_ns)
            with call.helping():
                await self.leases.remove_key(call, self._subject(key), lease)

    async def get(self, call: Call, key: str) -> Entry | None:
        """The entry of a key."""
        await self.stream.ready(call)
        return _entry(key, (await self._see(call, key)).message)

    async def put(self, call: Call, key: str, value: bytes, lease: str | None, expected: int | None) -> Swap:
        """Write, on condition."""
        await self.stream.ready(call)
        draft = Draft(self._subject(key), value)
        if lease is None and expected is None:
            return Swap(True, _stored(await call.store(draft)))
        while True:
            last, until = None, list[int]()
            if expected is not None:
                seen = await self._see(call, key)
                if seen.revision != expected:
                    return Swap(False, seen.revision)
                last = seen.last
                until += [] if seen.until_ns is None else [seen.until_ns]
            drafts = [draft.where(last)]
            if lease is not None:
                living = await self.leases.look(call, lease)
                if living is None:
                    raise lease_lost(lease)
                until.append(living.ends_ns)
                # Noted in the same step, so that whoever ends the lease finds every key that is bound to it.
                note = Draft(self.leases.bound(lease, key)).alone()
                drafts = [note.where(living.sequence, self.leases.subject(lease)), drafts[0].saying(LEASE, lease)]
            if (revision := await self._store_until(call, drafts, until)) is not None:
                return Swap(True, revision)

    async def delete(self, call: Call, key: str, expected: int | None) -> Swap:
        """Delete, on condition."""
        await self.stream.ready(call)
        while True:
            seen = await self._see(call, key)
            if seen.message is None or expected not in (None, seen.revision):
                return Swap(False, seen.revision)
            draft = Draft(self._subject(key)).saying(OPERATION, DELETED).where(seen.last)
            until = [] if seen.until_ns is None else [seen.until_ns]
            if (revision := await self._store_until(call, [draft], until)) is not None:
                return Swap(True, revision)

    async def _store_until(self, call: Call, drafts: list[Draft], until: list[int]) -> int | None:
        """Store if it comes in time; None when it did not, or a condition did not hold."""
        if not until:
            return await call.store(*drafts)
        sequence = await call.store(*drafts[:-1], drafts[-1].saying(UNTIL, min(until)))
        if sequence is None:
            return None
        if await call.is_in_time(self.stream.name, sequence, min(until)):
            return sequence
        await call.remove(self.stream.name, sequence)
        call.changing = False
        return None

    async def listed(self, call: Call, prefix: str, limit: int) -> Listing:
        """Entries below a prefix at one revision."""
        await self.stream.ready(call)
        while True:
            newest = await call.last(self.stream.name, self.stream.subject("k", ">"))
            filters = [self.stream.subject("k", below(prefix)), self.stream.subject("l", ">")]
            found = await call.collect(self.stream.name, filters)
            keys, leases = self._sorted(found.messages)
            with call.helping():
                if await self._tidy(call, keys, leases, found.now_ns):
                    continue
            entries = (_entry(key, message) for key, message in keys.items() if key.startswith(prefix))
            listed = sorted(entry for entry in entries if entry is not None)[:limit]
            revisions = (message.sequence for message in keys.values())
            return Listing(tuple(listed), max([newest.sequence if newest else 0, *revisions]))

    def _sorted(self, messages: list[Message]) -> tuple[dict[str, Message], dict[str, Message]]:
        """The last message of each key, and of each lease."""
        keys, leases = dict[str, Message](), dict[str, Message]()
        for message in messages:
            if (key := self.key_of(message.subject)) is not None:
                keys[key] = message
            else:
                leases[message.subject] = message
        return keys, leases

    def key_of(self, subject: str) -> str | None:
        """The key of a subject; None when it is none of a key."""
        tokens = subject.removeprefix(self._keys)
        return key_of(tokens) if len(tokens) < len(subject) else None

    def lease_of(self, subject: str) -> str:
        """The lease of a subject that is none of a key."""
        return text_of(subject.rpartition(".")[2])

    async def _tidy(self, call: Call, keys: dict[str, Message], leases: dict[str, Message], now_ns: int) -> bool:
        """Remove what must not be seen; whether there was any."""
        over = [subject for subject, message in leases.items() if alive(message, now_ns) is None]
        for subject in over:
            await self.leases.look(call, self.lease_of(subject))
        stale = {key: each for key, each in keys.items() if each.is_void or not self._is_kept(each, leases)}
        for key, message in stale.items():
            lease = message.headers.get(LEASE, "")
            if message.is_void:
                await call.remove(self.stream.name, message.sequence)
            elif await self.leases.look(call, lease) is None:
                await self.leases.remove_key(call, self._subject(key), lease)
        return bool(over or stale)

    async def end_leases(self, call: Call) -> None:
        """End what is over, also where nobody lists, watches or asks for a key."""
        found = await call.collect(self.stream.name, [self.stream.subject("l", ">")])
        await self._tidy(call, *self._sorted(found.messages), found.now_ns)

    def _is_kept(self, message: Message, leases: dict[str, Message]) -> bool:
        lease = message.headers.get(LEASE)
        return lease is None or message.operation == DELETED or self.leases.subject(lease) in leases

    async def grant(self, call: Call, ttl: float) -> Lease:
        """A new lease."""
        await self.stream.ready(call)
        name = secrets.token_hex(12)
        await self.leases.grant(call, name, round(ttl * 1e9))
        return Lease(name, ttl)

    async def keep_alive(self, call: Call, lease: str) -> Lease:
        """Full time again."""
        await self.stream.ready(call)
        living = await self.leases.keep_alive(call, lease)
        if living is None:
            raise lease_lost(lease)
        return Lease(lease, living.ttl_ns / 1e9)

    async def revoke(self, call: Call, lease: str) -> bool:
        """End a lease."""
        await self.stream.ready(call)
        return await self.leases.revoke(call, lease)


def _entry(key: str, found: Message | None) -> Entry | None:
    if found is None or found.operation == DELETED:
        return None
    return Entry(key, found.data, found.sequence, found.headers.get(LEASE))


def _stored(sequence: int | None) -> int:
    assert sequence is not None, "stored without a condition"
    return sequence
