"""A memory of messages seen: one message each, which the server removes some time after its window."""

from __future__ import annotations

import asyncio
import hashlib
from math import ceil

from seawall.engines.nats._call import KEPT_FOR, Call, Draft
from seawall.engines.nats._message import TTL, Message
from seawall.engines.nats._stream import Stream


class Inbox:
    """Steps on the messages seen in a namespace.

    Args:
        stream: Where they are.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def _subject(self, inbox: str, message: str) -> str:
        # Two names of 512 bytes would be too long for a subject; with the length of the first, no two pairs are alike.
        pair = f"{len(inbox)}:{inbox}:{message}".encode()
        return self._stream.subject("i", hashlib.blake2b(pair, digest_size=32).hexdigest())

    async def _look(self, call: Call, subject: str) -> tuple[Message | None, int]:
        found, (now_ns, _) = await asyncio.gather(call.last(self._stream.name, subject), call.now(self._stream.name))
        return found, now_ns

    async def first_time(self, call: Call, inbox: str, message: str, window: float) -> bool:
        """Remember a message."""
        await self._stream.ready(call)
        subject = self._subject(inbox, message)
        # The server's own removal may be late by a second; whether the window is over is told by the times.
        draft = Draft(subject).saying(TTL, ceil(window * 1e9)).saying(KEPT_FOR, f"{ceil(window) + 1}s").alone()
        last = 0
        while await call.store(draft.where(last)) is None:
            found, now_ns = await self._look(call, subject)
            if found is not None and found.ends_ns > now_ns:
                return False
            last = found.sequence if found else 0
        return True

    async def forget(self, call: Call, inbox: str, message: str) -> bool:
        """Forget a message."""
        await self._stream.ready(call)
        found, now_ns = await self._look(call, self._subject(inbox, message))
        if found is None or found.ends_ns <= now_ns:
            return False
        return await call.remove(self._stream.name, found.sequence)
