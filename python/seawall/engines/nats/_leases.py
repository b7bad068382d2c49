"""Leases: one message each, whose last sign of life counts; keys go with them, each by a change of its own.

A lease ends at the time its last message was stored plus its time to live, by the clock of the server alone. Whatever
is conditional on a lease says until when that is: stored later it is void, for everybody. Before anybody answers that a
lease has ended, that end is stored on the condition that no sign of life came since; so it cannot live again.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from seawall.engines.nats._call import Call, Draft
from seawall.engines.nats._message import LEASE, OPERATION, TTL, UNTIL, Message
from seawall.engines.nats._names import path, token
from seawall.engines.nats._stream import Stream

DELETED, ENDED = "deleted", "ended"


class Alive(NamedTuple):
    """A lease that lives.

    Attributes:
        sequence: Of its last message: whoever requires that it is still the last requires that it has not ended.
        ends_ns: Until when, by the server's clock.
        ttl_ns: Its time to live.
    """

    sequence: int
    ends_ns: int
    ttl_ns: int


def alive(found: Message | None, now_ns: int) -> Alive | None:
    """The lease of a last message, if it lives."""
    if found is None or found.is_void or found.operation == ENDED or found.ends_ns <= now_ns:
        return None
    return Alive(found.sequence, found.ends_ns, int(found.headers[TTL]))


class Leases:
    """The leases of a namespace.

    Args:
        stream: Where they are.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def subject(self, lease: str) -> str:
        """Where its signs of life are."""
        return self._stream.subject("l", token(lease))

    def bound(self, lease: str, key: str = "") -> str:
        """Where it is noted that a key was bound to it; for all keys without one."""
        return self._stream.subject("b", f"{token(lease)}.{path(key) if key else '>'}")

    async def grant(self, call: Call, lease: str, ttl_ns: int) -> None:
        """Begin a lease, whose name nobody has used."""
        await call.store(self._sign(lease, ttl_ns).where(0))

    def _sign(self, lease: str, ttl_ns: int) -> Draft:
        return Draft(self.subject(lease)).saying(TTL, ttl_ns)

    async def look(self, call: Call, lease: str) -> Alive | None:
        """A lease, if it lives; it has its end and its keys are gone if it does not."""
        # The time is not older than the message that is judged by it, or the message is not older than the time: then
        # a sign of life in between makes the condition fail under which the end is stored.
        found, (now_ns, _) = await asyncio.gather(
            call.last(self._stream.name, self.subject(lease)), call.now(self._stream.name)
        )
        living = alive(found, now_ns)
        if living is None and found is not None:
            with call.helping():
                if not await self.end(call, lease, found):
                    return await self.look(call, lease)
        return living

    async def keep_alive(self, call: Call, lease: str) -> Alive | None:
        """A sign of life; None when it came too late."""
        while (living := await self.look(call, lease)) is not None:
            sign = self._sign(lease, living.ttl_ns).where(living.sequence).alone()
            if await call.store(sign.saying(UNTIL, living.ends_ns)) is not None:
                # It may have been stored too late.
                return await self.look(call, lease)
        return None

    async def revoke(self, call: Call, lease: str) -> bool:
        """End a lease that lives."""
        while (living := await self.look(call, lease)) is not None:
            if await self._store_end(call, lease, living.sequence):
                with call.helping():
                    await self._remove_bound(call, lease)
                return True
        return False

    async def end(self, call: Call, lease: str, found: Message) -> bool:
        """Store the end of a lease whose time is over, and remove its keys; False when it lives after all."""
        if found.operation != ENDED and not await self._store_end(call, lease, found.sequence):
            return False
        await self._remove_bound(call, lease)
        return True

    async def _store_end(self, call: Call, lease: str, last: int) -> bool:
        end = Draft(self.subject(lease)).saying(OPERATION, ENDED).where(last).alone()
        return await call.store(end) is not None

    async def _remove_bound(self, call: Call, lease: str) -> None:
        stream = self._stream
        noted = await call.subjects(stream.name, self.bound(lease))
        first = len(self.bound(lease)) - 1
        for subject in sorted(noted):
            await self.remove_key(call, stream.subject("k", subject[first:]), lease)
        # In this order: while the end is there, anybody can go on where another stopped.
        await call.purge(stream.name, self.bound(lease))
        await call.purge(stream.name, self.subject(lease))

    async def remove_key(self, call: Call, subject: str, lease: str) -> None:
        """Delete a key if it is still bound to a lease, which has ended."""
        while True:
            found = await call.last_valid(self._stream.name, subject)
            if found is None or found.operation == DELETED or found.headers.get(LEASE) != lease:
                return
            if await call.store(Draft(subject).saying(OPERATION, DELETED).where(found.sequence)) is not None:
                return
