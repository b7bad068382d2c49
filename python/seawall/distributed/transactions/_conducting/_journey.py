"""One transaction on its way: a course that does none of what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from seawall.distributed.transactions._conducting._course import Ask, Await, Course, End, Pause
from seawall.distributed.transactions._conducting._progress import Call, Move
from seawall.distributed.transactions._conducting._way import D, R, S, T, Way
from seawall.distributed.transactions._kinds import PARKED
from seawall.distributed.transactions._log import TransactionLog
from seawall.distributed.transactions._owned import History, Owned
from seawall.distributed.transactions._records import LogEntry
from seawall.errors import StepRefused

_LONGEST_ERROR = 500


class Journey(Generic[D, S, R, T]):
    """A transaction that is owned, and what has been decided but not yet written.

    Guarantees: an intent is durable before its task begins, and a result before anything that follows from it. So
    the result of one step and the intent of the next are one write.

    Args:
        log: Where it is written.
        way: How its kind goes.
        definition: What it is to do.
        patience_us: It is left to others when it has to wait longer than this.
        on_owned: Told as soon as it is owned.
    """

    def __init__(
        self,
        log: TransactionLog,
        way: Way[D, S, R, T],
        definition: D,
        patience_us: float,
        on_owned: Callable[[Owned], object],
    ) -> None:
        self._on_owned = on_owned
        self._log = log
        self._way = way
        self._definition = definition
        self._patience_us = patience_us
        self._pending: list[LogEntry] = []
        self._busy: set[Call] = set()
        self._state: S
        self.owned: Owned | None = None

    def begin(self, id: str, begun: LogEntry) -> Course[History]:
        """Begin, with the first intents in the same write; what is there already when the id has been begun before."""
        self._state = self._way.fold((begun,))
        move = self._next()
        self._intend(move)
        beginning = yield Ask(self._log._do_begin(self._way.kind, id, begun, *self._pending))
        if isinstance(beginning, History):
            return beginning
        self._own(beginning)
        self._pending.clear()
        return (yield from self._go(beginning, move))

    def go_on(self, owned: Owned) -> Course[History]:
        """Go on with what others have left."""
        self._own(owned)
        self._state = self._way.fold(owned.entries)
        if self._state.phase == PARKED:
            yield Ask(self._log._do_let_go(owned))
            return owned.history()
        self._note("taken", owner=owned.claim.owner)
        return (yield from self._go(owned, None))

    def _go(self, owned: Owned, move: Move | None) -> Course[History]:
        while True:
            if move is None:
                move = self._next()
                self._intend(move)
            if move.is_turn:
                # In the same write as the first intent on the new way, and before that is begun.
                what, data = self._way.turn(move)
                self._note(what, **data)
            elif move.then:
                return (yield from self._end(owned, move))
            else:
                if not self._busy and self._until(move) * 1e6 > self._patience_us:
                    return (yield from self._leave(owned))
                yield from self._flush(owned)
                yield from self._advance(owned, move)
            move = None

    def _rest(self, owned: Owned, seconds: float) -> Course[None]:
        """Let time pass, and keep the claim meanwhile: by the engine's clock, whatever the keeper's thread goes by."""
        longest = self._log.ttl / 3
        while seconds > longest:
            yield Pause(longest)
            yield Ask(self._log._do_keep(owned))
            seconds -= longest
        yield Pause(seconds)

    def _own(self, owned: Owned) -> None:
        self.owned = owned
        self._on_owned(owned)

    def _next(self) -> Move:
        return self._way.next_move(self._definition, self._state, self._log.now_us(), self._busy)

    def _intend(self, move: Move) -> None:
        for step, operation in move.start:
            self._note("started", step=step, of=operation, attempt=self._state.of(step, operation).attempts + 1)
            self._busy.add((step, operation))

    def _advance(self, owned: Owned, move: Move) -> Course[None]:
        """Begin what is to begin, and wait for an end, or for the time of the next beginning."""
        if not self._busy:
            return (yield from self._rest(owned, self._until(move)))
        seconds = None if move.wake_us is None else self._until(move)
        tasks = tuple(self._way.task(self._definition, owned, self._state, call) for call in move.start)
        for end in (yield Await(tasks, seconds)):
            self._ended(end)
        return None

    def _until(self, move: Move) -> float:
        return 0.0 if move.wake_us is None else max(0, move.wake_us - self._log.now_us()) / 1e6

    def _note(self, what: str, /, **data: Any) -> None:
        entry = self._log.entry(what, **data)
        self._state = self._way.apply(self._state, entry)
        self._pending.append(entry)

    def _flush(self, owned: Owned) -> Course[None]:
        if self._pending:
            yield Ask(self._log._do_write(owned, *self._pending))
            self._pending.clear()

    def _leave(self, owned: Owned) -> Course[History]:
        yield Ask(self._log._do_leave(owned, *self._pending))
        return owned.history()

    def _end(self, owned: Owned, move: Move) -> Course[History]:
        if move.then == "park":
            self._note(PARKED, why=move.why)
            return (yield from self._leave(owned))
        self._note("finished", state=move.why)
        yield Ask(self._log._do_finish(owned, *self._pending))
        return owned.history()

    def _ended(self, end: End) -> None:
        self._busy.discard(end.call)
        step, operation = end.call
        if end.error is None:
            self._note("done", step=step, of=operation, result=end.result)
            return
        progress = self._state.of(*end.call)
        found: dict[str, Any] = {"step": step, "of": operation, "error": words_of(end.error)}
        if isinstance(end.error, StepRefused):
            found["refused"] = True
        else:
            elapsed = max(0, self._log.now_us() - progress.since_us) / 1e6
            verdict = self._definition.policy(step, operation).decide(
                end.error, attempt=progress.attempts + 1, elapsed=elapsed, previous=progress.wait_us / 1e6
            )
            if isinstance(verdict, str):
                found["why"] = verdict
            else:
                found["wait"] = round(verdict * 1e6)
        self._note("failed", **found)


def words_of(error: BaseException) -> str:
    """The error as it is recorded."""
    try:
        said = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    except Exception:  # noqa: BLE001 -- a broken __str__ must not cost the transaction its way back
        said = f"{type(error).__name__} whose text cannot be shown"
    return said if len(said) <= _LONGEST_ERROR else f"{said[: _LONGEST_ERROR - 3]}..."
