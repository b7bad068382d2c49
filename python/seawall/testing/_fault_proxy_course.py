"""One direction of one connection, as a machine: what is held, what may leave now, and how it ends."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntEnum

TICK = 1e-9
"""Seconds a loop may call a timer too early; what is due within it is due."""


class Outcome(IntEnum):
    """What becomes of a direction. Of several effects the highest wins."""

    PASS = 0
    HOLD = 1
    DROP = 2
    FINISH = 3
    CLOSE = 4
    CUT = 5


@dataclass(frozen=True, slots=True)
class Gate:
    """What an effect allows.

    Args:
        outcome: What becomes of what waits.
        size: How many bytes may leave at most.
        until: When to ask again even if nothing happened.
    """

    outcome: Outcome = Outcome.PASS
    size: float = math.inf
    until: float = math.inf


OPEN = Gate()


class Effect:
    """What one fault does to one direction of one connection. This one does nothing; subclasses do.

    Args:
        began: When the connection was accepted, or the fault added, whichever came later.
    """

    def __init__(self, began: float) -> None:
        self.began = began
        self.seen = 0
        self.broke = False

    def delay(self) -> float:
        """Seconds by which what arrives now is late."""
        return 0.0

    def gate(self, now: float, waiting: int, since: float, *, ending: bool) -> Gate:
        """What may happen now.

        Args:
            now: The time.
            waiting: Bytes that are due.
            since: Since when they are.
            ending: Whether only the end of the stream is left.
        """
        del now, waiting, since, ending
        return OPEN

    def passed(self, data: bytes) -> bytes:
        """Bytes that leave, as they leave."""
        self.seen += len(data)
        return data

    def lost(self) -> None:
        """Bytes were dropped on this effect's word."""

    def linger(self) -> float:
        """Seconds by which the end of the stream is late."""
        return 0.0


@dataclass(slots=True)
class _Chunk:
    data: bytes
    arrived: float
    delays: dict[Hashable, float]
    last: bool = False


class Course:
    """Bytes on their way in one direction, in order, and the effects on them.

    Guarantees: holds at most what it has room for; nothing is lost, doubled or reordered unless an effect says so.

    Args:
        room: Most bytes to hold.
    """

    def __init__(self, room: int) -> None:
        self.arrived = self.dropped = self.changed = 0
        self.finished = False
        self.ended = False
        self.outgoing = memoryview(b"")
        self._room = room
        self._size = 0
        self._held: deque[_Chunk] = deque()
        self._effects: dict[Hashable, Effect] = {}
        self._forced = Outcome.PASS

    @property
    def free(self) -> int:
        """Bytes that may still arrive."""
        return self._room - self._size - len(self.outgoing)

    @property
    def held(self) -> int:
        """Bytes that arrived and have not left."""
        return self._size + len(self.outgoing)

    def attach(self, key: Hashable, effect: Effect) -> None:
        """Put an effect on what arrives and leaves from now on."""
        self._effects[key] = effect

    def detach(self, key: Hashable) -> None:
        """Take an effect off; what it held back may leave. One that made a hole in the stream leaves a cut behind."""
        effect = self._effects.pop(key, None)
        if effect is not None and effect.broke:
            self.force(Outcome.CUT)

    def force(self, outcome: Outcome) -> None:
        """End this direction at the next step, whatever the effects say."""
        self._forced = max(self._forced, outcome)

    def arrive(self, data: bytes, now: float) -> None:
        """Bytes from the sender; none mean that it ended its stream."""
        self.arrived += len(data)
        self.ended = self.ended or not data
        if self.finished:
            self.dropped += len(data)
            return
        delays = {key: late for key, effect in self._effects.items() if (late := effect.delay())}
        self._held.append(_Chunk(data, now, delays, last=not data))
        self._size += len(data)

    def next(self, now: float) -> Gate:
        """What happens now: PASS with a size of at least 1 when bytes may leave, else what ends or delays them."""
        due = self._due()
        ready = due <= now + TICK
        ending = ready and self._held[0].last
        waiting = len(self._held[0].data) if ready else 0
        outcome, size, until = self._forced, float(waiting), due if not ready else math.inf
        for effect in self._effects.values():
            gate = effect.gate(now, waiting, due, ending=ending)
            outcome, size, until = max(outcome, gate.outcome), min(size, gate.size), min(until, gate.until)
        if outcome is Outcome.PASS and not waiting and not self.outgoing:
            outcome, until = self._end(now, until, due) if ending else (Outcome.HOLD, until)
        if outcome is Outcome.DROP and not waiting:
            outcome = Outcome.HOLD
        return Gate(outcome, size, until)

    def take(self, size: float) -> None:
        """Move bytes to `outgoing`, changed as effects say."""
        chunk = self._held[0]
        data = chunk.data[: int(size)]
        chunk.data = chunk.data[len(data) :]
        self._size -= len(data)
        if not chunk.data:
            self._held.popleft()
        before = data
        for effect in self._effects.values():
            data = effect.passed(data)
        self.changed += sum(one != other for one, other in zip(before, data, strict=True)) if data != before else 0
        self.outgoing = memoryview(data)

    def drop(self) -> None:
        """Lose the bytes that are due."""
        chunk = self._held.popleft()
        self._lose(len(chunk.data))
        self._size -= len(chunk.data)
        for effect in self._effects.values():
            effect.lost()

    def finish(self) -> None:
        """No more bytes leave; all that is held or still arrives is lost."""
        self.finished = True
        self._lose(self.held)
        self._held.clear()
        self._size = 0
        self.outgoing = memoryview(b"")

    def _lose(self, size: int) -> None:
        self.dropped += size

    def _due(self) -> float:
        if not self._held:
            return math.inf
        chunk = self._held[0]
        return chunk.arrived + sum(late for key, late in chunk.delays.items() if key in self._effects)

    def _end(self, now: float, until: float, due: float) -> tuple[Outcome, float]:
        at = due + sum(effect.linger() for effect in self._effects.values())
        return (Outcome.FINISH, until) if at <= now + TICK else (Outcome.HOLD, min(until, at))
