"""Following a namespace: a consumer for each watch, asked again and again; its answers come from the server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from seawall.engines._ports import Batch, Change, Deleted, Feed, Put
from seawall.engines.nats._call import Call
from seawall.engines.nats._keys import Keys
from seawall.engines.nats._leases import DELETED, alive
from seawall.engines.nats._link import Link
from seawall.engines.nats._message import Delivery, Message
from seawall.engines.nats._names import below
from seawall.engines.nats._trim import History
from seawall.errors import Compacted, Unavailable

_MOST, _SHORTEST_NS = 256, 5_000_000
_KEPT_NS = 600_000_000_000


@dataclass(slots=True)
class Following:
    """Where one watch stands in the server.

    Args:
        consumer: Its name there.
        link: The connection over which it is asked.
        told: Deliveries so far; the next has the next number, or one was lost on the way.
        revision: Up to where the last answer told; one that nobody heard is told again, from another consumer.
        leases: The last message of each lease that has not ended.
    """

    consumer: str
    link: Link
    revision: int
    told: int = 0
    leases: dict[str, Message] = field(default_factory=dict)


class Follower:
    """Steps of a watch.

    Args:
        keys: What is watched.
        history: What is kept of it.
    """

    def __init__(self, keys: Keys, history: History) -> None:
        self._keys = keys
        self._stream = keys.stream
        self._history = history

    async def changes(self, call: Call, feed: Feed, wait: float) -> Batch:
        """What has changed, at once or as soon as something has."""
        await self._stream.ready(call)
        # Taken out: whoever asks while this is being cancelled does not ask with the same consumer.
        here, feed.handle = feed.handle, None
        if here is None or here.revision != feed.after or here.link is not call.link:
            here = await self._begin(call, feed)
        try:
            batch = await self._ask(call, here, feed, asyncio.get_running_loop().time() + wait)
        except BaseException:
            with suppress(Exception):
                await self.end(call, here)
            raise
        here.revision, feed.handle = batch.revision, here
        return batch

    async def _ask(self, call: Call, here: Following, feed: Feed, until: float) -> Batch:
        after = feed.after
        while True:
            now_ns, newest = await call.now(self._stream.name)
            page = await self._pull(call, here, _MOST)
            reached = max([after, *(delivery.message.sequence for delivery in page)])
            told = newest if await self._is_all(call, feed.prefix, reached, newest) else after
            left_ns = round((until - asyncio.get_running_loop().time()) * 1e9)
            if not page and left_ns > 0 and not await self._end_leases(call, here, now_ns):
                page = await self._pull(call, here, 1, min([left_ns, *self._ends(here, now_ns)]))
            changes = tuple(self._heed(here, [delivery.message for delivery in page], feed.prefix))
            trimmed, _ = await self._history.mark(call)
            if trimmed > after:
                raise _compacted(trimmed, after)
            after = max([told, reached, *(delivery.message.sequence for delivery in page)])
            if changes or left_ns <= 0:
                return Batch(changes, after)

    async def _is_all(self, call: Call, prefix: str, reached: int, newest: int) -> bool:
        """Whether nothing up to the newest is left to tell: asked of the messages, in the only copy.

        A consumer learns of a message after it is stored, so that it has nothing left says nothing.
        """
        stream = self._stream
        if newest <= reached or stream.name in call.replicated:
            return False
        left = await call.next(stream.name, stream.subject("k", below(prefix)), reached)
        return left is None or left.sequence > newest

    async def _begin(self, call: Call, feed: Feed) -> Following:
        stream = self._stream
        _, newest = await call.now(stream.name)
        trimmed, _ = await self._history.mark(call)
        if not trimmed <= feed.after <= newest:
            raise _compacted(trimmed, feed.after) if feed.after < trimmed else _other_life(newest, feed.after)
        leases = [stream.subject("l", ">")]
        known = await call.collect(stream.name, leases)
        filters = [stream.subject("k", below(feed.prefix)), *leases]
        made = await call.consumer(stream.name, filters, feed.after, inactive_threshold=_KEPT_NS)
        here = Following(made["name"], call.link, feed.after)
        list(self._heed(here, known.messages, feed.prefix))
        return here

    async def _pull(self, call: Call, here: Following, most: int, wait_ns: int = 0) -> list[Delivery]:
        wait_ns = max(wait_ns, _SHORTEST_NS) if wait_ns else 0
        page = [delivery async for delivery in call.pull(self._stream.name, here.consumer, most, wait_ns)]
        for delivery in page:
            here.told += 1
            if delivery.number != here.told:
                raise Unavailable(
                    f"{self._stream.engine} delivered {delivery.number} where {here.told} was next; the watch resumes"
                )
        return page

    def _heed(self, here: Following, messages: list[Message], prefix: str) -> Iterator[Change]:
        """The changes among messages; the others are of leases."""
        for message in messages:
            key = self._keys.key_of(message.subject)
            if key is None:
                known = here.leases.get(message.subject)
                if known is None or known.sequence < message.sequence:
                    here.leases[message.subject] = message
            elif key.startswith(prefix) and not message.is_void:
                deleted = message.operation == DELETED
                yield Deleted(key, message.sequence) if deleted else Put(key, message.data, message.sequence)

    def _ends(self, here: Following, now_ns: int) -> list[int]:
        return [max(message.ends_ns - now_ns, _SHORTEST_NS) for message in here.leases.values()]

    async def _end_leases(self, call: Call, here: Following, now_ns: int) -> bool:
        """End those whose time is over; whether there were any."""
        over = [subject for subject, message in here.leases.items() if alive(message, now_ns) is None]
        for subject in over:
            if await self._keys.leases.look(call, self._keys.lease_of(subject)) is None:
                del here.leases[subject]
        return bool(over)

    async def end(self, call: Call, here: Following) -> None:
        """Let the server forget where a watch stands."""
        await call.link.send(f"$JS.API.CONSUMER.DELETE.{self._stream.name}.{here.consumer}", b"", None)


def _compacted(trimmed: int, after: int) -> Compacted:
    return Compacted(f"changes are kept after revision {trimmed}, asked after {after}", oldest=trimmed)


def _other_life(newest: int, after: int) -> Compacted:
    return Compacted(f"changes are kept up to revision {newest}, asked after {after}", oldest=newest)
