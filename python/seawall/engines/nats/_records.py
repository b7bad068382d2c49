"""Records: a message each, on one subject for each stream.

Records appended under a claim say until when it holds. The first of them decides for all: if it was stored later, none
of them is there.
"""

from __future__ import annotations

from seawall.engines._ports import Claim, Record
from seawall.engines._ports._journal import claim_lost, conflict
from seawall.engines.nats._call import Call, Draft
from seawall.engines.nats._claims import Claims
from seawall.engines.nats._message import UNTIL, Message
from seawall.engines.nats._names import text_of, token
from seawall.engines.nats._stream import Stream

BEFORE = "Seawall-Before"
"""How many records of the same append come before this one."""


class Records:
    """Steps on the records of a namespace.

    Args:
        stream: Where they are.
        claims: Of the same namespace.
    """

    def __init__(self, stream: Stream, claims: Claims) -> None:
        self._stream = stream
        self._claims = claims

    def subject(self, name: str) -> str:
        """Where the records of a stream are."""
        return self._stream.subject("s", f"{token(name)}.r")

    async def append(
        self, call: Call, name: str, records: tuple[bytes, ...], expected: int | None, claim: Claim | None
    ) -> int:
        """Append all or none."""
        await self._stream.ready(call)
        subject = self.subject(name)
        while True:
            last, of, until = expected, None, None
            if claim is not None:
                found = await self._claims.look(call, name)
                if found.token != claim.token:
                    raise claim_lost(claim)
                last, of, until = found.last, self._claims.subject(name), found.ends_ns
            if expected is not None:
                actual = await self.last(call, name)
                if actual != expected:
                    raise conflict(name, expected, actual)
            if claim is not None and expected is not None:
                # The last of both: neither has another since.
                last, of = max(last or 0, expected), self._stream.subject("s", f"{token(name)}.*")
            drafts = [Draft(subject, data) for data in records]
            if until is not None:
                drafts = [draft.saying(UNTIL, until).saying(BEFORE, place) for place, draft in enumerate(drafts)]
            position = await call.store(drafts[0].where(last, of), *drafts[1:])
            if position is None:
                continue
            first = position - len(records) + 1
            if until is None or await call.is_in_time(self._stream.name, first, until):
                return position
            await self._remove(call, first, position)
            call.changing = False

    async def _remove(self, call: Call, first: int, last: int) -> None:
        # The first goes last: as long as any is there, it tells that they are void.
        for sequence in range(last, first - 1, -1):
            await call.remove(self._stream.name, sequence)

    async def _first(self, call: Call, message: Message, known: dict[int, bool]) -> tuple[int, bool]:
        """The sequence of the first record of the same append, and whether they are void."""
        if UNTIL not in message.headers:
            return message.sequence, False
        first = message.sequence - int(message.headers.get(BEFORE, "0"))
        if first not in known:
            begin = message if first == message.sequence else await call.at(self._stream.name, first)
            known[first] = begin is not None and begin.is_void
        return first, known[first]

    async def last(self, call: Call, name: str) -> int:
        """The last position; 0 when there is none."""
        await self._stream.ready(call)
        while (found := await call.last(self._stream.name, self.subject(name))) is not None:
            first, void = await self._first(call, found, {})
            if not void:
                return found.sequence
            with call.helping():
                await self._remove(call, first, found.sequence)
        return 0

    async def scan(self, call: Call, name: str, after: int, limit: int) -> tuple[Record, ...]:
        """Records after a position."""
        await self._stream.ready(call)
        records, known = list[Record](), dict[int, bool]()
        while len(records) < limit:
            found = await call.collect(self._stream.name, [self.subject(name)], after, limit - len(records))
            for message in found.messages:
                after = message.sequence
                if not (await self._first(call, message, known))[1]:
                    records.append(Record(name, message.sequence, message.data))
            if not found.pending:
                break
        return tuple(records)

    async def trim(self, call: Call, name: str, through: int) -> int:
        """Forget records up to a position."""
        await self._stream.ready(call)
        return await call.purge(self._stream.name, self.subject(name), through + 1)

    async def streams(self, call: Call, prefix: str, after: str, limit: int, unclaimed: bool) -> tuple[str, ...]:
        """Names of streams that have records."""
        await self._stream.ready(call)
        subjects = await call.subjects(self._stream.name, self._stream.subject("s", "*.r"))
        names = {text_of(subject.split(".")[-2]) for subject in subjects}
        if unclaimed:
            names -= await self._claims.claimed(call)
        return tuple(sorted(name for name in names if name.startswith(prefix) and name > after)[:limit])
