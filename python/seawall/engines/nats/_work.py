"""Work from streams: who has a record is a message beside it, and each change of it is conditional on the last.

An acknowledgement is stored there first, then the record is removed, then what was stored. Whoever comes across an
acknowledged record goes on with that.
"""

from __future__ import annotations

import asyncio

from seawall.engines._ports import Record, Taken
from seawall.engines._ports._journal import taken_lost
from seawall.engines.nats._call import Call, Draft
from seawall.engines.nats._message import OPERATION, TTL, UNTIL, Message
from seawall.engines.nats._records import Records
from seawall.engines.nats._stream import Stream

TAKEN, GIVEN, DONE = "taken", "given", "done"
ATTEMPT = "Seawall-Attempt"
_PAGE = 100


class Work:
    """Steps on the records that are worked on.

    Args:
        stream: Where they are.
        records: Of the same namespace.
    """

    def __init__(self, stream: Stream, records: Records) -> None:
        self._stream = stream
        self._records = records

    def _draft(self, name: str, position: int, operation: str, ttl: float, attempt: int) -> Draft:
        draft = Draft(self._records.work(name, position)).saying(OPERATION, operation).saying(ATTEMPT, attempt)
        return draft.saying(TTL, round(ttl * 1e9)).alone()

    async def take(self, call: Call, name: str, owner: str, ttl: float, limit: int) -> tuple[Taken, ...]:
        """Take the oldest free records."""
        await self._stream.ready(call)
        found = await call.collect(self._stream.name, [self._records.work(name, "*")])
        last = {int(message.subject.rpartition(".")[2]): message for message in found.messages}
        taken, after = list[Taken](), 0
        while len(taken) < limit and (page := await self._records.scan(call, name, after, _PAGE)):
            after = page[-1].position
            for record in page:
                known = last.get(record.position)
                if known is not None and known.operation == DONE and not known.is_void:
                    with call.helping():
                        await self._finish(call, record)
                elif known is None or known.is_void or known.ends_ns <= found.now_ns:
                    mine = await self._take(call, record, owner, ttl, known)
                    taken += [] if mine is None else [mine]
                if len(taken) == limit:
                    break
        return tuple(taken)

    async def _take(self, call: Call, record: Record, owner: str, ttl: float, known: Message | None) -> Taken | None:
        last, attempt = (0, 1) if known is None else (known.sequence, int(known.headers[ATTEMPT]) + 1)
        draft = self._draft(record.stream, record.position, TAKEN, ttl, attempt)
        mine = await call.store(draft.where(last))
        if mine is None:
            return None
        # It may have been finished between our look and our message, and then nothing is there that says so.
        if await call.at(self._stream.name, record.position) is None:
            await call.purge(self._stream.name, draft.subject, mine + 1)
            return None
        return Taken(record, owner, mine, attempt, ttl)

    async def _hold(self, call: Call, taken: Taken) -> Message | None:
        """What says that a record is still its taker's."""
        record = taken.record
        found, (now_ns, _) = await asyncio.gather(
            call.last(self._stream.name, self._records.work(record.stream, record.position)),
            call.now(self._stream.name),
        )
        if found is None or found.sequence != taken.token or found.ends_ns <= now_ns:
            return None
        return found

    async def _change(self, call: Call, taken: Taken, operation: str, ttl: float) -> bool:
        await self._stream.ready(call)
        held = await self._hold(call, taken)
        if held is None:
            return False
        record = taken.record
        draft = self._draft(record.stream, record.position, operation, ttl, taken.attempt)
        stored = await call.store(draft.where(taken.token).saying(UNTIL, held.ends_ns))
        return stored is not None and await call.is_in_time(self._stream.name, stored, held.ends_ns)

    async def acknowledge(self, call: Call, taken: Taken) -> None:
        """Remove a record that was worked on."""
        if not await self._change(call, taken, DONE, 0.0):
            raise taken_lost(taken)
        await self._finish(call, taken.record)

    async def _finish(self, call: Call, record: Record) -> None:
        # In this order: see `_take`.
        await call.remove(self._stream.name, record.position)
        await call.purge(self._stream.name, self._records.work(record.stream, record.position))

    async def give_back(self, call: Call, taken: Taken, delay: float) -> bool:
        """Let others take it."""
        return await self._change(call, taken, GIVEN, delay)

    async def trim(self, call: Call, name: str, through: int) -> int:
        """Forget records up to a position, and who had them."""
        count = await self._records.trim(call, name, through)
        for subject in await call.subjects(self._stream.name, self._records.work(name, "*")):
            if int(subject.rpartition(".")[2]) <= through:
                await call.purge(self._stream.name, subject)
        return count
