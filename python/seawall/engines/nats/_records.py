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

BEFORE, LEFT = "Seawall-Before", "Seawall-Left"
"""How many records of the same append come before a record, and how many after it; only where there are several."""


def _count(message: Message, header: str) -> int:
    return int(message.headers.get(header, "0"))


def _begin(message: Message) -> int:
    """Where the append that a record is of begins."""
    return message.sequence - _count(message, BEFORE)


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

    def work(self, name: str, position: int | str) -> str:
        """Where it is told who works on a record."""
        return self._stream.subject("x", f"{token(name)}.{position}")

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
            drafts = self._drafts(subject, records, until)
            position = await call.store(drafts[0].where(last, of), *drafts[1:])
            if position is None:
                continue
            first = position - len(records) + 1
            if until is None or await call.is_in_time(self._stream.name, first, until):
                return position
            await self._remove(call, first, position)
            call.changing = False

    def _drafts(self, subject: str, records: tuple[bytes, ...], until: int | None) -> list[Draft]:
        drafts = [Draft(subject, data) for data in records]
        if until is not None:
            drafts = [draft.saying(UNTIL, until) for draft in drafts]
        if len(drafts) > 1:
            last = len(drafts) - 1
            drafts = [draft.saying(BEFORE, place).saying(LEFT, last - place) for place, draft in enumerate(drafts)]
        return drafts

    async def _remove(self, call: Call, first: int, last: int) -> None:
        # The first goes last: as long as any is there, it tells that they are void.
        for sequence in range(last, first - 1, -1):
            await call.remove(self._stream.name, sequence)

    async def _is_void(self, call: Call, message: Message, known: dict[int, bool]) -> bool:
        """Whether the append that a record is of came too late: its first record tells."""
        if UNTIL not in message.headers:
            return False
        begin = _begin(message)
        if begin not in known:
            first = message if begin == message.sequence else await call.at(self._stream.name, begin)
            known[begin] = first is not None and first.is_void
        return known[begin]

    async def _is_whole(self, call: Call, name: str, message: Message) -> bool:
        """Whether all of an append is there, or was: the server lets readers see one that it is about to store.

        If it was killed meanwhile it may have stored the first of them only. Others of the append that are gone were
        worked on, and nobody works on one before the older ones were taken.
        """
        left = _count(message, LEFT)
        if not left:
            return True
        end = await call.at(self._stream.name, message.sequence + left)
        if end is not None:
            return end.subject == message.subject and _begin(end) == _begin(message)
        return await call.last(self._stream.name, self.work(name, message.sequence)) is not None

    async def last(self, call: Call, name: str) -> int:
        """The last position; 0 when there is none."""
        await self._stream.ready(call)
        waited = False
        while (found := await call.last(self._stream.name, self.subject(name))) is not None:
            void = await self._is_void(call, found, {})
            if not void and await self._is_whole(call, name, found):
                return found.sequence
            with call.helping():
                if void or waited:
                    await self._remove(call, _begin(found), found.sequence)
                else:
                    # Stored after what the server was about to store: what is not whole then never will be.
                    await call.store(Draft(self._stream.subject("w")).alone())
                    waited = True
        return 0

    async def scan(self, call: Call, name: str, after: int, limit: int) -> tuple[Record, ...]:
        """Records after a position."""
        await self._stream.ready(call)
        records = list[Record]()
        while len(records) < limit:
            found = await call.collect(self._stream.name, [self.subject(name)], after, limit - len(records))
            for message in await self._valid(call, name, found.messages):
                records.append(Record(name, message.sequence, message.data))
            # The rest of the last append may have come since.
            if not found.messages or not (found.pending or _count(found.messages[-1], LEFT)):
                break
            after = found.messages[-1].sequence
        return tuple(records)

    async def _valid(self, call: Call, name: str, messages: list[Message]) -> list[Message]:
        known, torn = dict[int, bool](), set[int]()
        # Of each append the last that is here tells for all.
        for begin, message in {_begin(message): message for message in messages}.items():
            if not await self._is_whole(call, name, message):
                torn.add(begin)
        return [
            message
            for message in messages
            if _begin(message) not in torn and not await self._is_void(call, message, known)
        ]

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
