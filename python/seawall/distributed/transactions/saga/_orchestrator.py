"""Runs sagas, and goes on with those whose orchestrator died."""

from __future__ import annotations

import math
import secrets
import threading
from collections.abc import Iterable, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from seawall.distributed.transactions._keeper import Keeper
from seawall.distributed.transactions._log import TransactionLog, Wall
from seawall.distributed.transactions._orders import Order
from seawall.distributed.transactions._owned import History, Owned
from seawall.distributed.transactions._records import LogEntry, as_json
from seawall.distributed.transactions.saga._course import Ask, Course, Journey
from seawall.distributed.transactions.saga._definition import Saga
from seawall.distributed.transactions.saga._machine import next_move
from seawall.distributed.transactions.saga._rest import Rest
from seawall.distributed.transactions.saga._result import SagaResult, result_of
from seawall.distributed.transactions.saga._runners import run, run_async
from seawall.distributed.transactions.saga._state import SagaState, fold
from seawall.distributed.transactions.saga._worker import work, work_async
from seawall.engines import Engine
from seawall.errors import ConfigError, SeawallError, TransactionBusy, TransactionUnknown
from seawall.patterns import Signal

_PAGE = 200
_PATIENCE_US = 1_000_000
# A parked saga may be released by a person, a definition may come with a deployment: both are looked for so often.
_LOOK_AGAIN_US = 10_000_000


@dataclass(frozen=True, slots=True)
class SagaTrouble:
    """A worker could not go on with a saga, or not look for any; it tries again.

    Args:
        id: Of the saga; empty when none could be looked for.
        error: Why.
    """

    id: str
    error: BaseException


class Orchestrator:
    """Runs sagas whose every step is recorded before it begins and after it ended, so that any process can go on.

    Guarantees: of all orchestrators on one namespace one has a saga at a time, and only that one can write. A saga
    whose orchestrator died is gone on with by the next `recover`, at the latest `ttl` seconds later. An action is
    called until its end is recorded, so at least once; its effect happens once where a Barrier or the service's own
    idempotency keys see to it. A saga ends done, compensated, or parked until somebody decides: never half done and
    forgotten. Cancelled or interrupted it is left at once to whoever recovers it.

    Thread safety: yes; any number of sagas at once, in threads and tasks.

    Cost: durable writes: one more than there are steps, when all goes well.

    Args:
        engine: Where the log is kept.
        sagas: All definitions this process can run.
        owner: Name of this orchestrator, for people.
        namespace: Of the log; orchestrators in one share their sagas.
        ttl: How long a saga waits after its orchestrator was killed, in seconds, 0.1 to 86,400.
        wall: What stamps the records, and measures deadlines and waits of sagas; by default Unix time.
    """

    # What another kind of transaction puts its own in place of.
    kind = "saga"
    _who = "orchestrator"
    _fold: Any = staticmethod(fold)
    _next_move: Any = staticmethod(next_move)
    _result_of: Any = staticmethod(result_of)
    _trouble_of: Any = SagaTrouble

    ended: Signal[SagaResult]
    """A saga has come to an end here, or is parked."""
    troubled: Signal[SagaTrouble]
    """A worker could not go on with a saga, or not look for any; it tries again."""

    def __init__(
        self,
        engine: Engine,
        sagas: Iterable[Saga],
        *,
        owner: str | None = None,
        namespace: str = "transactions",
        ttl: float | timedelta = 30.0,
        wall: Wall | None = None,
    ) -> None:
        self.log = TransactionLog(engine, namespace=namespace, owner=owner, ttl=ttl, wall=wall)
        self.sagas = self._named(sagas)
        self._keeper = Keeper(self.log)
        self._rest = Rest()
        self.ended = Signal("saga.ended", SagaResult)
        self.troubled = Signal("saga.troubled", SagaTrouble)

    def run(self, name: str, input: Any = None, *, id: str | None = None) -> SagaResult:
        """Begin a saga and run it to its end; or go on with the one that has this id, if nobody else has it.

        Coroutine functions are run, too, each in a loop of its own; what they share needs `run_async`.

        Args:
            name: Of one of `sagas`.
            input: JSON; recorded, and told to every step.
            id: Makes it idempotent: what was begun with the same id and input is not begun again. By default a new one.

        Returns:
            Its end: done, compensated, resolved or parked.

        Raises:
            ConfigError: There is no such saga, or the input is no JSON.
            TransactionExists: The id has been begun with another name or input.
            TransactionBusy: Another orchestrator runs it at present.
            LeaseLost: This orchestrator was away for longer than `ttl`; another goes on with the saga.
            Unavailable, UnknownOutcome: The engine failed; `recover` goes on with the saga.
            DeadlineExceeded: The Deadline of the caller has passed; `recover` goes on with the saga.
        """
        return run(self.log, self._run(name, input, id, math.inf))

    async def run_async(self, name: str, input: Any = None, *, id: str | None = None) -> SagaResult:
        """`run` in this task; coroutine functions are awaited, plain ones get a thread."""
        return await run_async(self.log, self._run(name, input, id, math.inf))

    def start(self, name: str, input: Any = None, *, id: str | None = None) -> SagaResult:
        """Begin a saga and leave it to whoever recovers; how it stands when it has been begun before."""
        return run(self.log, self._start(name, input, id))

    async def start_async(self, name: str, input: Any = None, *, id: str | None = None) -> SagaResult:
        """`start` in this task."""
        return await run_async(self.log, self._start(name, input, id))

    def resume(self, id: str) -> SagaResult:
        """Go on with a saga that nobody has; how it ended, when it has.

        Raises:
            TransactionUnknown: There is no such saga, or it has been pruned.
            TransactionBusy: Another orchestrator runs it at present.
            ConfigError: Its definition is not among `sagas`, or has other steps now.
        """
        return run(self.log, self._resume(id, math.inf))

    async def resume_async(self, id: str) -> SagaResult:
        """`resume` in this task."""
        return await run_async(self.log, self._resume(id, math.inf))

    def status(self, id: str) -> SagaResult | None:
        """How a saga stands, whoever has it; None when there is none, or it has been pruned."""
        return self._result_or_none(self.log.load(self.kind, id))

    async def status_async(self, id: str) -> SagaResult | None:
        """`status` in this task."""
        return self._result_or_none(await self.log.load_async(self.kind, id))

    def order(self, id: str, what: Order, *, by: str, why: str) -> SagaResult:
        """Write what a person has decided about a saga that nobody has; `resume` or a worker then does it.

        Args:
            id: Of the saga.
            what: "park": nobody goes on with it. "resolve": it is finished as it is, somebody has seen to it.
                "compensate": it goes back. "retry": it goes on where it was parked, with all its attempts again.
            by: Who decides, for the history.
            why: For the history.

        Raises:
            TransactionUnknown: There is no such saga.
            TransactionBusy: Another orchestrator runs it at present.
            TransactionError: The decision makes no sense where it stands.
        """
        return run(self.log, self._order(id, what, by, why))

    async def order_async(self, id: str, what: Order, *, by: str, why: str) -> SagaResult:
        """`order` in this task."""
        return await run_async(self.log, self._order(id, what, by, why))

    def recover(self, *, limit: int = 1_000) -> list[SagaResult]:
        """Go on with sagas nobody has, one after the other; those that have to wait longer than a second are left.

        Sagas whose definition is not among `sagas`, or has other steps, are left to others.

        Args:
            limit: How many at most.
        """
        found = []
        for id in run(self.log, self._waiting(limit, frozenset())):
            if (result := run(self.log, self._recover(id))) is not None:
                found.append(result)
        return found

    async def recover_async(self, *, limit: int = 1_000) -> list[SagaResult]:
        """`recover` in this task."""
        found = []
        for id in await run_async(self.log, self._waiting(limit, frozenset())):
            if (result := await run_async(self.log, self._recover(id))) is not None:
                found.append(result)
        return found

    def prune(self, *, older: float | timedelta) -> int:
        """Forget sagas that ended longer ago than `older` seconds; how many. Their ids may be begun again."""
        return self.log.prune(self.kind, older=older)

    async def prune_async(self, *, older: float | timedelta) -> int:
        """`prune` in this task."""
        return await self.log.prune_async(self.kind, older=older)

    def work(self, stop: threading.Event, *, poll: float | timedelta = 1.0, concurrency: int = 4) -> None:
        """Recover again and again until `stop` is set; then what is under way is brought to its end.

        Args:
            stop: Ends it.
            poll: Seconds between two looks, 0.01 to 3,600.
            concurrency: Sagas at once, 1 to 1,000.
        """
        work(self, stop, poll, concurrency)

    async def work_async(self, *, poll: float | timedelta = 1.0, concurrency: int = 4) -> None:
        """Recover again and again until cancelled; what is under way is then cancelled, too, and left to others."""
        await work_async(self, poll, concurrency)

    def close(self) -> None:
        """End the thread that renews claims, if there is one; the engine stays open."""
        self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Orchestrator {self.log.owner!r} of {', '.join(self.sagas)} on {self.log.engine.name}>"

    # What these do, for threads and tasks alike.

    def _run(self, name: str, input: Any, id: str | None, patience_us: float) -> Course[SagaResult]:
        saga, begun = self._begun(name, input)
        journey = self._journey(saga, patience_us)
        id = secrets.token_hex(16) if id is None else id
        history = yield from self._travel(journey, journey.begin(id, begun))
        if journey.owned is None and not history.finished:
            return (yield from self._resume(id, patience_us))
        result: SagaResult = self._result_of(history)
        return result if journey.owned is None else self._told(result)

    def _start(self, name: str, input: Any, id: str | None) -> Course[SagaResult]:
        _, begun = self._begun(name, input)
        beginning = yield Ask(self.log._do_begin(self.kind, secrets.token_hex(16) if id is None else id, begun))
        if isinstance(beginning, Owned):
            yield Ask(self.log._do_let_go(beginning))
            return self._result_of(beginning.history())  # type: ignore[no-any-return]
        return self._result_of(beginning)  # type: ignore[no-any-return]

    def _resume(self, id: str, patience_us: float) -> Course[SagaResult]:
        owned = yield Ask(self.log._do_own(self.kind, id))
        if owned is None:
            raise TransactionUnknown(f"there is no {self.kind} {id!r}, or it has been pruned", kind=self.kind, id=id)
        if isinstance(owned, Owned):
            return (yield from self._go_on(owned, patience_us))
        if not owned.finished:
            raise TransactionBusy(
                f"{self.kind} {id!r} is run by another {self._who} at present; ask for its status, or again later",
                kind=self.kind,
                id=id,
            )
        return self._result_of(owned)  # type: ignore[no-any-return]

    def _order(self, id: str, what: Order, by: str, why: str) -> Course[SagaResult]:
        self._rest.end(id)
        history = yield Ask(self.log._do_order(self.kind, id, what, by=by, why=why))
        return self._result_of(history)  # type: ignore[no-any-return]

    def _go_on(self, owned: Owned, patience_us: float) -> Course[SagaResult]:
        state = self._fold(owned.entries)
        saga = self.sagas.get(state.name)
        if saga is None or saga.shape != state.shape:
            yield Ask(self.log._do_let_go(owned))
            raise _not_ours(self, owned.key.id, state, saga)
        journey = self._journey(saga, patience_us)
        return self._told(self._result_of((yield from self._travel(journey, journey.go_on(owned)))))

    def _recover(self, id: str) -> Course[SagaResult | None]:
        """What became of a saga that nobody had; None when there was nothing to do."""
        history = yield Ask(self.log._do_load(self.kind, id))
        if history is None or history.finished:
            return None
        state, now_us = self._fold(history.entries), self.log.now_us()
        if (until_us := self._rests_until(state, now_us)) > now_us:
            self._rest.set(id, until_us)
            return None
        owned = yield Ask(self.log._do_own(self.kind, id))
        return (yield from self._go_on(owned, _PATIENCE_US)) if isinstance(owned, Owned) else None

    def _rests_until(self, state: SagaState, now_us: int) -> int:
        """When recovery looks at a saga again, if it can do nothing for it now."""
        saga = self.sagas.get(state.name)
        if state.phase == "parked" or saga is None or saga.shape != state.shape:
            return now_us + _LOOK_AGAIN_US
        move = self._next_move(saga, state, now_us, frozenset())
        due_us = now_us if move.start or move.then or move.wake_us is None else move.wake_us
        return now_us if due_us <= now_us + _PATIENCE_US else min(due_us, now_us + _LOOK_AGAIN_US)

    def _waiting(self, limit: int, busy: Set[str]) -> Course[list[str]]:
        """Ids of sagas nobody has and that need not rest, at most `limit`."""
        found: list[str] = []
        now_us, after = self.log.now_us(), ""
        while len(found) < limit:
            page = yield Ask(self.log._do_keys(self.kind, unowned=True, after=after, limit=_PAGE))
            found += (key.id for key in page if key.id not in busy and not self._rest.is_on(key.id, now_us))
            if len(page) < _PAGE:
                break
            after = page[-1].id
        return found[:limit]

    def _named(self, sagas: Iterable[Any]) -> dict[str, Any]:
        return _by_name(sagas)

    def _begun(self, name: str, input: Any) -> tuple[Saga, LogEntry]:
        saga = self.sagas.get(name)
        if saga is None:
            raise ConfigError(
                f"saga must be one of {', '.join(self.sagas)}, got {name!r}; give its definition to the Orchestrator"
            )
        plan = {"steps": saga.shape, "pivot": saga.pivot, "deadline": saga.deadline_us}
        return saga, self.log.entry("begun", name=name, input=as_json(input, "input"), plan=plan)

    def _journey(self, saga: Saga, patience_us: float) -> Journey:
        return Journey(self.log, saga, patience_us, self._keeper.add)

    def _told(self, result: SagaResult) -> SagaResult:
        if self.ended and (result.finished or result.state == "parked"):
            self.ended.send(result)
        return result

    def _result_or_none(self, history: History | None) -> SagaResult | None:
        return None if history is None else self._result_of(history)

    def _trouble(self, id: str, error: BaseException) -> None:
        if id:
            self._rest.set(id, self.log.now_us() + _PATIENCE_US)
        if self.troubled:
            self.troubled.send(self._trouble_of(id, error))

    def _travel(self, journey: Journey, course: Course[History]) -> Course[History]:
        """Bring a journey to its end; cut short, it is left to others at once."""
        try:
            return (yield from course)
        except BaseException:
            if journey.owned is not None and journey.owned.lost is None:
                self._keeper.remove(journey.owned)
                with suppress(SeawallError):
                    yield Ask(self.log._do_let_go(journey.owned))
            raise
        finally:
            if journey.owned is not None:
                self._keeper.remove(journey.owned)


def _by_name(sagas: Iterable[Saga]) -> dict[str, Saga]:
    found: dict[str, Saga] = {}
    for saga in sagas:
        if not isinstance(saga, Saga):
            raise ConfigError(f"sagas must be Saga objects, got {saga!r}")
        if found.setdefault(saga.name, saga) is not saga:
            raise ConfigError(f"two sagas are named {saga.name!r}; recovery could not tell them apart")
    if not found:
        raise ConfigError("sagas must be at least one Saga, got none")
    return found


def _not_ours(whose: Orchestrator, id: str, state: SagaState, saga: Saga | None) -> ConfigError:
    if saga is None:
        return ConfigError(
            f"{whose.kind} {id!r} is of {state.name!r}, whose definition this {whose._who} was not given"
        )
    return ConfigError(
        f"{whose.kind} {id!r} was begun with other steps than {state.name!r} has now; go on with it by the definition "
        "it was begun with, or resolve it by hand: give a definition whose steps change a new name"
    )
