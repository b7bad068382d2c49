"""Claims on streams: one message each; its sequence is the token, and every renewal carries it on.

Like a lease, a claim ends at the time its last message was stored plus its time to live, and a renewal that was stored
later is void. The server removes what nobody has renewed or released; until then it says no more than that it is over.
"""

from __future__ import annotations

import asyncio
from math import ceil
from typing import NamedTuple

from seawall.engines._ports import Claim
from seawall.engines.nats._call import KEPT_FOR, Call, Draft
from seawall.engines.nats._leases import ENDED, alive
from seawall.engines.nats._message import TTL, UNTIL, Message
from seawall.engines.nats._names import text_of, token
from seawall.engines.nats._stream import Stream

TOKEN = "Seawall-Token"
_LONGER = 60


class Held(NamedTuple):
    """A stream as far as claims go.

    Attributes:
        last: The sequence of its last message; 0 when there is none.
        token: Of the claim that holds it; None when it is free.
        ends_ns: When that claim ends.
    """

    last: int
    token: int | None
    ends_ns: int


def held(found: Message | None, now_ns: int) -> Held:
    """What a last message says."""
    living = alive(found, now_ns)
    if found is None or living is None:
        return Held(found.sequence if found else 0, None, 0)
    return Held(found.sequence, int(found.headers.get(TOKEN, found.sequence)), living.ends_ns)


class Claims:
    """Steps on the claims of a namespace.

    Args:
        stream: Where they are.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def subject(self, name: str) -> str:
        """Where the claim of a stream is; beside its records, so that one condition can be about both."""
        return self._stream.subject("s", f"{token(name)}.c")

    async def look(self, call: Call, name: str) -> Held:
        """Who holds a stream."""
        found, (now_ns, _) = await asyncio.gather(
            call.last(self._stream.name, self.subject(name)), call.now(self._stream.name)
        )
        return held(found, now_ns)

    def _draft(self, name: str, owner: str, ttl: float, last: int) -> Draft:
        draft = Draft(self.subject(name), owner.encode()).saying(TTL, round(ttl * 1e9))
        return draft.saying(KEPT_FOR, f"{ceil(ttl) + _LONGER}s").where(last).alone()

    async def claim(self, call: Call, name: str, owner: str, ttl: float) -> Claim | None:
        """Claim a stream that nobody holds."""
        await self._stream.ready(call)
        while True:
            found = await self.look(call, name)
            if found.token is not None:
                return None
            if (mine := await call.store(self._draft(name, owner, ttl, found.last))) is not None:
                return Claim(name, owner, mine, ttl)

    async def renew(self, call: Call, claim: Claim) -> bool:
        """Full time again; False when it is lost."""
        await self._stream.ready(call)
        while (found := await self.look(call, claim.stream)).token == claim.token:
            draft = self._draft(claim.stream, claim.owner, claim.ttl, found.last).saying(TOKEN, claim.token)
            stored = await call.store(draft.saying(UNTIL, found.ends_ns))
            if stored is not None:
                return await call.is_in_time(self._stream.name, stored, found.ends_ns)
        return False

    async def release(self, call: Call, claim: Claim) -> bool:
        """End a claim; False when it is lost."""
        await self._stream.ready(call)
        while (found := await self.look(call, claim.stream)).token == claim.token:
            end = Draft(self.subject(claim.stream)).saying("Seawall-Op", ENDED).saying(KEPT_FOR, f"{_LONGER}s")
            if await call.store(end.where(found.last).alone()) is not None:
                return True
        return False

    async def claimed(self, call: Call) -> set[str]:
        """The streams that somebody holds."""
        found = await call.collect(self._stream.name, [self._stream.subject("s", "*.c")])
        last = {message.subject: message for message in found.messages}
        return {
            text_of(subject.split(".")[-2])
            for subject, message in last.items()
            if held(message, found.now_ns).token is not None
        }
