"""The Meter port: the state of a key is its last message, replaced on the condition that it is still the last."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from math import ceil

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Meter, Reading, Rule, decide
from seawall.engines.nats._call import KEPT_FOR, Call, Draft
from seawall.engines.nats._message import Message
from seawall.engines.nats._names import token
from seawall.engines.nats._stream import Stream
from seawall.engines.operation import Op, Send

_LONGEST = 10 * 365 * 86_400


class NatsMeter(Meter):
    """The port over one namespace of a server or cluster."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees, stream: Stream) -> None:
        super().__init__(driver, namespace, guarantees)
        self._stream = stream

    def _update(self, rules: tuple[tuple[str, Rule], ...], consume: bool) -> Op[tuple[Reading, ...]]:
        step = partial(self._decide, rules=rules, consume=consume)
        readings: tuple[Reading, ...] = yield Send(step, again=not consume)
        return readings

    def _reset(self, key: str) -> Op[bool]:
        forgotten: bool = yield Send(partial(self._forget, key=key))
        return forgotten

    def _subject(self, key: str) -> str:
        return self._stream.subject("m", token(key))

    async def _decide(self, call: Call, rules: tuple[tuple[str, Rule], ...], consume: bool) -> tuple[Reading, ...]:
        await self._stream.ready(call)
        subjects = [self._subject(key) for key, _ in rules]
        while True:
            (now_ns, _), found = await asyncio.gather(
                call.now(self._stream.name),
                asyncio.gather(*(call.last(self._stream.name, subject) for subject in subjects)),
            )
            states, readings = decide([rule for _, rule in rules], list(map(_state, found)), now_ns // 1_000, consume)
            if states is None and (len(rules) == 1 or await self._are_last(call, subjects, found)):
                return readings
            if states is None:
                continue
            drafts = (
                _kept(Draft(subject, json.dumps(state).encode()), reading).where(last.sequence if last else 0).alone()
                for subject, state, reading, last in zip(subjects, states, readings, found, strict=True)
            )
            if await call.store(*drafts) is not None:
                return readings

    async def _are_last(self, call: Call, subjects: list[str], found: list[Message | None]) -> bool:
        """Whether all of them are still so: then they were so at one moment, and not in the middle of an update."""
        again = await asyncio.gather(*(call.last(self._stream.name, subject) for subject in subjects))
        return [each and each.sequence for each in again] == [each and each.sequence for each in found]

    async def _forget(self, call: Call, key: str) -> bool:
        await self._stream.ready(call)
        return await call.purge(self._stream.name, self._subject(key)) > 0


def _state(found: Message | None) -> tuple[int, ...] | None:
    return None if found is None else tuple(json.loads(found.data))


def _kept(draft: Draft, reading: Reading) -> Draft:
    """Forgotten by the server when nothing is left to remember."""
    seconds = ceil(reading.reset_after) + 2
    return draft if seconds > _LONGEST else draft.saying(KEPT_FOR, f"{seconds}s")
