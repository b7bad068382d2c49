"""One saga on its way: a generator that says what is to be written, called and waited for, and does none of it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from seawall.distributed.transactions._log import TransactionLog
from seawall.distributed.transactions._owned import History, Owned
from seawall.distributed.transactions._records import LogEntry
from seawall.distributed.transactions.saga._context import StepContext
from seawall.distributed.transactions.saga._definition import Action, Saga
from seawall.distributed.transactions.saga._machine import Move, next_move
from seawall.distributed.transactions.saga._state import ACTION, Call, SagaState, apply, fold
from seawall.engines.operation import Op
from seawall.errors import StepRefused
from seawall.guard.timeout import Timeout

R = TypeVar("R")
_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class Ask:
    """An operation of the log to run."""

    operation: Op[Any]


@dataclass(frozen=True, slots=True)
class Task:
    """An action or compensation to call."""

    call: Call
    action: Action
    guard: Timeout | None
    context: StepContext


@dataclass(frozen=True, slots=True)
class Pause:
    """Let time pass, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Await:
    """Begin tasks, and come back with the ends of at least one of all that are under way, or with none in time.

    Args:
        tasks: To begin.
        seconds: The longest wait, by the machine's clock; None as long as it takes.
    """

    tasks: tuple[Task, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class End:
    """How a task ended: its result is JSON."""

    call: Call
    result: Any = None
    error: Exception | None = None


Course = Generator[Ask | Await | Pause, Any, R]


class Journey:
    """A saga that is owned, and what has been decided but not yet written.

    Guarantees: an intent is durable before its task begins, and a result before anything that follows from it. So
    the result of one step and the intent of the next are one write.

    Args:
        log: Where it is written.
        saga: Its definition.
        patience_us: It is left to others when it has to wait longer than this.
        on_owned: Told as soon as it is owned.
    """

    # What another kind of transaction puts its own in place of; the definition is then of that kind, too.
    kind = "saga"
    _fold = staticmethod(fold)
    _apply = staticmethod(apply)

    def __init__(
        self, log: TransactionLog, saga: Saga, patience_us: float, on_owned: Callable[[Owned], object]
    ) -> None:
        self._on_owned = on_owned
        self._log = log
        self._saga = saga
        self._patience_us = patience_us
        self._pending: list[LogEntry] = []
        self._busy: set[Call] = set()
        self._state: SagaState
        self.owned: Owned | None = None

    def begin(self, id: str, begun: LogEntry) -> Course[History]:
        """Begin, with the first intents in the same write; what is there already when the id has been begun before."""
        self._state = self._fold((begun,))
        move = self._next()
        self._intend(move)
        beginning = yield Ask(self._log._do_begin(self.kind, id, begun, *self._pending))
        if isinstance(beginning, History):
            return beginning
        self._own(beginning)
        self._pending.clear()
        return (yield from self._go(beginning, move))

    def go_on(self, owned: Owned) -> Course[History]:
        """Go on with what others have left."""
        self._own(owned)
        self._state = self._fold(owned.entries)
        if self._state.phase == "parked":
            yield Ask(self._log._do_let_go(owned))
            return owned.history()
        self._note("taken", owner=owned.claim.owner)
        return (yield from self._go(owned, None))

    def _go(self, owned: Owned, move: Move | None) -> Course[History]:
        while True:
            if move is None:
                move = self._next()
                self._intend(move)
            if self._turned(move):
                pass
            elif move.then:
                return (yield from self._end(owned, move))
            else:
                if not self._busy and self._until(move) * 1e6 > self._patience_us:
                    return (yield from self._leave(owned))
                yield from self._flush(owned)
                yield from self._advance(owned, move)
            move = None

    def _turned(self, move: Move) -> bool:
        """Note that it goes another way from here; False when it does not."""
        if move.then != "back":
            return False
        self._note("back", why=move.why)
        return True

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
        return next_move(self._saga, self._state, self._log.now_us(), self._busy)

    def _intend(self, move: Move) -> None:
        for step, operation in move.start:
            self._note("started", step=step, of=operation, attempt=self._state.of(step, operation).attempts + 1)
            self._busy.add((step, operation))

    def _advance(self, owned: Owned, move: Move) -> Course[None]:
        """Begin what is to begin, and wait for an end, or for the time of the next beginning."""
        if not self._busy:
            return (yield from self._rest(owned, self._until(move)))
        seconds = None if move.wake_us is None else self._until(move)
        for end in (yield Await(tuple(self._task(owned, call) for call in move.start), seconds)):
            self._ended(end)
        return None

    def _until(self, move: Move) -> float:
        return 0.0 if move.wake_us is None else max(0, move.wake_us - self._log.now_us()) / 1e6

    def _note(self, what: str, /, **data: Any) -> None:
        entry = self._log.entry(what, **data)
        self._state = self._apply(self._state, entry)
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
            self._note("parked", why=move.why)
            return (yield from self._leave(owned))
        self._note("finished", state=move.why)
        yield Ask(self._log._do_finish(owned, *self._pending))
        return owned.history()

    def _task(self, owned: Owned, call: Call) -> Task:
        step = self._saga.steps[call[0]]
        action = step.action if call[1] == ACTION else step.compensation
        assert action is not None
        return Task(call, action, step.guard, StepContext(owned, self._state, *call))

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
            verdict = self._saga.policy(step, operation).decide(
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
    except Exception:  # noqa: BLE001 -- a broken __str__ must not cost the saga its way back
        said = f"{type(error).__name__} whose text cannot be shown"
    return said if len(said) <= _LONGEST_ERROR else f"{said[: _LONGEST_ERROR - 3]}..."
