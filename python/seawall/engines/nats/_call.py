"""What one operation asks of the server, and whether it may have changed something."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple

from seawall.engines.nats import _errors as errors
from seawall.engines.nats._link import Link, status_of
from seawall.engines.nats._message import Delivery, Message, ns_of, of_answer, of_delivery
from seawall.engines.nats._names import covers
from seawall.errors import UnknownOutcome

EXPECTED, EXPECTED_OF = "Nats-Expected-Last-Subject-Sequence", "Nats-Expected-Last-Subject-Sequence-Subject"
ROLLUP, KEPT_FOR = "Nats-Rollup", "Nats-TTL"
_PAGE, _PAGE_BYTES = 256, 4_000_000
_BEHIND, _PATIENCE = 0.005, 0.5
_PULL_NS = 500_000_000


class Draft(NamedTuple):
    """A message to be stored.

    Attributes:
        subject: Where.
        data: Its payload.
        headers: Conditions among them.
    """

    subject: str
    data: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})

    def saying(self, name: str, value: str | int) -> Draft:
        """The same with one more header."""
        return self._replace(headers={**self.headers, name: str(value)})

    def where(self, last: int | None, of: str | None = None) -> Draft:
        """The same, stored only if the last message of a subject (or filter), or of its own, is `last` (0: none)."""
        if last is None:
            return self
        conditional = self.saying(EXPECTED, last)
        return conditional if of is None else conditional.saying(EXPECTED_OF, of)

    def alone(self) -> Draft:
        """The same, replacing all there is under its subject."""
        return self.saying(ROLLUP, "sub")


class Found(NamedTuple):
    """Messages that were there, the server's time before they were read, and how many more there are."""

    messages: list[Message]
    now_ns: int
    pending: int


class Call:
    """One operation's way to the server; made for each.

    Args:
        link: The connection.
        replicated: Names of streams that several servers have: consumers read the copy of any of them.

    Attributes:
        changing: Whether something that this operation is for may have been changed.
    """

    def __init__(self, link: Link, replicated: set[str]) -> None:
        self.link = link
        self.replicated = replicated
        self.changing = False
        self._helps = False

    @contextmanager
    def helping(self) -> Iterator[None]:
        """What is changed within is due in any case, whoever does it: not what this operation is for."""
        before, self._helps = self._helps, True
        try:
            yield
        finally:
            self._helps = before

    async def ask(self, subject: str, data: bytes, headers: Mapping[str, str] | None, *, changes: bool) -> Any:
        """The answer to one question; raises Refused, NobodyThere, Lost, Denied."""
        before = self.changing
        async with self.link.asking(subject) as asking:
            await asking.ask(data, headers)
            self.changing = before or (changes and not self._helps)
            try:
                while (answer := await asking.answer_within(None if changes else _PATIENCE)) is None:
                    # Servers of a cluster say nothing while they look for a leader.
                    await asking.ask(data, headers)
            except errors.Denied:
                self.changing = before
                raise
        if status_of(answer) == "503":
            self.changing = before
            raise errors.NobodyThere(subject)
        reply = json.loads(answer.data)
        if (error := reply.get("error")) is not None:
            self.changing = before
            raise errors.Refused(error.get("err_code", 0), error.get("description", "an error without a description"))
        return reply

    async def api(self, name: str, body: Any = None, *, changes: bool = False) -> Any:
        """Ask JetStream's API."""
        data = b"" if body is None else json.dumps(body).encode()
        return await self.ask(f"$JS.API.{name}", data, None, changes=changes)

    # What is stored.

    async def store(self, *drafts: Draft) -> int | None:
        """Store all, or nothing if one condition does not hold; the last sequence, None when nothing was stored."""
        if len(drafts) > 1:
            drafts = await self._send_ahead(drafts)
        last = drafts[-1]
        try:
            reply = await self.ask(last.subject, last.data, last.headers or None, changes=True)
        except errors.Refused as error:
            if error.code not in (errors.WRONG_LAST, errors.ON_ITS_WAY):
                raise
            if error.code == errors.ON_ITS_WAY:
                await asyncio.sleep(_BEHIND)
            return None
        return int(reply["seq"])

    async def _send_ahead(self, drafts: Sequence[Draft]) -> tuple[Draft, ...]:
        """Send all but the last; the server stores nothing before that says so."""
        self.link.batches += 1
        name = f"{self.link.name}-{self.link.batches}"
        numbered = [
            draft.saying("Nats-Batch-Id", name).saying("Nats-Batch-Sequence", number)
            for number, draft in enumerate(drafts, 1)
        ]
        for draft in numbered[:-1]:
            await self.link.send(draft.subject, draft.data, draft.headers)
        return (numbered[-1].saying("Nats-Batch-Commit", 1),)

    async def remove(self, stream: str, sequence: int) -> bool:
        """Remove one message; False when it was gone."""
        try:
            await self.api(f"STREAM.MSG.DELETE.{stream}", {"seq": sequence, "no_erase": True}, changes=True)
        except errors.Refused as error:
            if error.code in (errors.NO_MESSAGE, errors.NO_SEQUENCE):
                return False
            raise
        return True

    async def purge(self, stream: str, subject: str, before: int | None = None) -> int:
        """Remove all messages of a subject, or those before a sequence; how many there were."""
        body = {"filter": subject} | ({} if before is None else {"seq": before})
        return int((await self.api(f"STREAM.PURGE.{stream}", body, changes=True))["purged"])

    # What is read.

    async def last(self, stream: str, subject: str) -> Message | None:
        """The last message of a subject or filter."""
        return await self._get(stream, {"last_by_subj": subject})

    async def at(self, stream: str, sequence: int) -> Message | None:
        """The message at a sequence."""
        return await self._get(stream, {"seq": sequence})

    async def next(self, stream: str, subject: str, after: int) -> Message | None:
        """The first message of a subject or filter behind a sequence."""
        return await self._get(stream, {"seq": after + 1, "next_by_subj": subject})

    async def _get(self, stream: str, body: dict[str, Any]) -> Message | None:
        try:
            return of_answer((await self.api(f"STREAM.MSG.GET.{stream}", body))["message"])
        except errors.Refused as error:
            if error.code == errors.NO_MESSAGE:
                return None
            raise

    async def last_valid(self, stream: str, subject: str) -> Message | None:
        """The last message of a subject that is not void; void ones are removed, so that it is the last of all."""
        while (found := await self.last(stream, subject)) is not None and found.is_void:
            with self.helping():
                await self.remove(stream, found.sequence)
        return found

    async def is_in_time(self, stream: str, sequence: int, until_ns: int) -> bool:
        """Whether a message that was conditional on a time was stored before it."""
        found = await self.at(stream, sequence)
        if found is not None:
            return not found.is_void
        # Somebody has removed it since: because it was void, or because it was done with.
        now_ns, _ = await self.now(stream)
        if now_ns < until_ns:
            return True
        raise UnknownOutcome(
            f"change {sequence} of {stream} was removed before it could be seen whether it came in time; read the "
            "state before you decide"
        )

    async def now(self, stream: str) -> tuple[int, int]:
        """The server's time in nanoseconds, and the last sequence of a stream."""
        info = await self.api(f"STREAM.INFO.{stream}")
        return ns_of(info["ts"]), int(info["state"]["last_seq"])

    async def subjects(self, stream: str, only: str) -> dict[str, int]:
        """Subjects that have messages, and how many."""
        found: dict[str, int] = {}
        while True:
            info = await self.api(f"STREAM.INFO.{stream}", {"subjects_filter": only, "offset": len(found)})
            page = info["state"].get("subjects") or {}
            found |= page
            if not page or len(found) >= info.get("total", 0):
                return found

    async def consumer(self, stream: str, filters: Sequence[str], after: int | None, **more: Any) -> dict[str, Any]:
        """A new consumer, from the message after a sequence on, or with the last of each subject (and then on)."""
        start: dict[str, Any] = (
            {"deliver_policy": "last_per_subject"}
            if after is None
            else {"deliver_policy": "by_start_sequence", "opt_start_seq": after + 1}
        )
        config = start | {
            "ack_policy": "none", "filter_subjects": list(filters), "mem_storage": True, "num_replicas": 1,
            "inactive_threshold": 30_000_000_000,
        } | more  # fmt: skip
        body = {"stream_name": stream, "action": "create", "config": config}
        reply: dict[str, Any] = await self.api(f"CONSUMER.CREATE.{stream}", body)
        return reply

    async def pull(self, stream: str, consumer: str, most: int, wait_ns: int = 0) -> AsyncIterator[Delivery]:
        """At most so many messages: those that are there, or the first that comes while the server waits for it."""
        body: dict[str, Any] = {"batch": most, "max_bytes": _PAGE_BYTES}
        # What was counted may be gone by now: the server then has less to send than was asked for, and may not say so.
        body |= {"expires": wait_ns} if wait_ns else {"no_wait": True, "expires": _PULL_NS}
        async with self.link.asking(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", many=True) as asking:
            await asking.ask(json.dumps(body).encode())
            for _ in range(most):
                message = await asking.answer()
                status = status_of(message)
                if status == "503":
                    raise errors.NobodyThere(stream)
                if status in ("404", "408") or str(message.headers).find("MaxBytes") >= 0:
                    return
                if status:
                    raise errors.Refused(errors.NO_CONSUMER, str(message.headers.get("Description", status)))
                yield (delivery := of_delivery(message))
                if not wait_ns and not delivery.pending:
                    return

    async def collect(
        self, stream: str, filters: Sequence[str], after: int | None = None, most: int | None = None, **more: Any
    ) -> Found:
        """Messages after a sequence, or the last of each subject and what has come since; at most so many.

        Everything is there that was there before.
        """
        while True:
            # A copy may be behind: it must have what is newest by the word of the leader.
            newest = await self.last(stream, ">") if stream in self.replicated and most != 0 else None
            if newest is None or newest.sequence <= (after or 0):
                return await self._collect(stream, filters, after, most, more)
            beside = [] if any(covers(each, newest.subject) for each in filters) else [newest.subject]
            found = await self._collect(stream, [*filters, *beside], after, most, more)
            if found.pending or any(message.sequence >= newest.sequence for message in found.messages):
                return found._replace(messages=[each for each in found.messages if each.subject not in beside])
            await asyncio.sleep(_BEHIND)

    async def _collect(
        self, stream: str, filters: Sequence[str], after: int | None, most: int | None, more: dict[str, Any]
    ) -> Found:
        made = await self.consumer(stream, filters, after, **more)
        pending, found = made["num_pending"], list[Message]()
        while pending and (most is None or len(found) < most):
            page = _PAGE if most is None else min(_PAGE, most - len(found))
            before = len(found)
            async for delivery in self.pull(stream, made["name"], min(page, pending)):
                found.append(delivery.message)
                pending = delivery.pending
            if len(found) == before:
                info = await self.api(f"CONSUMER.INFO.{stream}.{made['name']}", {})
                pending = info["num_pending"]
        await self.link.send(f"$JS.API.CONSUMER.DELETE.{stream}.{made['name']}", b"", None)
        return Found(found, max([ns_of(made["ts"]), *(message.at_ns for message in found[-1:])]), pending)
