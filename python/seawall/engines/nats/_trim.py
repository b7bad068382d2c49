"""History that is kept for watches, and its end: one mark says from where on it is whole.

The mark goes first, the messages after it: whoever reads messages and then a mark that is not beyond where it began has
missed none.
"""

from __future__ import annotations

from collections.abc import Iterator

from seawall.engines.nats._call import Call, Draft
from seawall.engines.nats._leases import DELETED
from seawall.engines.nats._message import Message
from seawall.engines.nats._stream import Stream

_MOST = 2_000


class History:
    """The changes of a namespace that are kept.

    Args:
        stream: Where they are.
        most: How many.
    """

    def __init__(self, stream: Stream, most: int) -> None:
        self._stream = stream
        self._most = most
        self._every = most // 8 + 1

    def is_due(self, sequence: int) -> bool:
        """Whether whoever stored this message looks after the history; of every so many one does."""
        return sequence % self._every == 0

    async def mark(self, call: Call) -> tuple[int, int]:
        """Up to which revision changes may be missing, and the sequence of what says so."""
        found = await call.last(self._stream.name, self._stream.subject("t"))
        return (0, 0) if found is None else (int(found.data), found.sequence)

    async def trim(self, call: Call) -> None:
        """Remove what is older than the history and replaced by something newer."""
        stream = self._stream
        trimmed, last = await self.mark(call)
        filters = [stream.subject("k", ">")]
        made = await call.collect(stream.name, filters, trimmed, most=0, headers_only=True)
        excess = made.pending - self._most
        if excess <= 0:
            return
        found = await call.collect(stream.name, filters, trimmed, most=min(excess, _MOST), headers_only=True)
        if not found.messages:
            return
        mark = Draft(stream.subject("t"), b"%d" % found.messages[-1].sequence).where(last).alone()
        if await call.store(mark) is None:
            return
        for subject, before in replaced(found.messages):
            await call.purge(stream.name, subject, before)


def replaced(messages: list[Message]) -> Iterator[tuple[str, int]]:
    """Subjects and sequences before which their messages can go: of each the last stays, unless it deletes."""
    latest = {message.subject: message for message in messages if not message.is_void}
    for subject, message in latest.items():
        yield subject, message.sequence + (1 if message.operation == DELETED else 0)
